import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { SqliteStore } from "../../../../signer/watermark/stores/sqlite.ts";
import { SqliteSnapshot } from "../../../../signer/watermark/stores/sqlite-snapshot.ts";
import { StoreError } from "../../../../signer/watermark/stores/store.ts";
import { BLOCK_KEY, KEY, rowAt } from "../../../fixtures/watermark-rows.ts";
import { rejection } from "../../../harness/rejection.ts";

const MODULE = join(import.meta.dirname, "../../../../signer/watermark/stores/sqlite-snapshot.ts");

describe("a sqlite store as a trial beside its signer sees it", () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "sqlite-snapshot-"));
    path = join(folder, "watermarks.sqlite");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("has id and rows of the file that another process has locked, and takes nothing of its lock", async () => {
    const store = new SqliteStore(path);
    await store.establish("an-id");
    const version = await store.insert(KEY, rowAt(100));
    await new Promise(setImmediate);
    // A process of its own: one that closes a file loses its own locks on it.
    const script = `
      import { SqliteSnapshot } from ${JSON.stringify(MODULE)};
      const snapshot = new SqliteSnapshot(${JSON.stringify(path)});
      const key = ${JSON.stringify(KEY)};
      console.log(JSON.stringify([await snapshot.identity(), (await snapshot.read(key)).row.level, (await snapshot.list()).length]));`;
    const printed = execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
    expect(JSON.parse(printed)).to.deep.equal(["an-id", 100, 1]);
    await store.replace(KEY, rowAt(101), version);
    await store.close();
    expect(await new SqliteSnapshot(path).read(BLOCK_KEY)).to.equal(undefined);
  });

  it("has no id where there is no file, and makes none", async () => {
    const snapshot = new SqliteSnapshot(path);
    expect(await snapshot.identity()).to.equal(undefined);
    expect(await snapshot.now()).to.be.closeTo(Date.now(), 60_000);
  });

  it("is not to be had now where the file cannot be read as a database", async () => {
    writeFileSync(path, "SQLite format 3\0 and nothing else");
    expect((await rejection(new SqliteSnapshot(path).list(), StoreError)).fault).to.equal("unavailable");
  });
});
