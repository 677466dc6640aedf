import { setTimeout as sleep } from "node:timers/promises";
import { CONSENSUS_KINDS } from "../../signer/tezos/payload/consensus-kind.ts";
import type { ConsensusKind } from "../../signer/tezos/payload/payload.ts";
import { StoreError } from "../../signer/watermark/stores/store.ts";
import { KEY } from "../fixtures/watermark-rows.ts";
import { type Ask, digestOfBytes, GuardedSigner } from "../harness/guarded-signer.ts";
import { RestoredFiles } from "../harness/restored-files.ts";
import { OtherWriters } from "./other-writers.ts";

export interface RestoredSignerCounts {
  positions: number;
  requests: number;
  released: number;
  /** Requests, starts and commands that a hard stop ended. */
  hardStops: number;
  kills: number;
  /** Copies that were put over the file or in its place, files that were taken away or only touched. */
  touches: number;
  imports: number;
  exports: number;
}

/** After so many hard stops in a row nothing mends it but an operator: the next store is begun. */
const HOPELESS = 5;

/**
 * The real guard on a SQLite store, asked for bytes at positions below, at and above the last one, while the process is
 * killed, its file is copied, copies are put back and files taken away at any moment, running or not, and an operator
 * exports, and imports old exports and marks of other bytes. Store after store.
 * @throws Error where a position has two digests, a block two signatures, or a first signature leaves after an import
 *   had named other bytes of its position
 */
export async function restoredSigner(positions: number): Promise<RestoredSignerCounts> {
  const counts = { positions: 0, requests: 0, released: 0, hardStops: 0, kills: 0, touches: 0, imports: 0, exports: 0 };
  while (counts.positions < positions) {
    await using story = new Story(counts);
    while (counts.positions < positions && !story.isHopeless) await story.step();
  }
  return counts;
}

class Story implements AsyncDisposable {
  readonly #counts: RestoredSignerCounts;
  readonly #files = new RestoredFiles();
  readonly #exports: string[] = [];
  /** What left, by place. */
  readonly #released = new Map<string, { readonly bytes: string; readonly signature: string }>();
  readonly #asked = new Set<string>();
  /** The places of which an import said that other bytes have them. */
  readonly #named = new Set<string>();
  #signer: GuardedSigner | undefined;
  #level = 100;
  #stops = 0;

  constructor(counts: RestoredSignerCounts) {
    this.#counts = counts;
  }

  get isHopeless(): boolean {
    return this.#stops >= HOPELESS;
  }

  async step(): Promise<void> {
    const dice = Math.random() * 100;
    if (dice < 62) await this.#ask();
    else if (dice < 80) await this.#files.turn();
    else if (dice < 84) await this.#end("stop");
    else if (dice < 88) await this.#end("kill");
    else if (dice < 92) this.#files.copy(Math.random() < 0.5 ? "back up" : "copy away");
    else if (dice < 94) await this.#command((operator) => this.#export(operator));
    else if (dice < 96) await this.#command((operator) => this.#import(operator));
    else if (dice < 97) await sleep(2);
    else this.#touch();
  }

  async #ask(): Promise<void> {
    const signer = await this.#running();
    if (signer === undefined) return;
    if (Math.random() < 0.5) this.#level += 1;
    const kind = any(CONSENSUS_KINDS);
    const level = this.#level - any([0, 0, 0, 1, 2]);
    // Two clients at once ask more than one after the other.
    const asks = Array.from({ length: any([1, 1, 2]) }, () => ({ kind, level, bytes: any(["a", "b"]) }));
    await Promise.all(asks.map((ask) => this.#outcome(signer, ask)));
    this.#files.answered();
  }

  async #outcome(signer: GuardedSigner, ask: Ask & { readonly kind: ConsensusKind; readonly bytes: string }) {
    const place = `${ask.kind} at ${ask.level}`;
    if (!this.#asked.has(place)) this.#counts.positions += 1;
    this.#asked.add(place);
    this.#counts.requests += 1;
    const signature = await signer.outcome(ask);
    if (signature === "watermark-untrusted") return this.#stopped();
    this.#stops = 0;
    if (!/^[0-9a-f]{128}$/.test(signature)) return;
    this.#counts.released += 1;
    const before = this.#released.get(place);
    if (before === undefined && this.#named.has(place))
      throw new Error(`a first signature for the ${place}, after an import had named other bytes`);
    if (before !== undefined && before.bytes !== ask.bytes) throw new Error(`two digests released for the ${place}`);
    if (before !== undefined && ask.kind === "block" && before.signature !== signature)
      throw new Error(`two signatures of the ${place}`);
    this.#released.set(place, { bytes: ask.bytes, signature });
  }

  /** The signer that runs, or one that is started now; none where its start is a hard stop. */
  async #running(): Promise<GuardedSigner | undefined> {
    if (this.#signer !== undefined) return this.#signer;
    const store = await this.#hardStopOr(() => this.#files.open());
    if (store !== undefined) this.#signer = new GuardedSigner(store);
    return this.#signer;
  }

  /** Does what an operator's command does, which has the store for itself. */
  async #command(work: (operator: OtherWriters) => Promise<void>): Promise<void> {
    await this.#end("stop");
    await this.#hardStopOr(async () => {
      const store = await this.#files.open();
      // Without a store the command says so, and makes none.
      if ((await store.identity()) === undefined) return;
      await work(new OtherWriters(store, this.#exports));
    });
    await this.#end("stop");
  }

  async #export(operator: OtherWriters): Promise<void> {
    await operator.export();
    this.#counts.exports += 1;
  }

  async #import(operator: OtherWriters): Promise<void> {
    if (Math.random() < 0.5) await operator.importOld();
    else {
      const kind = any(CONSENSUS_KINDS);
      const level = this.#level + any([0, 1, 2]);
      await operator.take([
        { key: { ...KEY, kind }, mark: { level, round: 0, digest: digestOfBytes({ kind, level }, "c") } },
      ]);
      this.#named.add(`${kind} at ${level}`);
    }
    this.#counts.imports += 1;
  }

  #touch(): void {
    const kind = any(["overwrite", "replace", "remove", "touch"] as const);
    if (this.#files.touch({ kind, file: any(["", "", "-wal"] as const) })) this.#counts.touches += 1;
  }

  async #end(how: "stop" | "kill"): Promise<void> {
    this.#signer = undefined;
    if (how === "kill" && this.#files.isOpen) this.#counts.kills += 1;
    await this.#files.end(how);
  }

  async #hardStopOr<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StoreError && error.fault === "untrusted")) throw error;
      await this.#stopped();
      return undefined;
    }
  }

  /** Nothing was answered. The process ends, and the files stay as they are. */
  async #stopped(): Promise<void> {
    this.#counts.hardStops += 1;
    this.#stops += 1;
    await this.#end("kill");
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#files[Symbol.asyncDispose]();
  }
}

function any<T>(values: readonly T[]): T {
  return values[Math.floor(Math.random() * values.length)] as T;
}
