import { expect } from "chai";
import { SignerError } from "../../../../signer/errors.ts";
import { StoreError } from "../../../../signer/watermark/stores/store.ts";
import { UnwrittenStore } from "../../../../signer/watermark/stores/unwritten.ts";
import { TrustedStore } from "../../../../signer/watermark/trusted-store.ts";
import { BLOCK_KEY, KEY, NEVER, rowAt } from "../../../fixtures/watermark-rows.ts";
import { MemoryStore } from "../../../harness/memory-store.ts";
import { rejection } from "../../../harness/rejection.ts";

const OPEN = { level: 1_000, until: Date.now() + 3_600_000 };

/** The checks that a start makes, on a store that a trial may not change. */
function trial(inner: MemoryStore, initialise?: typeof OPEN) {
  return new TrustedStore({ store: new UnwrittenStore(inner), initialise, clock: Date.now });
}

describe("a store in a trial", () => {
  it("is ready where store and rows would be made, and is not made", async () => {
    const inner = new MemoryStore();
    const store = trial(inner, OPEN);
    await store.prepare([KEY, BLOCK_KEY], NEVER);
    await store.prepare([KEY, BLOCK_KEY], NEVER);
    expect(inner.id).to.equal(undefined);
    expect(inner.rows.size).to.equal(0);
  });

  it("is ready where a row would be made beside others, and the row is not made", async () => {
    const inner = new MemoryStore("id");
    inner.put(KEY, rowAt(100));
    const store = trial(inner, OPEN);
    await store.prepare([KEY, BLOCK_KEY], NEVER);
    expect(store.id).to.equal("id");
    expect(inner.rows.size).to.equal(1);
  });

  it("is not ready where a start would make nothing", async () => {
    expect((await rejection(trial(new MemoryStore()).prepare([KEY], NEVER), SignerError)).code).to.equal(
      "watermark-missing",
    );
    expect((await rejection(trial(new MemoryStore("id")).prepare([KEY], NEVER), SignerError)).code).to.equal(
      "watermark-missing",
    );
  });

  it("changes no row", async () => {
    const inner = new MemoryStore("id");
    inner.put(KEY, rowAt(100));
    expect((await rejection(new UnwrittenStore(inner).replace(), StoreError)).fault).to.equal("untrusted");
    expect((await inner.list()).map(({ row }) => row.level)).to.deep.equal([100]);
  });
});
