import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import { Preparation } from "../../../signer/watermark/preparation.ts";
import { StoreError } from "../../../signer/watermark/stores/store.ts";
import { TrustedStore } from "../../../signer/watermark/trusted-store.ts";
import { BLOCK_KEY, KEY, rowAt } from "../../fixtures/watermark-rows.ts";
import { FaultyStore } from "../../harness/faulty-store.ts";
import { MemoryStore } from "../../harness/memory-store.ts";
import { notedPauses } from "../../harness/noted-pauses.ts";
import { rejection } from "../../harness/rejection.ts";

/** Stopped after each test: one that failed must not keep the process. */
const started: Preparation[] = [];

function prepared(inner: MemoryStore, rows = [KEY]) {
  const faulty = new FaultyStore(inner);
  const store = new TrustedStore({ store: faulty, clock: Date.now });
  const reasons: (string | undefined)[] = [];
  let changed = () => {};
  const preparation = new Preparation({
    store,
    rows: () => rows,
    onChange: (reason) => {
      reasons.push(reason);
      changed();
    },
  });
  started.push(preparation);
  const change = () =>
    new Promise<void>((resolve) => {
      changed = resolve;
    });
  return { faulty, preparation, reasons, change };
}

describe("preparation of the store", () => {
  afterEach(async () => {
    await Promise.all(started.splice(0).map((preparation) => preparation.stop()));
  });

  it("is done at once where everything is there", async () => {
    const inner = new MemoryStore("id");
    inner.put(KEY, rowAt(100));
    const { preparation, reasons } = prepared(inner);
    expect(preparation.reason).to.include("not answered yet");
    await preparation.start();
    expect(preparation.reason).to.equal(undefined);
    expect(reasons).to.deep.equal([undefined]);
  });

  it("lets the signer start, says why it is not ready, and asks until the store answers", async () => {
    const inner = new MemoryStore("id");
    inner.put(KEY, rowAt(100));
    const { preparation, faulty, reasons, change } = prepared(inner);
    faulty.next("identity", "unavailable");
    await preparation.start();
    expect(preparation.reason).to.include("No answer (by script)");
    await change();
    expect(preparation.reason).to.equal(undefined);
    expect(reasons).to.have.length(2);
  });

  it("notices that what the store stands on was touched, though nobody asks for a signature", async () => {
    const inner = new MemoryStore("id");
    inner.put(KEY, rowAt(100));
    const { preparation, faulty, reasons } = prepared(inner);
    await preparation.start();
    Object.assign(faulty, {
      probe: () => {
        throw new StoreError("untrusted", "It was touched (by script).");
      },
    });
    await preparation.check();
    expect(reasons.at(-1) ?? "nothing").to.include("It was touched (by script)");
  });

  it("finds rows that an operator made meanwhile", async () => {
    const inner = new MemoryStore("id");
    const { preparation, change } = prepared(inner);
    await preparation.start();
    expect(preparation.reason).to.include("There is no attestation of");
    inner.put(KEY, rowAt(100));
    await change();
    expect(preparation.reason).to.equal(undefined);
  });

  it("tells each reason once, however often it is met", async () => {
    const { preparation, reasons } = prepared(new MemoryStore("id"));
    await preparation.start();
    await new Promise((resolve) => setTimeout(resolve, 600));
    await preparation.stop();
    expect(reasons).to.have.length(1);
  });

  it("asks soon again in a new outage, however long the one before has lasted", async () => {
    using pauses = notedPauses(() => 1, true);
    const inner = new MemoryStore("id");
    inner.put(KEY, rowAt(100));
    inner.put(BLOCK_KEY, rowAt(100));
    const rows = [KEY];
    const { preparation, faulty, change } = prepared(inner, rows);
    faulty.always = () => (pauses.length < 8 ? "unavailable" : undefined);
    await preparation.start();
    await change();
    expect(preparation.reason).to.equal(undefined);
    expect(Math.max(...pauses)).to.equal(10_000);
    faulty.always = () => "unavailable";
    rows.push(BLOCK_KEY);
    await change();
    expect(preparation.reason).to.include("No answer (by script)");
    const noted = pauses.length;
    while (pauses.length < noted + 1) await nextTurn();
    await preparation.stop();
    expect(pauses[noted]).to.be.at.most(1_000);
  });

  it("stops at once while it waits, and says nothing about that", async () => {
    const { preparation, faulty, reasons } = prepared(new MemoryStore("id"));
    faulty.next("identity", "unavailable").next("identity", "silence");
    await preparation.start();
    await new Promise((resolve) => setTimeout(resolve, 600));
    await preparation.stop();
    expect(reasons).to.have.length(1);
  });

  it("refuses to start on a store that another process holds", async () => {
    const inner = new MemoryStore("id");
    const { preparation } = prepared(Object.assign(inner, { identity: heldByAnother }));
    expect((await rejection(preparation.start(), StoreError)).fault).to.equal("in-use");
  });

  it("is not ready, and lives on, where another process takes the store after the start", async () => {
    const inner = new MemoryStore("id");
    const { preparation, faulty, change } = prepared(Object.assign(inner, { identity: heldByAnother }));
    faulty.next("identity", "unavailable");
    await preparation.start();
    await change();
    expect(preparation.reason).to.include("held by another process");
  });
});

async function heldByAnother(): Promise<never> {
  throw new StoreError("in-use", "The store is held by another process.");
}
