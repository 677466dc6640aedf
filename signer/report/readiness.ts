import { SignerError } from "../errors.ts";
import { keyProblem } from "../keys/key-problem.ts";
import { unseenReason } from "../observability/pulse.ts";
import { decideByHead } from "../policy/head.ts";
import { fullKeys, fullReason, type ReportParts, rememberedRows } from "./parts.ts";

/** Knows whether a running signer would sign: what /readyz answers. */
export class Readiness {
  readonly #parts: ReportParts;
  #last: { readonly ready: boolean; readonly since: Date } | undefined;

  constructor(parts: ReportParts) {
    this.#parts = parts;
  }

  /** Says whether a signature can be had now; if not, why. What is to be mended before that is so is a reason too. */
  look(): { ready: boolean; reasons: string[] } {
    const { keyring, preparation, store } = this.#parts;
    // Nobody may have asked since somebody touched what the store stands on.
    store.probe();
    // In the words of a request that was refused for it, as the preparation tells it too.
    const stops = [...store.stops.values()].map((stop) => new SignerError("watermark-untrusted", stop).message);
    const reasons = new Set(stops);
    if (preparation.reason !== undefined) reasons.add(preparation.reason);
    const missing = keyring.problem?.() ?? (keyring.keys.size === 0 ? "There is no key that can sign." : undefined);
    if (missing !== undefined) reasons.add(missing);
    for (const key of keyring.keys.values()) {
      const problem = keyProblem(key, store.id);
      if (problem !== undefined) reasons.add(problem);
    }
    for (const reason of this.#refusedNext()) reasons.add(reason);
    for (const reason of this.#unanswered()) reasons.add(reason);
    const ready = reasons.size === 0;
    if (this.#last?.ready !== ready) this.#last = { ready, since: new Date() };
    const warning = this.#parts.certificate?.problem;
    if (warning !== undefined) reasons.add(warning);
    const { refusal } = this.#parts.live;
    if (refusal !== undefined) reasons.add(`The newest settings are not in use, those before are: ${refusal}`);
    for (const address of fullKeys(this.#parts)) reasons.add(fullReason(address));
    return { ready, reasons: [...reasons] };
  }

  /** Since when it is ready, or not ready, without a break, as far as it was looked at. */
  get since(): Date {
    if (this.#last === undefined) this.look();
    return this.#last?.since ?? new Date();
  }

  /** What did not answer when it was last asked, or was not seen for longer than the looks at it are apart. */
  *#unanswered(): Iterable<string> {
    const { backend, keyring } = this.#parts;
    // A store that is not trusted is told as that, and asking again mends nothing.
    const isStopped = [...this.#parts.store.stops.values()].some((stop) => stop === backend.outage);
    if (backend.outage !== undefined && !isStopped)
      yield new SignerError("watermark-unavailable", backend.outage).message;
    const outage = keyring.outage?.();
    if (outage !== undefined) yield outage;
    const unseen = [
      unseenReason("The watermark store", backend.answeredAt),
      outage === undefined ? unseenReason("What holds the keys", keyring.answeredAt?.()) : undefined,
    ];
    for (const reason of unseen) if (reason !== undefined) yield reason;
  }

  /** Why a key's next real request would be refused, as far as the followed head and the last requests tell. */
  *#refusedNext(): Iterable<string> {
    const { activity, follower, live } = this.#parts;
    yield* activity.implausibleLevels;
    const { head: rule } = live.current;
    if (rule === undefined) return;
    for (const [row, { key, level }] of rememberedRows(this.#parts)) {
      const head = follower.of(rule.node);
      if (decideByHead(rule, head, { chainId: key.chainId, level }, Date.now()).verdict !== "ahead") continue;
      yield `The ${row} is at level ${level}, and the head of its chain at ${head?.level}: nothing is signed for it until ` +
        'the chain is there (docs/recover.md, "A wrong push").';
    }
  }
}
