import { expect } from "chai";
import fc from "fast-check";
import type { SqliteStore } from "../../../../signer/watermark/stores/sqlite.ts";
import { type RowKey, StoreError } from "../../../../signer/watermark/stores/store.ts";
import { BLOCK_KEY, KEY, rowAt } from "../../../fixtures/watermark-rows.ts";
import { RestoredFiles, type Touch } from "../../../harness/restored-files.ts";

/** What may happen to a store and its files, in any order. */
type Step =
  | { readonly kind: "write"; readonly row: 0 | 1; readonly up: number }
  | { readonly kind: "read" | "turn" | "stop" | "kill" | "back up" | "copy away" }
  | Touch;

const file = fc.constantFrom<"" | "-wal">("", "", "-wal");
const STEP: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({ kind: fc.constant("write"), row: fc.constantFrom(0, 1), up: fc.nat({ max: 3 }) }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom("read", "turn", "turn", "turn") }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom("stop", "kill", "back up", "copy away") }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("overwrite", "replace", "remove", "touch"), file }) },
);

/** One store, its files, and what was answered. */
class World implements AsyncDisposable {
  readonly #files = new RestoredFiles();
  /** The highest level that was answered of each row. */
  readonly #answered = new Map<RowKey, number>();
  hardStops = 0;
  reads = 0;

  async take(step: Step): Promise<void> {
    try {
      await this.#take(step);
    } catch (error) {
      if (!(error instanceof StoreError && error.fault === "untrusted")) throw error;
      // Nothing was answered. The process ends, and the files stay as they are.
      this.hardStops += 1;
      await this.#files.end("kill");
    }
  }

  async #take(step: Step): Promise<void> {
    switch (step.kind) {
      case "write":
        return this.#write(step.row === 0 ? KEY : BLOCK_KEY, step.up);
      case "read":
        for (const key of [KEY, BLOCK_KEY]) await this.#read(key);
        return;
      case "turn":
        return this.#files.turn();
      case "stop":
      case "kill":
        return this.#files.end(step.kind);
      case "back up":
      case "copy away":
        return this.#files.copy(step.kind);
      default:
        this.#files.touch(step);
    }
  }

  /** The store, made once; nobody makes it anew. */
  async #open(): Promise<SqliteStore> {
    const wasOpen = this.#files.isOpen;
    const store = await this.#files.open();
    if (!wasOpen && (await store.identity()) === undefined) {
      if (this.#answered.size > 0) throw new Error("what was answered is taken for a first run");
      await store.establish("id-1");
    }
    return store;
  }

  /** @throws Error where the mark is lower than one that was answered */
  async #read(key: RowKey): Promise<{ level: number; version: string } | undefined> {
    const found = await (await this.#open()).read(key);
    const answered = this.#answered.get(key) ?? 0;
    const level = found?.row.level ?? 0;
    if (level < answered) throw new Error(`the ${key.kind} was answered at ${answered} and is at ${level}`);
    this.reads += 1;
    return found === undefined ? undefined : { level, version: found.version };
  }

  async #write(key: RowKey, up: number): Promise<void> {
    const found = await this.#read(key);
    const level = (found?.level ?? 0) + 1 + up;
    const store = await this.#open();
    if (found === undefined) await store.insert(key, rowAt(level));
    else await store.replace(key, rowAt(level), found.version);
    this.#answered.set(key, level);
    this.#files.answered();
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#files[Symbol.asyncDispose]();
  }
}

describe("sqlite store under writes, kills, restarts and restored files, in any order", function () {
  this.timeout(120_000);

  it("never shows a mark lower than one that was answered: it stops hard instead", async () => {
    let hardStops = 0;
    let reads = 0;
    const property = fc.asyncProperty(fc.array(STEP, { minLength: 30, maxLength: 30 }), async (steps) => {
      await using world = new World();
      for (const step of steps) await world.take(step);
      hardStops += world.hardStops;
      reads += world.reads;
    });
    await fc.assert(property, { numRuns: 40 });
    // That it was tried at all.
    expect(hardStops).to.be.greaterThan(20);
    expect(reads).to.be.greaterThan(200);
  });
});
