/** One way in which an answer goes wrong. Emulators apply it in place of, or on top of, the right answer. */
export type Fault =
  /** RST once the request has been read. */
  | { readonly kind: "reset" }
  /** RST on a connection that has already carried a request; waits in the script until such a request comes. */
  | { readonly kind: "reset-reused" }
  /** The connection stays open and nothing is ever answered. */
  | { readonly kind: "stall-headers" }
  /** Status, headers and half of the body, then nothing. */
  | { readonly kind: "stall-body" }
  /** Half of the body, then the connection is closed. */
  | { readonly kind: "truncate-body" }
  /** 200 without a body. */
  | { readonly kind: "empty-body" }
  /** 200 with a page of HTML, as a proxy in between would send. */
  | { readonly kind: "foreign-body" }
  /** An error status; `retryAfter` in seconds becomes the header of that name. */
  | { readonly kind: "status"; readonly status: number; readonly retryAfter?: number }
  /** The right answer, late. */
  | { readonly kind: "delay"; readonly ms: number }
  /** The signature with one bit turned. */
  | { readonly kind: "wrong-signature" }
  /** A good signature by a key that the caller did not name. */
  | { readonly kind: "other-key" }
  /** A signature whose S is above half of the curve's order. */
  | { readonly kind: "high-s" }
  /** 401 that calls the token invalid, though it is good: the next request with it passes. */
  | { readonly kind: "unauthorized" }
  /** 401 of continuous access evaluation: the token is revoked, another one is wanted. */
  | { readonly kind: "claims" };

/** A fault, limited to one operation if it names one ("sign", "list", "token", ...), and to one key if it names one. */
export type AimedFault = Fault & { readonly on?: string; readonly key?: string };

/** Faults to come: a script is served first, one entry a request; then each rate has its chance. */
export class Faults {
  readonly #random: () => number;
  #script: AimedFault[] = [];
  #rates: readonly (AimedFault & { readonly rate: number })[] = [];

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Appends faults for the next requests, in this order. An aimed fault waits for its operation. */
  script(faults: readonly AimedFault[]): void {
    this.#script.push(...faults);
  }

  /** Sets faults by rate (0 to 1 of the requests); replaces the rates before. */
  rate(faults: readonly (AimedFault & { readonly rate: number })[]): void {
    this.#rates = faults;
  }

  clear(): void {
    this.#script = [];
    this.#rates = [];
  }

  /** How many scripted faults have not been served yet. */
  get pending(): number {
    return this.#script.length;
  }

  /** The fault of this request, if it has one. @param key the name of the key that it is about; "" for a list */
  next(operation: string, reusedConnection: boolean, key = ""): Fault | undefined {
    const fits = (fault: AimedFault) =>
      (fault.on === undefined || fault.on === operation) &&
      (fault.key === undefined || fault.key === key) &&
      (fault.kind !== "reset-reused" || reusedConnection);
    const index = this.#script.findIndex(fits);
    if (index >= 0) return this.#script.splice(index, 1)[0];
    return this.#rates.find((fault) => fits(fault) && this.#random() < fault.rate);
  }
}
