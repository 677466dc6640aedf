import { expect } from "chai";
import { RowMemory } from "../../../signer/watermark/row-memory.ts";
import { type Row, StoreError } from "../../../signer/watermark/stores/store.ts";
import { BLOCK_KEY, digestOf, KEY, NEVER, rowAt } from "../../fixtures/watermark-rows.ts";
import { FaultyStore } from "../../harness/faulty-store.ts";
import { MemoryStore } from "../../harness/memory-store.ts";
import { rejection } from "../../harness/rejection.ts";

/** A memory that has seen this row, and a store under it. */
async function seen(row: Row, key = KEY) {
  const store = new MemoryStore("id");
  store.put(key, row);
  const memory = new RowMemory(store);
  await memory.current(key, NEVER);
  memory.invalidate(key);
  return { store, memory };
}

describe("row memory", () => {
  it("asks the store once while nothing goes wrong", async () => {
    const inner = new MemoryStore("id");
    inner.put(KEY, rowAt(100));
    const store = new FaultyStore(inner);
    const memory = new RowMemory(store);
    await memory.current(KEY, NEVER);
    await memory.current(KEY, NEVER);
    expect(store.calls).to.deep.equal(["read"]);
  });

  it("asks again once it is told that the state is not sure", async () => {
    const { store, memory } = await seen(rowAt(100));
    store.put(KEY, rowAt(101));
    expect((await memory.current(KEY, NEVER))?.row.level).to.equal(101);
  });

  it("distrusts a store whose row went back", async () => {
    const { store, memory } = await seen(rowAt(100, { round: 1 }));
    store.put(KEY, rowAt(100, { round: 0 }));
    const error = await rejection(memory.current(KEY, NEVER), StoreError);
    expect(error.fault).to.equal("untrusted");
    expect(error.message).to.include("was at level 100 round 1 and is now at level 100 round 0");
  });

  it("distrusts a store whose row is gone", async () => {
    const { store, memory } = await seen(rowAt(100));
    store.rows.clear();
    const error = await rejection(memory.current(KEY, NEVER), StoreError);
    expect(error.fault).to.equal("untrusted");
    expect(error.message).to.include("is gone");
  });

  it("distrusts a store whose row has another digest at the same position", async () => {
    const { store, memory } = await seen(rowAt(100));
    store.put(KEY, rowAt(100, { digest: digestOf("bb") }));
    expect((await rejection(memory.current(KEY, NEVER), StoreError)).message).to.include("another digest");
  });

  it("accepts that a digest became unknown, as an import makes it: less can be signed, not more", async () => {
    const { store, memory } = await seen(rowAt(100, { signature: digestOf("11") }), BLOCK_KEY);
    const { digest: _, ...unknown } = rowAt(100);
    store.put(BLOCK_KEY, unknown);
    expect((await memory.current(BLOCK_KEY, NEVER))?.row).to.deep.equal(unknown);
    store.put(BLOCK_KEY, rowAt(100, { signature: digestOf("11") }));
    memory.invalidate(BLOCK_KEY);
    expect((await rejection(memory.current(BLOCK_KEY, NEVER), StoreError)).fault).to.equal("untrusted");
  });

  it("distrusts a store that has lost a block's signature", async () => {
    const { store, memory } = await seen(rowAt(100, { signature: digestOf("11") }), BLOCK_KEY);
    store.put(BLOCK_KEY, rowAt(100));
    expect((await rejection(memory.current(BLOCK_KEY, NEVER), StoreError)).message).to.include("went back");
  });

  it("distrusts a store that has another signature for the same block", async () => {
    const { store, memory } = await seen(rowAt(100, { signature: digestOf("11") }), BLOCK_KEY);
    store.put(BLOCK_KEY, rowAt(100, { signature: digestOf("22") }));
    expect((await rejection(memory.current(BLOCK_KEY, NEVER), StoreError)).message).to.include("another signature");
  });

  it("does not take a slow answer for a store that went back", async () => {
    const inner = new MemoryStore("id");
    inner.put(KEY, rowAt(100));
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
    const store = Object.assign(new MemoryStore("id"), {
      async read() {
        const answer = await inner.read(KEY);
        await held;
        return answer;
      },
    });
    const memory = new RowMemory(store);
    const slow = memory.current(KEY, NEVER);
    memory.remember(KEY, { row: rowAt(101), version: "2" });
    letGo();
    expect((await slow)?.row.level).to.equal(100);
    // What the faster answer told is still what is known.
    expect((await memory.current(KEY, NEVER))?.row.level).to.equal(101);
  });

  it("keeps what it has seen when an older state is confirmed late", () => {
    const memory = new RowMemory(new MemoryStore("id"));
    memory.remember(BLOCK_KEY, { row: rowAt(100, { signature: digestOf("11") }), version: "3" });
    memory.remember(BLOCK_KEY, { row: rowAt(100), version: "2" });
    expect([...memory.marks().values()][0]?.signature).to.equal(digestOf("11"));
  });
});
