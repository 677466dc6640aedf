import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import fc from "fast-check";
import type { SqliteStore } from "../../../../signer/watermark/stores/sqlite.ts";
import { type RowKey, StoreError } from "../../../../signer/watermark/stores/store.ts";
import { BLOCK_KEY, KEY, rowAt } from "../../../fixtures/watermark-rows.ts";
import { SqlitePlace } from "../../../harness/sqlite-place.ts";

const NAME = "watermarks.sqlite";

/** What may happen to a store and its files, in any order. */
type Step =
  | { readonly kind: "write"; readonly row: 0 | 1; readonly up: number }
  | { readonly kind: "read" | "turn" | "stop" | "kill" | "back up" | "copy away" }
  | { readonly kind: "overwrite" | "replace" | "remove" | "touch"; readonly file: "" | "-wal" };

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

/**
 * One store, its files, and what was answered. Two things are beyond it, and left out: a folder that goes back as a whole,
 * with the witness; and a log that somebody takes away from a process that is killed in the moment between an answer and the
 * end of its turn, for that log alone has it.
 */
class World implements AsyncDisposable {
  readonly #place = new SqlitePlace();
  #folder = join(this.#place.folder, "0");
  #lives = 0;
  #store: SqliteStore | undefined;
  /** Whether something was answered that only the log holds. */
  #isUnsettled = false;
  /** The highest level that was answered of each row. */
  readonly #answered = new Map<RowKey, number>();
  hardStops = 0;
  reads = 0;

  constructor() {
    mkdirSync(this.#folder);
  }

  get #path(): string {
    return join(this.#folder, NAME);
  }

  async take(step: Step): Promise<void> {
    try {
      await this.#take(step);
    } catch (error) {
      if (!(error instanceof StoreError && error.fault === "untrusted")) throw error;
      // Nothing was answered. The process ends, and the files stay as they are.
      this.hardStops += 1;
      await this.#end(false);
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
        await nextTurn();
        this.#isUnsettled &&= this.#store === undefined;
        return;
      case "stop":
        return this.#end(true);
      case "kill":
        return this.#end(false);
      case "back up":
        return this.#copy(["", "-wal"], this.#place.folder);
      case "copy away": {
        // A second computer's copy of the file, without a log.
        this.#copy([""], this.#place.folder);
        return rmSync(join(this.#place.folder, `${NAME}-wal`), { force: true });
      }
      default:
        return this.#touch(step.kind, step.file);
    }
  }

  /** The store as a process has it that runs or is started now. Once it was made, nobody makes it anew. */
  async #open(): Promise<SqliteStore> {
    if (this.#store === undefined) {
      this.#store = this.#place.open(this.#path);
      this.#isUnsettled &&= (await this.#store.identity()) === undefined;
      if ((await this.#store.identity()) === undefined) {
        if (this.#answered.size > 0) throw new Error("what was answered is taken for a first run");
        await this.#store.establish("id-1");
      }
    }
    return this.#store;
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
    this.#isUnsettled = true;
  }

  /** Ends the process: politely, or with its files as they are at this moment. */
  async #end(isPolite: boolean): Promise<void> {
    const store = this.#store;
    this.#store = undefined;
    if (store === undefined) return;
    if (!isPolite) {
      const folder = join(this.#place.folder, String(++this.#lives));
      mkdirSync(folder);
      for (const name of readdirSync(this.#folder)) copyFileSync(join(this.#folder, name), join(folder, name));
      this.#folder = folder;
    }
    await store.close();
    this.#isUnsettled &&= !isPolite;
  }

  #copy(endings: readonly string[], folder: string): void {
    for (const ending of endings) {
      const to = join(folder, NAME + ending);
      rmSync(to, { force: true });
      if (existsSync(this.#path + ending)) copyFileSync(this.#path + ending, to);
    }
  }

  #touch(what: "overwrite" | "replace" | "remove" | "touch", ending: "" | "-wal"): void {
    const target = this.#path + ending;
    const copy = join(this.#place.folder, NAME + ending);
    if (!existsSync(target) || (ending === "-wal" && this.#isUnsettled)) return;
    this.#waitForAnotherTime(target);
    if (what === "remove") rmSync(target);
    else if (what === "touch") utimesSync(target, 1, 1);
    else if (!existsSync(copy)) return;
    else if (what === "overwrite") copyFileSync(copy, target);
    else {
      copyFileSync(copy, `${target}.restored`);
      renameSync(`${target}.restored`, target);
    }
  }

  /** Kernels before 6.13 tell a file's times in ticks of some milliseconds. */
  #waitForAnotherTime(path: string): void {
    const probe = join(this.#place.folder, "probe");
    const { ctimeNs } = statSync(path, { bigint: true });
    do writeFileSync(probe, "");
    while (statSync(probe, { bigint: true }).ctimeNs <= ctimeNs);
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#place[Symbol.asyncDispose]();
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
    await fc.assert(property, { numRuns: 100 });
    // That it was tried at all.
    expect(hardStops).to.be.greaterThan(50);
    expect(reads).to.be.greaterThan(500);
  });
});
