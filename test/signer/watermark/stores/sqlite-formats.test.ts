import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import { BLOCK_KEY, digestOf, KEY, rowAt } from "../../../fixtures/watermark-rows.ts";
import { raise, SqlitePlace } from "../../../harness/sqlite-place.ts";

/** What version 0.2.0 left when it was killed: a block at 90 with its signature, an attestation at 101 in the log alone. */
const BEFORE = join(import.meta.dirname, "../../../fixtures/sqlite-0.2.0/watermarks.sqlite");

describe("sqlite store's format", () => {
  let place: SqlitePlace;
  beforeEach(() => {
    place = new SqlitePlace();
  });
  afterEach(() => place[Symbol.asyncDispose]());

  /** As version 0.2.0 opens a file, and what it read there. */
  function readAsBefore(path: string): { id: unknown; rows: unknown[] } {
    const database = new DatabaseSync(path);
    const pragma = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    expect(pragma("application_id")).to.equal(0x747a776d);
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
    database.exec("BEGIN EXCLUSIVE; COMMIT;");
    expect(pragma("user_version")).to.equal(1);
    expect(pragma("quick_check")).to.equal("ok");
    const id = database.prepare("SELECT id FROM store").get()?.id;
    const rows = database.prepare("SELECT kind, level, version FROM watermarks ORDER BY level").all();
    database.close();
    return { id, rows: rows.map((row) => ({ ...row })) };
  }

  it("is that of version 0.2.0: its file is opened with its log, and signed on", async () => {
    for (const ending of ["", "-wal"]) copyFileSync(BEFORE + ending, place.path + ending);
    const store = place.open();
    expect(await store.identity()).to.equal("5f0c2a9e17d34b68");
    expect(await store.read(KEY)).to.deep.equal({ row: rowAt(101, { round: 2 }), version: "2" });
    const signature = digestOf("5f").repeat(2);
    expect((await store.read(BLOCK_KEY))?.row).to.deep.equal(rowAt(90, { signature }));
    await raise(store, 102);
    expect(place.warnings).to.deep.equal([]);
  });

  for (const [when, wait] of [
    ["before", undefined],
    ["after", nextTurn],
  ] as const) {
    it(`is read by version 0.2.0 with all marks, when the signer was killed ${when} it made the file whole`, async () => {
      const store = await place.started();
      await store.insert(BLOCK_KEY, rowAt(90));
      await raise(store, 101);
      await wait?.();
      const killed = join(place.folder, "killed");
      for (const ending of ["", "-wal"]) copyFileSync(place.path + ending, killed + ending);
      expect(readAsBefore(killed)).to.deep.equal({
        id: "id-1",
        rows: [
          { kind: "block", level: 90, version: 1 },
          { kind: "attestation", level: 101, version: 2 },
        ],
      });
    });
  }

  it("is taken back from version 0.2.0, which does not know the witness", async () => {
    await place.made();
    const database = new DatabaseSync(place.path);
    database.exec("PRAGMA journal_mode = WAL; UPDATE watermarks SET level = 200, version = version + 1");
    database.close();
    expect((await place.open().read(KEY))?.row.level).to.equal(200);
  });
});
