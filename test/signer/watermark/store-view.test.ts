import { setImmediate as nextTurn } from "node:timers/promises";
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

/** What a look tells once the one before it has read the store. */
async function nextLook(looker: StoreView) {
  looker.look();
  await nextTurn();
  await nextTurn();
  return looker.look();
}

describe("a view of a store", () => {
  it("tells at once what it knows, which is nothing at first, and reads every row for the next one who looks", async () => {
    const { view: looker, store } = view();
    const { rows: none, readAt: never, problem: why } = looker.look();
    expect({ none, never }).to.deep.equal({ none: [], never: undefined });
    expect(why).to.include("has not been read yet");
    expect(store.calls, "not before the one who looks has the answer").to.deep.equal([]);
    const { rows, readAt, problem } = await nextLook(looker);
    expect(rows.map(({ row }) => row.level).sort()).to.deep.equal([100, 90]);
    expect(problem).to.equal(undefined);
    expect(readAt).to.be.a("number");
  });

  it("asks the store once in five seconds, however many look", async () => {
    const { store, clock, view: looker } = view();
    for (let count = 0; count < 3; count++) await nextLook(looker);
    clock.now += 4_999;
    await nextLook(looker);
    expect(store.calls).to.deep.equal(["list"]);
    clock.now += 1;
    await nextLook(looker);
    expect(store.calls).to.deep.equal(["list", "list"]);
  });

  it("tells what it saw before while a store does not answer, and asks it no second time meanwhile", async () => {
    const { store, clock, view: looker } = view();
    const before = await nextLook(looker);
    store.always = () => "silence";
    for (let count = 0; count < 3; count++) {
      clock.now += 5_000;
      expect(await nextLook(looker)).to.deep.equal(before);
    }
    expect(store.calls).to.have.length(2);
  });

  it("says why what it shows is no newer", async () => {
    const { store, clock, view: looker } = view();
    const { rows, readAt } = await nextLook(looker);
    store.always = () => "unavailable";
    clock.now += 5_000;
    const shown = await nextLook(looker);
    expect(shown).to.deep.include({ rows, readAt });
    expect(shown.problem).to.include("cannot be read now");
    store.always = () => undefined;
    clock.now += 5_000;
    expect((await nextLook(looker)).problem).to.equal(undefined);
  });
});
