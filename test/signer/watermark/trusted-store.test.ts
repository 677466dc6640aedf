import { expect } from "chai";
import { SignerError } from "../../../signer/errors.ts";
import type { Initialise } from "../../../signer/watermark/initialise.ts";
import { TrustedStore, type TrustedStoreOptions } from "../../../signer/watermark/trusted-store.ts";
import { BLOCK_KEY, digestOf, KEY, NEVER, rowAt } from "../../fixtures/watermark-rows.ts";
import { FaultyStore } from "../../harness/faulty-store.ts";
import { MemoryStore } from "../../harness/memory-store.ts";
import { rejection } from "../../harness/rejection.ts";

const NOW = Date.parse("2026-11-20T12:00:00Z");
const OPEN: Initialise = { level: 1_000, until: NOW + 3_600_000 };

function trusted(inner: MemoryStore, options: Partial<TrustedStoreOptions> = {}) {
  inner.clock = () => NOW;
  const faulty = new FaultyStore(inner);
  return { faulty, store: new TrustedStore({ store: faulty, clock: () => NOW, ...options }) };
}

const soon = () => AbortSignal.timeout(120);

describe("trusted store", () => {
  describe("missing state", () => {
    it("is not made without `initialise`: neither the store nor a row", async () => {
      const nothing = new MemoryStore();
      const error = await rejection(trusted(nothing).store.current(KEY, NEVER), SignerError);
      expect(error.code).to.equal("watermark-missing");
      expect(error.message).to.include("bring its record back");
      expect(nothing.id).to.equal(undefined);
      const empty = new MemoryStore("id");
      expect((await rejection(trusted(empty).store.current(KEY, NEVER), SignerError)).code).to.equal(
        "watermark-missing",
      );
      expect(empty.rows.size).to.equal(0);
    });

    it("is made within the window, store and rows, with the settings' id", async () => {
      const inner = new MemoryStore();
      const { store } = trusted(inner, { initialise: OPEN, storeId: "ours" });
      await store.prepare([KEY, BLOCK_KEY], NEVER);
      expect(inner.id).to.equal("ours");
      expect((await inner.list()).map(({ row }) => row.level)).to.deep.equal([999, 999]);
    });

    it("is not made on one computer's own store with the settings' id, which another computer's may have too", async () => {
      const inner = Object.assign(new MemoryStore(), { isShared: false });
      const { store } = trusted(inner, { initialise: OPEN, storeId: "ours" });
      const error = await rejection(store.prepare([KEY], NEVER), SignerError);
      expect(error.code).to.equal("watermark-untrusted");
      expect(error.message).to.include("there is none here").and.to.include("keys bind");
      expect(inner.id).to.equal(undefined);
      const { store: unnamed } = trusted(inner, { initialise: OPEN });
      await unnamed.prepare([KEY], NEVER);
      expect(inner.id).to.match(/^[0-9a-f-]{36}$/);
    });

    it("is made above the window's level, and what is there is left as it is, also below it", async () => {
      const inner = new MemoryStore("id");
      inner.put(KEY, rowAt(100));
      const { store, faulty } = trusted(inner, { initialise: OPEN });
      await store.prepare([KEY, BLOCK_KEY], NEVER);
      expect((await store.current(KEY, NEVER))?.row).to.deep.equal(rowAt(100));
      expect((await store.current(BLOCK_KEY, NEVER))?.row.level).to.equal(999);
      expect(faulty.calls.filter((call) => call === "replace" || call === "insert")).to.deep.equal(["insert"]);
    });

    it("keeps the id that it has, on either", async () => {
      for (const isShared of [true, false]) {
        const inner = Object.assign(new MemoryStore("ours"), { isShared });
        const { store } = trusted(inner, { initialise: OPEN, storeId: "ours" });
        await store.prepare([KEY], NEVER);
        expect(store.id).to.equal("ours");
      }
    });

    it("is judged by the store's clock, not by this computer's", async () => {
      const inner = new MemoryStore("id");
      const { store } = trusted(inner, { initialise: OPEN });
      inner.clock = () => NOW + 3_600_001;
      const error = await rejection(store.current(KEY, NEVER), SignerError);
      expect(error.code).to.equal("watermark-missing");
      expect(error.message).to.include("has passed");
    });

    it("is found again where another signer made it at the same moment", async () => {
      const inner = new MemoryStore();
      const one = trusted(inner, { initialise: OPEN });
      const two = trusted(inner, { initialise: OPEN });
      const [a, b] = await Promise.all([one.store.current(KEY, NEVER), two.store.current(KEY, NEVER)]);
      expect(a).to.deep.equal(b);
      expect(inner.rows.size).to.equal(1);
    });

    it("is made once, though the answer to the making was lost", async () => {
      const inner = new MemoryStore();
      const { store, faulty } = trusted(inner, { initialise: OPEN });
      faulty.next("establish", "applied-unavailable").next("insert", "applied-unavailable");
      expect((await store.current(KEY, NEVER))?.row.level).to.equal(999);
    });

    it("is nothing to wait for once the operator has mended it: no stop is left behind", async () => {
      const inner = new MemoryStore("id");
      const { store } = trusted(inner);
      await rejection(store.current(KEY, NEVER), SignerError);
      inner.put(KEY, rowAt(100));
      expect((await store.current(KEY, NEVER))?.row.level).to.equal(100);
      expect(store.stops.size).to.equal(0);
    });

    it("is signed over without a floor where `initialise` is `always`", async () => {
      const { store } = trusted(new MemoryStore(), { initialise: "always" });
      expect(await store.current(KEY, NEVER)).to.equal(undefined);
    });
  });

  describe("rows of chains that nothing names", () => {
    const onChain = (index: number) => ({ ...KEY, chainId: `Net${index}` });

    it("are seen with the preparation, so that a store which goes back afterwards is noticed at their first request", async () => {
      const inner = new MemoryStore("id");
      inner.put(onChain(1), rowAt(100));
      const { store, faulty } = trusted(inner, { initialise: "always" });
      await store.prepare([KEY], NEVER);
      await store.prepare([KEY], NEVER);
      expect(faulty.calls.filter((call) => call === "list")).to.have.length(1);
      inner.put(onChain(1), rowAt(99));
      const error = await rejection(store.current(onChain(1), NEVER), SignerError);
      expect(error.code).to.equal("watermark-untrusted");
      expect(error.message).to.include("was at level 100 round 0 and is now at level 99");
    });

    it("are looked for again where the store did not list them", async () => {
      const { store, faulty } = trusted(new MemoryStore("id"), { initialise: "always" });
      faulty.next("list", "unavailable");
      expect((await rejection(store.prepare([KEY], NEVER), SignerError)).code).to.equal("watermark-unavailable");
      await store.prepare([KEY], NEVER);
      expect(faulty.answered).to.include("list");
    });

    it("are made for 1,024 chains of a key and no more, also after a restart; those that are there go on", async () => {
      const inner = new MemoryStore("id");
      let { store } = trusted(inner, { initialise: "always" });
      await store.prepare([], NEVER);
      for (let index = 0; index < 1_024; index += 1) {
        expect(store.isFull(KEY.address)).to.equal(false);
        await store.write(onChain(index), rowAt(1), undefined, NEVER);
        await store.write({ ...BLOCK_KEY, chainId: `Net${index}` }, rowAt(1), undefined, NEVER);
      }
      for (let start = 0; start < 2; start += 1) {
        const error = await rejection(store.write(onChain(1_024), rowAt(1), undefined, NEVER), SignerError);
        expect(error.code).to.equal("watermark-missing");
        expect(error.message).to.include("marks on 1024 chains already").and.to.include("`chains`");
        expect(inner.rows.size).to.equal(2_048);
        expect(store.isFull(KEY.address)).to.equal(true);
        ({ store } = trusted(inner, { initialise: "always" }));
        await store.prepare([], NEVER);
      }
      const written = await store.write(onChain(3), rowAt(2), await store.current(onChain(3), NEVER), NEVER);
      expect(written).to.have.property("version");
      await store.write({ ...onChain(1_024), address: "tz2another" }, rowAt(1), undefined, NEVER);
    });

    it("are made for no more chains where many are asked for at once", async () => {
      const inner = new MemoryStore("id");
      const { store } = trusted(inner, { initialise: "always" });
      const asked = Array.from({ length: 1_100 }, async (_, index) => {
        // At each moment of the others' work, also between the store's answer and what is made of it.
        for (let turn = index % 20; turn > 0; turn -= 1) await undefined;
        return store.write(onChain(index), rowAt(1), undefined, NEVER);
      });
      const answers = await Promise.allSettled(asked);
      expect(answers.filter(({ status }) => status === "rejected")).to.have.length(76);
      expect(inner.rows.size).to.equal(1_024);
    });

    it("are made for no more chains within an open window either, also where many are asked for at once; a later chain that is named gets its row", async () => {
      const inner = new MemoryStore("id");
      const { store } = trusted(inner, { initialise: OPEN });
      const asked = Array.from({ length: 1_100 }, async (_, index) => {
        for (let turn = index % 20; turn > 0; turn -= 1) await undefined;
        return store.current(onChain(index), NEVER);
      });
      const answers = await Promise.allSettled(asked);
      expect(answers.filter(({ status }) => status === "rejected")).to.have.length(76);
      expect(new Set((await inner.list()).map(({ row }) => row.level))).to.deep.equal(new Set([999]));
      expect(inner.rows.size).to.equal(1_024);
      const error = await rejection(store.current(onChain(2_000), NEVER), SignerError);
      expect(error.code).to.equal("watermark-missing");
      expect(error.message).to.include("marks on 1024 chains already").and.to.include("`chains`");
      await store.prepare([onChain(2_000)], NEVER);
      expect(inner.rows.size).to.equal(1_025);
    });

    it("do not keep a key from the chain that its policy names, now or after a change", async () => {
      const inner = new MemoryStore("id");
      for (let index = 0; index < 1_024; index += 1) inner.put(onChain(index), rowAt(1));
      const { store } = trusted(inner, { initialise: "always" });
      await store.prepare([], NEVER);
      await rejection(store.write(KEY, rowAt(1), undefined, NEVER), SignerError);
      await store.prepare([KEY], NEVER);
      expect(await store.write(KEY, rowAt(1), undefined, NEVER)).to.have.property("version");
      await rejection(store.write(onChain(1_024), rowAt(1), undefined, NEVER), SignerError);
    });
  });

  describe("a hard stop", () => {
    it("meets a store with another id than the settings name, before any row is read", async () => {
      const inner = new MemoryStore("theirs");
      inner.put(KEY, rowAt(100));
      const { store, faulty } = trusted(inner, { storeId: "ours" });
      const error = await rejection(store.current(KEY, NEVER), SignerError);
      expect(error.code).to.equal("watermark-untrusted");
      expect(error.message).to.include("theirs").and.include("ours");
      expect(faulty.calls).to.deep.equal(["identity"]);
    });

    it("stays while the process lives, though the store is mended under it", async () => {
      const inner = new MemoryStore("id");
      inner.put(KEY, rowAt(100));
      const { store } = trusted(inner);
      const first = await store.current(KEY, NEVER);
      inner.put(KEY, rowAt(99));
      expect(await store.write(KEY, rowAt(101), first, NEVER)).to.equal("conflict");
      expect((await rejection(store.current(KEY, NEVER), SignerError)).code).to.equal("watermark-untrusted");
      inner.put(KEY, rowAt(105));
      expect((await rejection(store.current(KEY, NEVER), SignerError)).code).to.equal("watermark-untrusted");
      expect([...store.stops.keys()]).to.have.length(1);
    });

    it("ends a request that was waiting for the store when another found the stop", async () => {
      const inner = new MemoryStore("id");
      inner.put(KEY, rowAt(100));
      const { store, faulty } = trusted(inner);
      await store.prepare([], NEVER);
      faulty.next("read", "unavailable", "untrusted");
      const waiting = store.current(KEY, NEVER);
      await rejection(store.current(KEY, NEVER), SignerError);
      expect((await rejection(waiting, SignerError)).code).to.equal("watermark-untrusted");
    });

    it("holds for every row, whichever it was noticed in", async () => {
      const inner = new MemoryStore("id");
      inner.put(KEY, rowAt(100));
      inner.put(BLOCK_KEY, rowAt(100));
      const { store, faulty } = trusted(inner);
      faulty.next("read", "untrusted");
      await rejection(store.current(KEY, NEVER), SignerError);
      expect((await rejection(store.current(BLOCK_KEY, NEVER), SignerError)).code).to.equal("watermark-untrusted");
    });

    it("holds for every row after a write that was lost", async () => {
      const inner = new MemoryStore("id");
      inner.put(KEY, rowAt(100));
      inner.put(BLOCK_KEY, rowAt(100));
      const { store, faulty } = trusted(inner);
      const state = await store.current(KEY, NEVER);
      faulty.next("replace", "untrusted");
      await rejection(store.write(KEY, rowAt(101), state, NEVER), SignerError);
      expect((await rejection(store.current(BLOCK_KEY, NEVER), SignerError)).code).to.equal("watermark-untrusted");
    });
  });

  describe("an outage", () => {
    it("is waited for until the deadline, and is no stop", async () => {
      const inner = new MemoryStore("id");
      inner.put(KEY, rowAt(100));
      const { store, faulty } = trusted(inner);
      faulty.always = () => "unavailable";
      const error = await rejection(store.current(KEY, soon()), SignerError);
      expect(error.code).to.equal("watermark-unavailable");
      expect(error.message).to.include("No answer (by script)");
      faulty.always = () => undefined;
      expect((await store.current(KEY, NEVER))?.row.level).to.equal(100);
    });

    it("ends with the deadline where the store never answers", async () => {
      const { store, faulty } = trusted(new MemoryStore("id"));
      faulty.always = () => "silence";
      expect((await rejection(store.current(KEY, soon()), SignerError)).code).to.equal("watermark-unavailable");
    });

    it("during a write leaves the state unsure: the next request reads", async () => {
      const inner = new MemoryStore("id");
      inner.put(KEY, rowAt(100));
      const { store, faulty } = trusted(inner);
      const state = await store.current(KEY, NEVER);
      faulty.next("replace", "applied-unavailable");
      const row = rowAt(101, { digest: digestOf("bb") });
      expect(await store.write(KEY, row, state, NEVER)).to.equal("unanswered");
      expect((await store.current(KEY, NEVER))?.row).to.deep.equal(row);
    });

    it("during the preparation is told with its reason", async () => {
      const { store, faulty } = trusted(new MemoryStore("id"));
      faulty.next("identity", "unavailable");
      const error = await rejection(store.prepare([KEY], NEVER), SignerError);
      expect(error.code).to.equal("watermark-unavailable");
      expect(error.message).to.include("No answer (by script)");
    });
  });
});
