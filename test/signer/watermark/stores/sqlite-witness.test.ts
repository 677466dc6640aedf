import {
  chownSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import { watermarksCommand } from "../../../../signer/cli/watermarks/index.ts";
import { encode } from "../../../../signer/tezos/crypto/base58.ts";
import { readInterchange } from "../../../../signer/watermark/interchange/format.ts";
import { mergeAll } from "../../../../signer/watermark/interchange/merge.ts";
import { SqliteStore } from "../../../../signer/watermark/stores/sqlite.ts";
import { BLOCK_KEY, digestOf, KEY, rowAt } from "../../../fixtures/watermark-rows.ts";
import { atTerminal } from "../../../harness/fake-terminal.ts";
import { requires } from "../../../harness/requires.ts";
import { hardStop, raise, SqlitePlace } from "../../../harness/sqlite-place.ts";

describe("sqlite store's witness", () => {
  let place: SqlitePlace;
  let folder: string;
  let path: string;
  let witness: string;
  let backup: string;
  beforeEach(() => {
    place = new SqlitePlace();
    ({ folder, path } = place);
    witness = `${path}.seen`;
    backup = join(folder, "backup");
  });
  afterEach(() => place[Symbol.asyncDispose]());

  /** A store at level 101, closed, and a copy of its file when it was at 100. */
  async function madeWithBackup(): Promise<void> {
    await place.made(100);
    copyFileSync(path, backup);
    const store = place.open();
    await raise(store, 101);
    await store.close();
  }

  it("stops an older file that was put back while no signer ran, and says which mark and what to do", async () => {
    await madeWithBackup();
    copyFileSync(backup, path);
    const message = await hardStop(place.open().identity());
    expect(message).to.match(/the attestation of tz\w+ on Net\w+ was at level 101 .* and is at level 100 /);
    expect(message).to.include("Put the newest file back").and.include("docs/recover.md").and.include(witness);
  });

  it("stops it also where the signer was killed, its log in place or not", async () => {
    await madeWithBackup();
    for (const files of [[""], ["", "-wal"]]) {
      const store = place.open();
      await raise(store, 102);
      await nextTurn();
      const killed = join(folder, `killed-${files.length}`);
      for (const ending of [...files, ".seen"]) copyFileSync(path + ending, killed + ending);
      await store.close();
      copyFileSync(backup, killed);
      await hardStop(place.open(killed).identity());
    }
  });

  it("stops a file without a mark that was there, and one of another store", async () => {
    await place.made();
    copyFileSync(path, backup);
    const store = place.open();
    await store.insert(BLOCK_KEY, rowAt(100));
    await store.close();
    copyFileSync(backup, path);
    expect(await hardStop(place.open().identity())).to.match(/the block of .* was at level 100 .* and is gone/);

    const other = new SqliteStore(join(folder, "other"));
    await other.establish("id-2");
    await other.close();
    renameSync(join(folder, "other"), path);
    expect(await hardStop(place.open().identity())).to.include("its id was id-1 and is id-2");
  });

  it("stops a mark of the same position that is less strict, or of other bytes", async () => {
    const signature = digestOf("5f").repeat(2);
    const { digest: _, ...unknown } = rowAt(100);
    const steps = [
      [rowAt(100), rowAt(100, { signature })],
      [rowAt(100), unknown],
      [rowAt(100), rowAt(100, { digest: digestOf("bb") })],
      [rowAt(100, { signature }), rowAt(100, { signature: digestOf("6f").repeat(2) })],
    ] as const;
    for (const [index, [before, after]] of steps.entries()) {
      const file = join(folder, String(index));
      const store = place.open(file);
      await store.establish("id-1");
      await store.insert(BLOCK_KEY, before);
      await nextTurn();
      copyFileSync(file, backup);
      // The copy read the file: the store is not asked any more in this process, where SQLite's lock is gone with it.
      await store.close();
      const next = place.open(file);
      await next.replace(BLOCK_KEY, after, "1");
      await next.close();
      copyFileSync(backup, file);
      expect(await hardStop(place.open(file).identity()), String(index)).to.include("was at level 100");
    }
  });

  it("lets a file that holds more than it has seen be, and follows it", async () => {
    await madeWithBackup();
    copyFileSync(witness, backup);
    const store = place.open();
    await raise(store, 102);
    await store.close();
    copyFileSync(backup, witness);
    const next = place.open();
    expect((await next.read(KEY))?.row.level).to.equal(102);
    expect(readFileSync(witness, "utf8")).to.include('"level":102');
  });

  it("follows a mark that is lowered on purpose", async () => {
    await madeWithBackup();
    const store = place.open();
    await raise(store, 1);
    await store.close();
    expect((await place.open().read(KEY))?.row.level).to.equal(1);
  });

  it("has the way on after a restore: moved away and imported, it raises the marks to what was seen", async () => {
    await madeWithBackup();
    copyFileSync(backup, path);
    const config = join(folder, "settings.yaml");
    const keys = { kind: "local", path: "keys" };
    writeFileSync(config, JSON.stringify({ keys, watermarks: { kind: "sqlite", path } }));
    const marks = join(folder, "marks.json");
    const bring = () => atTerminal(watermarksCommand, ["import", marks, "--config", config], null);
    copyFileSync(witness, marks);
    const { code, stderr } = await bring();
    expect(code).to.equal(4);
    expect(stderr.replace(/\s+/g, " ")).to.include("A backup was restored");
    rmSync(witness);
    expect((await bring()).code).to.equal(0);
    expect((await place.open().read(KEY))?.row.level).to.equal(101);
  });

  it("is made anew beside a file of before, or where it was moved away on purpose", async () => {
    await madeWithBackup();
    rmSync(witness);
    copyFileSync(backup, path);
    expect((await place.open().read(KEY))?.row.level).to.equal(100);
    expect(existsSync(witness)).to.equal(true);
    expect(place.warnings).to.deep.equal([]);
  });

  it("is written after the answer, before a later request, as a file that `watermarks import` reads", async () => {
    const store = await place.started();
    const signature = digestOf("5f").repeat(2);
    const { digest: _, ...floor } = rowAt(7);
    await store.insert(BLOCK_KEY, rowAt(90, { signature }));
    await store.insert({ ...KEY, kind: "preattestation" }, floor);
    expect(readFileSync(witness, "utf8")).not.to.include("block");
    await nextTurn();
    const text = readFileSync(witness, "utf8");
    expect(mergeAll(readInterchange(text).marks).map(({ mark }) => mark)).to.deep.equal([
      { level: 100, round: 0, digest: digestOf("aa") },
      { level: 90, round: 0, digest: digestOf("aa"), signature },
      { level: 7, round: 0 },
    ]);
  });

  it("gets what has changed and no more, however many marks it has: each in its place, the rest as it was", async () => {
    const store = await place.started();
    const chains = [...Array(400)].map((_, index) => encode("Net", Uint8Array.of(1, 2, index >> 8, index & 0xff)));
    for (const chainId of chains) await store.insert({ ...KEY, chainId }, rowAt(50));
    await nextTurn();
    const { ino, size } = statSync(witness);
    const before = readFileSync(witness, "utf8").split("\n");
    for (const level of [101, 102]) {
      await raise(store, level);
      await nextTurn();
      const after = readFileSync(witness, "utf8").split("\n");
      const changed = after.flatMap((line, index) => (line === before[index] ? [] : [index]));
      expect(changed).to.deep.equal([0, 1]);
      expect(statSync(witness)).to.include({ ino, size });
    }
    await store.close();
    expect(readInterchange(readFileSync(witness, "utf8")).marks).to.have.length(401);
    // A start goes on with the file, and so does the mark of a chain that is new.
    const next = place.open();
    await next.insert(BLOCK_KEY, rowAt(7));
    await next.close();
    expect(statSync(witness)).to.include({ ino, size });
    expect(readInterchange(readFileSync(witness, "utf8")).marks.at(-1)).to.deep.include({ key: BLOCK_KEY });
  });

  it("is whole JSON, and no part of it lies across two pages of memory, whatever the store's id is", async () => {
    for (const id of ["id-1", "i".repeat(600), 'ï"\u2028']) {
      const file = join(folder, String(id.length));
      const store = place.open(file);
      await store.establish(id);
      for (let level = 100; level < 120; level++) {
        const key = { ...KEY, chainId: encode("Net", Uint8Array.of(0, 0, 0, level)) };
        await store.insert(key, rowAt(level));
        await nextTurn();
        await store.replace(key, rowAt(level + 1), "1");
        await nextTurn();
      }
      await store.close();
      const text = readFileSync(`${file}.seen`, "utf8");
      expect(JSON.parse(text)).to.have.property("storeId", id);
      expect(Buffer.byteLength(text)).to.equal(text.length);
      const begins = [...text.matchAll(/^[ ,]\{/gm)].map(({ index }) => index % 512);
      expect(begins).to.deep.equal(Array(20).fill(0));
    }
  });

  it("that somebody writes, replaces or gives a second name while the signer runs is not written into", async () => {
    const store = await place.started();
    await nextTurn();
    const changes = [
      () => writeFileSync(witness, "{}"),
      () => rmSync(witness),
      () => {
        renameSync(witness, `${witness}.moved`);
        symlinkSync(`${witness}.moved`, witness);
      },
      () => linkSync(witness, `${witness}.linked`),
    ];
    for (const [index, change] of changes.entries()) {
      change();
      await raise(store, 101 + index);
      await nextTurn();
      const { marks } = readInterchange(readFileSync(witness, "utf8"));
      expect(marks.map(({ mark }) => mark.level)).to.deep.equal([101 + index]);
    }
    expect(readFileSync(`${witness}.moved`, "utf8")).to.include('"level":102');
    expect(readFileSync(`${witness}.linked`, "utf8")).to.include('"level":103');
    expect(lstatSync(witness).isFile()).to.equal(true);
    expect(place.warnings).to.deep.equal([]);
  });

  it("that cannot be written is no reason to refuse, and is told once until it can be again", async () => {
    const store = await place.started();
    await nextTurn();
    // What is put in its place is not written into, so it is written anew, and cannot be.
    rmSync(witness);
    mkdirSync(`${witness}.new`);
    for (const level of [101, 102]) {
      await raise(store, level);
      await nextTurn();
    }
    expect(place.warnings).to.have.length(1);
    expect(place.warnings[0]).to.match(
      /\.seen cannot be written \(.*\): an older file in the store's place would not be/,
    );
    rmSync(`${witness}.new`, { recursive: true });
    await raise(store, 103);
    await nextTurn();
    rmSync(witness);
    mkdirSync(`${witness}.new`);
    await raise(store, 104);
    await nextTurn();
    expect(place.warnings).to.have.length(2);
  });

  it("that could not be written gets later also what it missed, where the very file is back in its place", async () => {
    const store = await place.started(100);
    await store.insert(BLOCK_KEY, rowAt(100));
    await nextTurn();
    const aside = join(folder, "aside");
    renameSync(witness, aside);
    mkdirSync(witness);
    await raise(store, 101);
    await nextTurn();
    expect(place.warnings).to.have.length(1);
    rmSync(witness, { recursive: true });
    renameSync(aside, witness);
    const block = await store.read(BLOCK_KEY);
    await store.replace(BLOCK_KEY, rowAt(102), block?.version ?? "");
    await nextTurn();
    const { marks } = readInterchange(readFileSync(witness, "utf8"));
    expect(marks.map(({ mark }) => mark.level)).to.have.members([101, 102]);
  });

  for (const [what, text] of Object.entries({
    "is empty, as after a power cut": "",
    "is no JSON": '{"storeId":"id-1","watermarks":[{"chainId"',
    "is another JSON": '["storeId"]',
    "has a mark without a level": '{"storeId":"id-1","exportedAt":"2026-11-20T16:00:00.000Z","watermarks":[{}]}',
    "has no time": '{"storeId":"id-1","exportedAt":"once","watermarks":[]}',
  })) {
    it(`that ${what} is told, and written anew`, async () => {
      await place.made();
      writeFileSync(witness, text);
      expect(await place.open().identity()).to.equal("id-1");
      expect(place.warnings).to.have.length(1);
      expect(place.warnings[0]).to.include("is damaged, and is written anew");
      expect(readFileSync(witness, "utf8")).to.include('"level":100');
    });
  }

  it("that cannot be read stops hard: it may say what nobody else knows", async () => {
    await place.made();
    rmSync(witness);
    mkdirSync(witness);
    expect(await hardStop(place.open().identity())).to.include("has a witness that cannot be read (it is a directory)");
  });

  it("belongs to the owner of the store, also where root has written it", async function () {
    requires(this, process.getuid?.() === 0, "only root can give a file to another user");
    await place.made();
    chownSync(path, 65_534, 65_534);
    const store = place.open();
    await raise(store, 101);
    await store.close();
    const { uid, gid } = statSync(witness);
    expect([uid, gid]).to.deep.equal([65_534, 65_534]);
  });
});
