/** What a board, its chip or the cable can do wrong. */
export type Fault =
  /** Bytes that come before the reply, hex: a function that talks to the chip prints a number and a line's end. */
  | { readonly kind: "noise"; readonly bytes: string }
  /** Only the first bytes of the reply come. */
  | { readonly kind: "cut"; readonly at: number }
  /** A bit of the reply's byte at this place is turned; of the request's. */
  | { readonly kind: "flip-reply" | "flip-request"; readonly at: number }
  /** The reply never comes; it comes when the fault is over; it comes after so many milliseconds. */
  | { readonly kind: "silent" | "held" }
  | { readonly kind: "late"; readonly milliseconds: number }
  /** The chip refuses, by this status, after the mark has moved. */
  | { readonly kind: "chip"; readonly status: number }
  /** A failure that its code does not look at: 64 bytes that are no signature; that are no key. */
  | { readonly kind: "wrong-signature" | "unread-key" }
  /** It is unplugged when the request has come, or when it has signed. */
  | { readonly kind: "unplugged-before" | "unplugged-after" }
  /** It is unplugged when the first bytes of the reply have come. */
  | { readonly kind: "unplugged-within"; readonly at: number };

/** What is asked of the board. */
export type Asked = "sign" | "public-key";

/** Faults, each for one request of its kind, or for every one. */
export class Faults {
  #script: (Fault & { readonly on?: Asked })[] = [];
  #always: (Fault & { readonly on?: Asked }) | undefined;

  /** Each for the next request of its kind, in this order. */
  script(faults: readonly (Fault & { readonly on?: Asked })[]): void {
    this.#script = [...faults];
  }

  /** For every request, until it is told otherwise. */
  always(fault: (Fault & { readonly on?: Asked }) | undefined): void {
    this.#always = fault;
  }

  /** The one for this request, if there is one. */
  take(asked: Asked): Fault | undefined {
    const at = this.#script.findIndex(({ on = asked }) => on === asked);
    if (at >= 0) return this.#script.splice(at, 1)[0];
    return this.#always?.on === undefined || this.#always.on === asked ? this.#always : undefined;
  }
}
