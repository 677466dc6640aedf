import { within } from "../deadline.ts";
import { SignerError } from "../errors.ts";
import { CONSENSUS_KINDS, type ConsensusKind } from "../tezos/payload/consensus-kind.ts";
import { type Anchor, highestPlausible, raise } from "./anchor.ts";
import { decide, type Mark, type Position, positionInWords } from "./decision.ts";
import { type Row, type RowKey, rowName, type Versioned } from "./stores/store.ts";
import type { TrustedStore } from "./trusted-store.ts";

/** A part of one attempt whose time is worth knowing. */
export type Stage = "read" | "reserve" | "sign" | "keep";

export interface ConsensusSigning {
  readonly key: RowKey;
  readonly position: Position;
  /** Blake2b-256 of the payload, hex. */
  readonly digest: string;
  /** The highest level that the followed head explains now; absent where no head is known. */
  readonly highestByHead?: number | undefined;
  /**
   * Asks the key, once. The signature must be verified and in its final form.
   * @returns r || s, 64 bytes, hex
   */
  sign(deadline: AbortSignal): Promise<string>;
  /** Called with each stage's duration in milliseconds; a stage may run more than once. */
  observe(stage: Stage, milliseconds: number): void;
}

export interface Released {
  /** r || s, 64 bytes, hex. */
  readonly signature: string;
  /** `kept`: the same bytes were signed before, and this is that signature. */
  readonly source: "signed" | "kept";
}

export interface GuardOptions {
  readonly store: TrustedStore;
  /** Levels above what time explains; see anchor.ts. */
  readonly maxStep: number | "off";
  /** Seconds in which a level is believed to pass at the fastest; see anchor.ts. */
  readonly minimalBlockDelay: number;
  /** How long one attempt may take, in milliseconds, by kind. */
  readonly budgets: Readonly<Record<ConsensusKind, number>>;
  /** Milliseconds since 1970, by a clock that does not jump ahead. */
  readonly clock: () => number;
}

/** Lost races in one attempt. More in a row means two bakers at work: the client is told to ask again. */
const MOST_CONFLICTS = 4;

/**
 * The double-signing guard: decide, reserve beside the key's work, release. What it promises to every client, over every
 * signer that shares the store: of each position of a chain, key and kind at most one digest is released, and of a block's
 * bytes at most one signature.
 *
 * A reservation is never undone, whatever the key answers: a time-out means unknown, not failed. There is no lock and no
 * lease: every write is one compare-and-set, and whoever loses it reads and decides again.
 */
export class Guard {
  readonly #options: GuardOptions;
  readonly #attempts = new Map<string, Promise<Released>>();
  /** The last released of each row: the same bytes get the same signature while it is remembered. */
  readonly #released = new Map<string, { readonly digest: string; readonly signature: string }>();

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /**
   * Signs one consensus request, or returns the signature that its bytes have already.
   * Identical requests under way share one attempt, and no client ends it by hanging up.
   * @throws SignerError 409 where the position is taken, 500 where the record cannot be trusted, 502 where asking again may help
   */
  sign(request: ConsensusSigning): Promise<Released> {
    const id = `${rowName(request.key)} ${request.digest}`;
    const running = this.#attempts.get(id);
    if (running !== undefined) return running;
    const attempt = this.#attempt(request).finally(() => this.#attempts.delete(id));
    this.#attempts.set(id, attempt);
    return attempt;
  }

  async #attempt(request: ConsensusSigning): Promise<Released> {
    const { store } = this.#options;
    const { key, position, digest } = request;
    const deadline = AbortSignal.timeout(this.#options.budgets[key.kind]);
    let signing: Promise<string> | undefined;
    const askKey = () => {
      if (signing === undefined) {
        signing = timed(request, "sign", request.sign(deadline));
        // Where the reservation is refused, nobody waits for the key any more.
        signing.catch(() => undefined);
      }
      return signing;
    };

    const release = (signature: string, source: Released["source"]): Released => {
      this.#released.set(rowName(key), { digest, signature });
      return { signature, source };
    };

    let isRead = false;
    for (let conflicts = 0; conflicts <= MOST_CONFLICTS; ) {
      const current = await timed(request, "read", store.current(key, deadline, isRead ? "anew" : "known"));
      const decision = decide(current?.row, position, digest);
      if (decision.verdict === "refuse") throw refusal(decision.reason, request, current?.row);
      const released = this.#released.get(rowName(key));
      if (decision.verdict !== "reserve" && released?.digest === digest)
        return { signature: released.signature, source: "kept" };
      if (decision.verdict === "return") {
        // It never left this process, and may have been passed since it was read, like the reservation below.
        if (isRead) return release(decision.signature, "kept");
        isRead = true;
        continue;
      }

      // What was reserved before this attempt may have been passed since, by another signer or an import, without this
      // process hearing of it. A block's signature is written over its reservation, which tells; a vote reserves again.
      const resumed = decision.verdict === "resume" ? current : undefined;
      let reserved = key.kind === "block" ? resumed : undefined;
      if (reserved === undefined) {
        const row = resumed?.row ?? (await this.#reservation(request, current?.row, deadline));
        askKey();
        const written = await timed(request, "reserve", store.write(key, row, current, deadline));
        if (written === "conflict") conflicts += 1;
        if (typeof written === "string") continue;
        reserved = written;
      }

      const signature = await within(askKey(), deadline, lateKey);
      if (key.kind !== "block") return release(signature, "signed");
      const kept = await timed(request, "keep", this.#keep(key, reserved, signature, deadline));
      if (kept === "conflict") conflicts += 1;
      if (typeof kept !== "string") return release(signature, "signed");
    }
    throw new SignerError("watermark-unavailable", "Other requests for this key were always first.");
  }

  /** Puts a block's signature into its row, which has none. What the row holds is what is released. */
  #keep(key: RowKey, reserved: Versioned, signature: string, deadline: AbortSignal) {
    return this.#options.store.write(key, { ...reserved.row, signature }, reserved, deadline);
  }

  async #reservation(request: ConsensusSigning, recorded: Row | undefined, deadline: AbortSignal): Promise<Row> {
    const { position, digest } = request;
    const now = this.#options.clock();
    const own = recorded?.anchor ?? { level: position.level, at: now };
    const anchor = await this.#explaining(request, own, now, deadline);
    const raised = raise(anchor, position.level, now, this.#options.minimalBlockDelay);
    return { level: position.level, round: position.round, digest, anchor: raised };
  }

  /**
   * Finds what explains a level: the head that is followed, or else the anchor of that kind of this key which has come
   * furthest on this chain. An idle kind is not to be pushed by all the time that it was idle, nor to refuse what another
   * one has seen; the others are asked only where a level is more than a step above the own anchor.
   * @throws SignerError `level-implausible`
   */
  async #explaining(request: ConsensusSigning, own: Anchor, now: number, deadline: AbortSignal): Promise<Anchor> {
    const { key, position, highestByHead } = request;
    const { store, maxStep, minimalBlockDelay } = this.#options;
    if (maxStep === "off") return own;
    if (position.level <= own.level + maxStep) return own;
    if (highestByHead !== undefined && position.level <= highestByHead) return { level: position.level, at: now };
    let furthest = own;
    for (const kind of CONSENSUS_KINDS.filter((kind) => kind !== key.kind)) {
      const other = await store.look({ ...key, kind }, deadline);
      if (other !== undefined && other.anchor.level > furthest.level) furthest = other.anchor;
    }
    if (position.level <= highestPlausible(furthest, maxStep, now, minimalBlockDelay)) return furthest;
    throw new SignerError(
      "level-implausible",
      `Level ${position.level} is more than ${maxStep} above what time explains since level ${furthest.level} ` +
        `(${new Date(furthest.at).toISOString()}) for the ${rowName(key)}. If the chain is really there, go on as ` +
        'docs/recover.md says under "A level that is too far ahead".',
    );
  }
}

function refusal(reason: "below" | "other-bytes", { key, position }: ConsensusSigning, recorded: Mark | undefined) {
  const at = `The ${rowName(key)} is at ${recorded && positionInWords(recorded)}`;
  if (reason === "other-bytes") return new SignerError("position-already-signed", `${at}, reserved by other bytes.`);
  const asked = `${positionInWords(position)} was asked`;
  return new SignerError("position-below-watermark", `${at}; ${asked}.`);
}

const lateKey = () => new SignerError("vault-unavailable", "It did not answer before the request's deadline.");

async function timed<T>(request: ConsensusSigning, stage: Stage, work: Promise<T>): Promise<T> {
  const start = performance.now();
  try {
    return await work;
  } finally {
    request.observe(stage, performance.now() - start);
  }
}
