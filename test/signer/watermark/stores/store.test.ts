import { expect } from "chai";
import { StoreError, type WatermarkStore } from "../../../../signer/watermark/stores/store.ts";
import { BLOCK_KEY, digestOf, KEY, NEVER, rowAt } from "../../../fixtures/watermark-rows.ts";
import { rejection } from "../../../harness/rejection.ts";
import { STORE_KINDS, type StorePlace } from "../../../harness/watermark-stores.ts";

async function faultOf(promise: Promise<unknown>): Promise<string> {
  return (await rejection(promise, StoreError)).fault;
}

for (const kind of STORE_KINDS) {
  describe(`watermark store ${kind.name}`, () => {
    let place: StorePlace;
    let store: WatermarkStore;
    beforeEach(async () => {
      place = await kind.place();
      store = await place.open();
    });
    afterEach(async () => {
      await store.close();
      await place[Symbol.asyncDispose]();
    });

    it("has no id before it is established, and the given one after", async () => {
      expect(await store.identity(NEVER)).to.equal(undefined);
      await store.establish("id-1", NEVER);
      expect(await store.identity(NEVER)).to.equal("id-1");
    });

    it("is never established over another", async () => {
      await store.establish("id-1", NEVER);
      expect(await faultOf(store.establish("id-2", NEVER))).to.equal("conflict");
      expect(await store.identity(NEVER)).to.equal("id-1");
    });

    it("tells the time within a minute of this computer's", async () => {
      await store.establish("id-1", NEVER);
      expect(await store.now(NEVER)).to.be.closeTo(Date.now(), 60_000);
    });

    it("tells the time before anything is stored, for the first run's window", async () => {
      expect(await store.now(NEVER)).to.be.closeTo(Date.now(), 60_000);
    });

    describe("established", () => {
      beforeEach(() => store.establish("id-1", NEVER));

      it("has no row that was not written", async () => {
        expect(await store.read(KEY, NEVER)).to.equal(undefined);
        expect(await store.list(NEVER)).to.deep.equal([]);
      });

      it("gives back a row as it was written, whole, also to a process started later", async () => {
        const full = rowAt(2 ** 31 - 1, { round: 2 ** 31 - 1, signature: digestOf("5f").repeat(2) });
        const { digest: _, ...floor } = rowAt(0);
        const version = await store.insert(BLOCK_KEY, full, NEVER);
        await store.insert(KEY, floor, NEVER);
        expect(await store.read(BLOCK_KEY, NEVER)).to.deep.equal({ row: full, version });
        await store.close();
        store = await place.open();
        expect(await store.read(BLOCK_KEY, NEVER)).to.deep.equal({ row: full, version });
        expect((await store.read(KEY, NEVER))?.row).to.deep.equal(floor);
      });

      it("refuses to insert over a row", async () => {
        await store.insert(KEY, rowAt(100), NEVER);
        expect(await faultOf(store.insert(KEY, rowAt(101), NEVER))).to.equal("conflict");
        expect((await store.read(KEY, NEVER))?.row.level).to.equal(100);
      });

      it("replaces the state that was read, and only that", async () => {
        const first = await store.insert(KEY, rowAt(100), NEVER);
        const second = await store.replace(KEY, rowAt(101), first, NEVER);
        expect(await faultOf(store.replace(KEY, rowAt(102), first, NEVER))).to.equal("conflict");
        expect(await store.read(KEY, NEVER)).to.deep.equal({ row: rowAt(101), version: second });
      });

      it("refuses to replace a row that is not there", async () => {
        const version = await store.insert(KEY, rowAt(100), NEVER);
        expect(await faultOf(store.replace(BLOCK_KEY, rowAt(100), version, NEVER))).to.equal("conflict");
        expect(await store.read(BLOCK_KEY, NEVER)).to.equal(undefined);
      });

      it("takes a digest and a signature away where a row without them is written", async () => {
        const version = await store.insert(BLOCK_KEY, rowAt(100, { signature: digestOf("5f") }), NEVER);
        const { digest: _, ...bare } = rowAt(101);
        await store.replace(BLOCK_KEY, bare, version, NEVER);
        expect((await store.read(BLOCK_KEY, NEVER))?.row).to.deep.equal(bare);
      });

      it("keeps rows of other chains, keys and kinds apart", async () => {
        const keys = [
          KEY,
          { ...KEY, kind: "block" as const },
          { ...KEY, kind: "preattestation" as const },
          { ...KEY, chainId: "NetXnHfVqm9iesp" },
          { ...KEY, address: "tz2QPsZoZse4eeahhg5DdfnBDB4VbU1PwgxN" },
        ];
        for (const [index, key] of keys.entries()) await store.insert(key, rowAt(index), NEVER);
        for (const [index, key] of keys.entries()) expect((await store.read(key, NEVER))?.row.level).to.equal(index);
        const listed = (await store.list(NEVER)).sort((a, b) => a.row.level - b.row.level);
        expect(listed.map(({ key }) => key)).to.deep.equal(keys);
      });

      it("lets one of twenty writers at once win", async () => {
        const version = await store.insert(KEY, rowAt(100), NEVER);
        const outcomes = await Promise.allSettled(
          Array.from({ length: 20 }, (_, index) => store.replace(KEY, rowAt(101 + index), version, NEVER)),
        );
        expect(outcomes.filter(({ status }) => status === "fulfilled")).to.have.length(1);
      });

      it("lets one of twenty inserts at once win", async () => {
        const outcomes = await Promise.allSettled(
          Array.from({ length: 20 }, (_, index) => store.insert(KEY, rowAt(101 + index), NEVER)),
        );
        expect(outcomes.filter(({ status }) => status === "fulfilled")).to.have.length(1);
      });
    });
  });
}
