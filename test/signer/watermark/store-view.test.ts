import { expect } from "chai";
import { StoreView } from "../../../signer/watermark/store-view.ts";
import { BLOCK_KEY, KEY, rowAt } from "../../fixtures/watermark-rows.ts";
import { FaultyStore } from "../../harness/faulty-store.ts";
import { MemoryStore } from "../../harness/memory-store.ts";

/** A store with two rows, its view, and a clock that stands still until it is told. */
function view() {
  const inner = new MemoryStore("id");
  inner.put(KEY, rowAt(100));
  inner.put(BLOCK_KEY, rowAt(90));
  const store = new FaultyStore(inner);
  const clock = { now: 1_000 };
  return { inner, store, clock, view: new StoreView(store, () => clock.now) };
}

describe("a view of a store", () => {
  it("shows every row", async () => {
    const { view: looker } = view();
    const { rows, readAt, problem } = await looker.look();
    expect(rows.map(({ row }) => row.level).sort()).to.deep.equal([100, 90]);
    expect(problem).to.equal(undefined);
    expect(readAt).to.be.a("number");
  });

  it("asks the store once in five seconds, however many look, and at once", async () => {
    const { store, clock, view: looker } = view();
    await Promise.all([looker.look(), looker.look()]);
    clock.now += 4_999;
    await looker.look();
    expect(store.calls).to.deep.equal(["list"]);
    clock.now += 1;
    await looker.look();
    expect(store.calls).to.deep.equal(["list", "list"]);
  });

  it("ends its wait for a store that never answers, shows what it saw before, says so, and asks seldom too", async () => {
    const { store, clock, view: looker } = view();
    const before = await looker.look();
    clock.now += 5_000;
    store.always = () => "silence";
    const { rows, readAt, problem } = await looker.look();
    expect(rows).to.deep.equal(before.rows);
    expect(readAt).to.equal(before.readAt);
    expect(problem).to.match(/^The watermark store cannot be read now\. It did not answer within 1000 ms\.$/);
    await looker.look();
    expect(store.calls).to.have.length(2);
    store.always = () => undefined;
    clock.now += 5_000;
    expect((await looker.look()).problem).to.equal(undefined);
  });

  it("shows nothing of a store that was never read, and why", async () => {
    const { store, view: looker } = view();
    store.always = () => "unavailable";
    const { rows, readAt, problem } = await looker.look();
    expect({ rows, readAt }).to.deep.equal({ rows: [], readAt: undefined });
    expect(problem).to.include("cannot be read now");
  });
});
