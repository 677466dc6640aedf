import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import { SqliteStore } from "../../../../signer/watermark/stores/sqlite.ts";
import { StoreError } from "../../../../signer/watermark/stores/store.ts";
import { BLOCK_KEY, KEY, rowAt } from "../../../fixtures/watermark-rows.ts";
import { rejection } from "../../../harness/rejection.ts";

const MODULE = join(import.meta.dirname, "../../../../signer/watermark/stores/sqlite.ts");

describe("sqlite store", () => {
  let folder: string;
  let path: string;
  let stores: SqliteStore[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "sqlite-store-"));
    path = join(folder, "watermarks.sqlite");
    stores = [];
  });
  afterEach(async () => {
    for (const store of stores) await store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function open(): SqliteStore {
    const store = new SqliteStore(path);
    stores.push(store);
    return store;
  }

  /** What another process is told that asks for the store's id. */
  async function identityElsewhere(options: { uid?: number; gid?: number } = {}): Promise<string> {
    const script = `
      import { SqliteStore } from ${JSON.stringify(MODULE)};
      const { fault, message } = await new SqliteStore(${JSON.stringify(path)}).identity().catch((error) => error);
      console.log(fault, message);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      ...options,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [printed] = await once(child.stdout, "data");
    return String(printed);
  }

  /** A store with one row, closed again. */
  async function made(): Promise<void> {
    const store = open();
    await store.establish("id-1");
    await store.insert(KEY, rowAt(100));
    await store.close();
  }

  async function stop(promise: Promise<unknown>): Promise<string> {
    const error = await rejection(promise, StoreError);
    expect(error.fault).to.equal("untrusted");
    expect(error.message).to.include(path).and.include("Mend the cause");
    return error.message;
  }

  it("is one file for its owner alone, with no draft left beside it", async () => {
    await made();
    expect(statSync(path).mode & 0o777).to.equal(0o600);
    expect(readdirSync(folder)).to.deep.equal(["watermarks.sqlite", "watermarks.sqlite.seen"]);
    expect(statSync(`${path}.seen`).mode & 0o777).to.equal(0o600);
  });

  it("is never made by looking for it", async () => {
    expect(await open().identity()).to.equal(undefined);
    expect(existsSync(path)).to.equal(false);
  });

  it("appears whole or not at all: a draft that was left by a crash is none", async () => {
    writeFileSync(`${path}.${process.pid}.new`, "half a draft");
    const store = open();
    expect(await store.identity()).to.equal(undefined);
    await store.establish("id-1");
    expect(await store.identity()).to.equal("id-1");
  });

  it("refuses a second process at once, says so, and serves the first on", async () => {
    const store = open();
    await store.establish("id-1");
    await store.insert(KEY, rowAt(100));
    expect(await identityElsewhere()).to.match(/^in-use .*held by another process.*stop the other/);
    expect((await store.read(KEY))?.row.level).to.equal(100);
  });

  it("commits only after what was asked in the same turn is sent, and within that turn", async () => {
    const store = new SqliteStore(path);
    await store.establish("s");
    const seen: string[] = [];
    setImmediate(() => seen.push("next turn"));
    // As a key's question goes out: some promises, then the agent's tick.
    const asked = (async () => {
      for (let hop = 0; hop < 20; hop += 1) await undefined;
      process.nextTick(() => seen.push("sent"));
    })();
    const commit = store.insert(KEY, rowAt(5)).then(() => seen.push("committed"));
    await Promise.all([asked, commit]);
    await nextTurn();
    expect(seen).to.deep.equal(["sent", "committed", "next turn"]);
    await store.close();
  });

  it("writes on through checkpoints of its log: 5,000 commits of one open", async function () {
    this.timeout(60_000);
    const store = open();
    await store.establish("id-1");
    let version = await store.insert(KEY, rowAt(1));
    for (let level = 2; level <= 5_000; level++) version = await store.replace(KEY, rowAt(level), version);
    expect((await store.read(KEY))?.row.level).to.equal(5_000);
    expect(statSync(`${path}-wal`).size).to.be.lessThan(5_000 * 4_096);
  });

  it("gives its lock back when it is closed", async () => {
    await made();
    expect(await open().identity()).to.equal("id-1");
  });

  it("does not take its lock again once it is closed, whoever still asks it", async () => {
    const store = open();
    await store.establish("id-1");
    await store.close();
    for (const ask of [() => store.list(), () => store.read(KEY), () => store.insert(KEY, rowAt(100))]) {
      expect((await rejection(ask(), StoreError)).fault).to.equal("unavailable");
    }
    expect(await identityElsewhere()).to.equal("undefined undefined\n");
  });

  describe("stops hard", () => {
    it("stops hard on a file that is no database", async () => {
      writeFileSync(path, "these are my notes, not a database\n".repeat(100));
      expect(await stop(open().identity())).to.include("is damaged");
    });

    it("stops hard on an empty file", async () => {
      writeFileSync(path, "");
      expect(await stop(open().identity())).to.include("is no watermark store");
      expect(statSync(path).size).to.equal(0);
    });

    it("stops hard on a database of another program, which it leaves as it was", async () => {
      const other = new DatabaseSync(path);
      other.exec("CREATE TABLE precious (id INTEGER); INSERT INTO precious VALUES (1)");
      other.close();
      const before = readFileSync(path);
      expect(await stop(open().identity())).to.include("is no watermark store");
      expect(readFileSync(path).equals(before)).to.equal(true);
    });

    it("stops hard on a format that it does not know", async () => {
      await made();
      const database = new DatabaseSync(path);
      database.exec("PRAGMA user_version = 2");
      database.close();
      expect(await stop(open().identity())).to.include("has format 2; this signer reads 1");
    });

    for (const [what, change] of [
      ["without an id", "DELETE FROM store"],
      ["whose id is empty", "UPDATE store SET id = ''"],
    ] as const) {
      it(`stops hard on a store ${what}, and says how to go on`, async () => {
        await made();
        const database = new DatabaseSync(path);
        database.exec(change);
        database.close();
        const { fault, message } = await rejection(open().identity(), StoreError);
        expect(fault).to.equal("untrusted");
        expect(message).to.include(`${path} has no store id`).and.include('"A store without its id"');
      });
    }

    it("stops hard on a file that was cut short", async () => {
      await made();
      truncateSync(path, statSync(path).size - 4096);
      expect(await stop(open().identity())).to.include("is damaged");
    });

    it("stops hard on a page that was overwritten", async () => {
      await made();
      const bytes = readFileSync(path);
      bytes.fill(0xff, 2 * 4096, 2 * 4096 + 512);
      writeFileSync(path, bytes);
      expect(await stop(open().identity())).to.include("is damaged");
    });

    it("stops hard on a file that was removed while it was open", async () => {
      const store = open();
      await store.establish("id-1");
      const version = await store.insert(KEY, rowAt(100));
      rmSync(path);
      expect(await stop(store.replace(KEY, rowAt(101), version))).to.include("was removed or replaced");
    });

    it("stops hard on a write-ahead log that was removed while it was open: the newest rows were in it", async () => {
      const store = open();
      await store.establish("id-1");
      const version = await store.insert(KEY, rowAt(100));
      rmSync(`${path}-wal`);
      expect(await stop(store.replace(KEY, rowAt(101), version))).to.include("was removed or replaced");
    });

    it("stops hard on an older file that was put in its place while it was open", async () => {
      await made();
      copyFileSync(path, join(folder, "backup"));
      const store = open();
      const before = await store.read(KEY);
      await store.replace(KEY, rowAt(101), before?.version ?? "");
      renameSync(join(folder, "backup"), path);
      expect(await stop(store.replace(KEY, rowAt(102), "2"))).to.include("was removed or replaced");
    });

    it("stops hard on a folder that is not there", async () => {
      const store = new SqliteStore(join(folder, "absent", "watermarks.sqlite"));
      expect((await rejection(store.establish("id-1"), StoreError)).fault).to.equal("untrusted");
    });

    it("stops hard for good: what a failed write has left on the disk is not known", async () => {
      const store = open();
      await store.establish("id-1");
      const version = await store.insert(KEY, rowAt(100));
      renameSync(path, join(folder, "elsewhere"));
      await stop(store.replace(KEY, rowAt(101), version));
      renameSync(join(folder, "elsewhere"), path);
      await stop(store.replace(KEY, rowAt(101), version));
      await stop(store.read(KEY));
    });
  });

  describe("durability", () => {
    /** What the open database says of itself, asked through the store's own connection. */
    async function pragmas(store: SqliteStore): Promise<Record<string, unknown>> {
      const asked: Record<string, unknown> = {};
      const { prepare } = DatabaseSync.prototype;
      let connection: DatabaseSync | undefined;
      DatabaseSync.prototype.prepare = function (this: DatabaseSync, sql: string) {
        connection = this;
        return prepare.call(this, sql);
      };
      try {
        await store.identity();
      } finally {
        DatabaseSync.prototype.prepare = prepare;
      }
      for (const name of ["journal_mode", "synchronous", "locking_mode"]) {
        asked[name] = Object.values(connection?.prepare(`PRAGMA ${name}`).get() ?? {})[0];
      }
      return asked;
    }

    it("is asked for at each open, not only at the first", async () => {
      await made();
      const durable = { journal_mode: "wal", synchronous: 2, locking_mode: "exclusive" };
      for (let time = 0; time < 3; time++) {
        const store = open();
        expect(await pragmas(store)).to.deep.equal(durable);
        await store.close();
      }
    });

    it("that is refused is a hard stop: a build of SQLite that does not sync serves nobody", async () => {
      await made();
      const { exec } = DatabaseSync.prototype;
      DatabaseSync.prototype.exec = function (this: DatabaseSync, sql: string) {
        return exec.call(this, sql.replace("synchronous = FULL", "synchronous = NORMAL"));
      };
      try {
        expect(await stop(open().identity())).to.include("cannot be opened for durable writes");
      } finally {
        DatabaseSync.prototype.exec = exec;
      }
    });

    /** What a copy holds of the files with these endings, as they are now. */
    async function heldByCopy(...endings: readonly string[]): Promise<number | undefined> {
      const copy = join(folder, "copy.sqlite");
      for (const ending of endings) copyFileSync(path + ending, copy + ending);
      const other = new SqliteStore(copy);
      stores.push(other);
      return (await other.read(KEY))?.row.level;
    }

    it("is in the log when a write is answered: a copy of both files opens with all rows", async () => {
      const store = open();
      await store.establish("id-1");
      await store.insert(KEY, rowAt(100));
      expect(await heldByCopy("", "-wal")).to.equal(100);
    });

    it("is in the one file before a later request comes: a copy of it alone opens with all rows", async () => {
      const store = open();
      await store.establish("id-1");
      await store.insert(KEY, rowAt(100));
      await store.insert(BLOCK_KEY, rowAt(100));
      await nextTurn();
      expect(await heldByCopy("")).to.equal(100);
    });
  });

  it("says of a file that it may not write what is wrong", async () => {
    await made();
    chmodSync(path, 0o444);
    chmodSync(folder, 0o555);
    // Root may write everything, so this is somebody else.
    const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    expect(await identityElsewhere(nobody)).to.match(/^untrusted .*permission denied/);
  });
});
