import { blake2b256 } from "../../signer/tezos/crypto/digest.ts";
import { type NamedMark, readInterchange, writeInterchange } from "../../signer/watermark/interchange/format.ts";
import { merge, takenOver } from "../../signer/watermark/interchange/merge.ts";
import { type RowKey, StoreError, type WatermarkStore } from "../../signer/watermark/stores/store.ts";
import { NEVER } from "../fixtures/watermark-rows.ts";

/**
 * An operator at work beside running signers: exports what the store holds, imports older exports, and imports marks that
 * another signer is said to have made. Writes as `watermarks import` does, by compare-and-set on what was read.
 */
export class OtherWriters {
  readonly #store: WatermarkStore;
  readonly #exports: string[];
  /** What the imports named: the digest of each place, and when the import was over (performance.now()). */
  readonly named = new Map<string, { readonly digest: string; readonly over: number }>();
  exported = 0;
  imported = 0;

  /** @param exports those that were made before, and those to come */
  constructor(store: WatermarkStore, exports: string[] = []) {
    this.#store = store;
    this.#exports = exports;
  }

  /** Exports all that the store holds now. */
  async export(): Promise<void> {
    this.#exports.push(writeInterchange("id", await answered(() => this.#store.list(NEVER)), new Date()));
    this.exported += 1;
  }

  /** Imports an export of some time ago, which must lower nothing. */
  async importOld(): Promise<void> {
    const text = this.#exports[Math.floor(Math.random() * this.#exports.length)];
    if (text !== undefined) await this.take(readInterchange(text).marks);
  }

  /** Imports that other bytes were signed elsewhere at a place. @param place its name among `named` */
  async importOther(key: RowKey, level: number, payload: Uint8Array, place: string): Promise<void> {
    const digest = Buffer.from(blake2b256(payload)).toString("hex");
    await this.take([{ key, mark: { level, round: 0, digest } }]);
    this.named.set(place, { digest, over: performance.now() });
  }

  /** Takes marks over as they are told. */
  async take(marks: readonly NamedMark[]): Promise<void> {
    for (const { key, mark } of marks) {
      for (let isWritten = false; !isWritten; ) {
        const before = await answered(() => this.#store.read(key, NEVER));
        const merged = merge(before?.row, takenOver({ key, mark }));
        if (merged === before?.row) break;
        const row = { ...merged, anchor: before?.row.anchor ?? { level: mark.level, at: Date.now() } };
        isWritten = await (before === undefined
          ? this.#store.insert(key, row, NEVER)
          : this.#store.replace(key, row, before.version, NEVER)
        ).then(
          () => true,
          () => false,
        );
      }
    }
    this.imported += 1;
  }
}

/** Asks again where there was no answer: how busy this computer is decides nothing. */
async function answered<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof StoreError && error.fault === "unavailable")) throw error;
    }
  }
}
