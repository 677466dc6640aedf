import { rmSync, writeFileSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import { SignerError } from "../../../signer/errors.ts";
import type { Head } from "../../../signer/policy/head.ts";
import { type RowKey, rowName, StoreError } from "../../../signer/watermark/stores/store.ts";
import { UnwrittenStore } from "../../../signer/watermark/stores/unwritten.ts";
import { OTHER } from "../../fixtures/payloads.ts";
import { BLOCK_KEY, KEY, rowAt } from "../../fixtures/watermark-rows.ts";
import { FaultyStore } from "../../harness/faulty-store.ts";
import { MemoryStore } from "../../harness/memory-store.ts";
import { reportOver, SETTINGS } from "../../harness/report-over.ts";
import { SqlitePlace } from "../../harness/sqlite-place.ts";

const AT = Date.parse("2026-11-20T16:00:00Z");

function storeWith(...rows: readonly [RowKey, number][]): MemoryStore {
  const store = new MemoryStore("store-1");
  for (const [key, level] of rows) store.put(key, rowAt(level, { anchor: { level, at: AT } }));
  return store;
}

describe("the status report's marks", () => {
  it("are those of the store from the start, with the time since when they are believed", async () => {
    const { preparation, marks } = reportOver(storeWith([KEY, 100], [BLOCK_KEY, 90]));
    await preparation.check();
    await marks(); // reads the store, for the next one who asks
    await nextTurn();
    await nextTurn();
    const since = "2026-11-20T16:00:00.000Z";
    expect(await marks()).to.deep.equal([
      { row: rowName(KEY), level: 100, round: 0, since, signedAt: null },
      { row: rowName(BLOCK_KEY), level: 90, round: 0, since, signedAt: null },
    ]);
  });

  it("are of the keys that are served, on every chain", async () => {
    const chain = { ...KEY, chainId: "NetXnHfVqm9iesp" };
    const { preparation, marks } = reportOver(storeWith([KEY, 1], [chain, 2], [{ ...KEY, address: OTHER }, 3]));
    await preparation.check();
    expect((await marks()).map(({ level }) => level)).to.deep.equal([1, 2]);
  });

  it("are what this process signed, where what was read of the store is older", async () => {
    const { signer, activity, marks } = reportOver(storeWith([KEY, 100]));
    await signer.ask({ level: 101 });
    activity.signed(rowName(KEY));
    expect((await marks())[0]).to.include({ level: 101 });
    await signer.ask({ level: 102 });
    const [mark] = await marks();
    expect(mark).to.include({ level: 102 });
    expect(mark?.since).to.be.a("string").and.to.equal(mark?.signedAt);
  });

  it("are what is remembered, and /status says so at once, where the store does not answer", async () => {
    const store = new FaultyStore(storeWith([KEY, 100]));
    const { report, signer, preparation } = reportOver(store);
    await preparation.check();
    await signer.ask({ level: 101 });
    store.always = (call) => (call === "list" ? "silence" : undefined);
    const { watermarks, store: shown } = await report.status();
    expect(watermarks.map(({ row, level }) => ({ row, level }))).to.deep.equal([{ row: rowName(KEY), level: 101 }]);
    expect(shown).to.include({ readAt: null }).and.to.have.property("problem").that.includes("has not been read yet");
  });

  it("cost no call before the store is known to be the one that it should be", async () => {
    const store = new FaultyStore(storeWith([KEY, 100]));
    const { marks } = reportOver(store);
    expect(await marks()).to.deep.equal([]);
    expect(store.calls).to.deep.equal([]);
  });

  it("are there in a trial too, which makes no store where there is none", async () => {
    const trial = reportOver(new UnwrittenStore(storeWith([KEY, 100])));
    await trial.preparation.check();
    expect(await trial.marks()).to.have.length(1);
    const inner = new FaultyStore(new MemoryStore());
    const first = reportOver(new UnwrittenStore(inner));
    await first.preparation.check();
    expect(await first.marks()).to.deep.equal([]);
    expect(inner.calls).not.to.include("list");
  });

  it("show an operation that was signed, which has none", async () => {
    const { activity, marks, preparation } = reportOver(storeWith());
    await preparation.check();
    activity.signed(`operation of ${KEY.address}`);
    expect((await marks())[0]).to.include({ level: null, round: null, row: `operation of ${KEY.address}` });
  });
});

describe("the status report's readiness", () => {
  it("sees without a request that the SQLite file was removed or written over", async () => {
    for (const touch of [(path: string) => rmSync(path), (path: string) => writeFileSync(path, "x")]) {
      await using place = new SqlitePlace();
      const { report, preparation } = reportOver(await place.started());
      await preparation.check();
      await nextTurn();
      expect(report.ready().reasons).to.deep.equal([]);
      touch(place.path);
      const { ready, reasons } = report.ready();
      expect(ready).to.equal(false);
      expect(reasons.join()).to.match(/was (removed or replaced|changed by another program) while it was in use/);
      await preparation.check();
      expect(preparation.reason, "for the log").to.include("while it was in use");
    }
  });

  it("names a key with marks on so many chains that it gets no others, and stays as it is", async () => {
    const store = storeWith();
    for (let chain = 0; chain < 1_024; chain++) store.put({ ...KEY, chainId: `Net${chain}` }, rowAt(1));
    const { report, preparation } = reportOver(store);
    await preparation.check();
    const { ready, reasons } = report.ready();
    expect(ready).to.equal(true);
    expect(reasons).to.have.length(1);
    expect(reasons[0]).to.include("has marks on so many chains").and.include("`chains`");
    expect((await report.status()).keys.map(({ problem }) => problem)).to.include(reasons[0]);
    expect(await report.metrics()).to.match(/^tezos_signer_keys_full 1$/m);
  });

  const NODE = "http://127.0.0.1:8732";
  const FOLLOWED = SETTINGS.replace(/ }$/, `, head: { node: "${NODE}" } }`);
  const headAt = (level: number): Head => ({
    chainId: KEY.chainId,
    level,
    timestamp: Date.now(),
    seenAt: Date.now(),
  });

  it("tells of a mark above what the followed head explains, below which the chain will ask", async () => {
    const notServed = { ...KEY, address: OTHER };
    const pushed = reportOver(storeWith([KEY, 9_100_000], [BLOCK_KEY, 9_000_001], [notServed, 9_100_000]), {
      settings: FOLLOWED,
      head: headAt(9_000_000),
    });
    await pushed.preparation.check();
    const { ready, reasons } = pushed.report.ready();
    expect(ready).to.equal(false);
    expect(reasons).to.have.length(1);
    expect(reasons[0])
      .to.include(`The ${rowName(KEY)} is at level 9100000`)
      .and.to.include("A wrong push");
  });

  it("tells of a store that cannot be trusted once, however often that was noticed", async () => {
    const store = storeWith([KEY, 100]);
    store.identity = () => Promise.reject(new StoreError("untrusted", "The file is not what it was."));
    const { report, preparation, signer } = reportOver(store);
    await preparation.check();
    await signer.outcome({ level: 101 });
    expect(report.ready().reasons).to.deep.equal([
      "The record of what was signed cannot be trusted, so nothing is signed: The file is not what it was.",
    ]);
  });

  it("says nothing of marks where no head is known, or of another chain", async () => {
    for (const head of [undefined, { ...headAt(5), chainId: "NetXnHfVqm9iesp" }]) {
      const { report, preparation } = reportOver(storeWith([KEY, 9_100_000]), {
        settings: FOLLOWED,
        ...(head && { head }),
      });
      await preparation.check();
      expect(report.ready().reasons).to.deep.equal([]);
    }
  });

  it("has the time since when it is what it is", async () => {
    const { report, preparation, activity } = reportOver(storeWith([KEY, 100]));
    const before = Date.now();
    const [since, again] = [await report.status(), await report.status()].map(({ readySince }) => readySince);
    expect(Date.parse(since ?? "")).to.be.within(before, Date.now());
    expect(again).to.equal(since);
    while (Date.now() <= Date.parse(since ?? "")) await nextTurn();
    await preparation.check();
    const ready = (await report.status()).readySince;
    expect(Date.parse(ready)).to.be.greaterThan(Date.parse(since ?? ""));
    activity.implausible(rowName(BLOCK_KEY), "Level 9028801 is more than 100 above what time explains.");
    while (Date.now() <= Date.parse(ready)) await nextTurn();
    report.ready(); // as the pulse does
    activity.signed(rowName(BLOCK_KEY));
    while (Date.now() <= Date.parse(ready) + 1) await nextTurn();
    expect((await report.status()).readySince, "a break in between counts").not.to.equal(ready);
  });

  it("tells of a level that was refused as implausible, until that row signs", async () => {
    const { report, preparation, activity } = reportOver(storeWith([KEY, 100]));
    await preparation.check();
    activity.implausible(rowName(BLOCK_KEY), "Level 9028801 is more than 100 above what time explains.");
    activity.signed(rowName(KEY));
    expect(report.ready().reasons.join()).to.include("Level 9028801");
    activity.signed(rowName(BLOCK_KEY));
    expect(report.ready()).to.deep.equal({ ready: true, reasons: [] });
  });
});

describe("the report's readiness", () => {
  it("ends with a hard stop that nothing else tells of: a row that went back", async () => {
    const store = storeWith([KEY, 100]);
    const { report, signer, preparation } = reportOver(store);
    await preparation.check();
    await signer.ask({ level: 101 });
    expect(report.ready()).to.deep.equal({ ready: true, reasons: [] });
    store.put(KEY, rowAt(90));
    await signer.trusted.current(KEY, AbortSignal.timeout(1_000), "anew").catch(() => undefined);
    const { ready, reasons } = report.ready();
    expect({ ready, count: reasons.length, problem: preparation.reason }).to.deep.equal({
      ready: false,
      count: 1,
      problem: undefined,
    });
    expect(reasons[0]).to.equal(
      new SignerError("watermark-untrusted", [...signer.trusted.stops.values()][0] ?? "no stop").message,
    );
  });
});
