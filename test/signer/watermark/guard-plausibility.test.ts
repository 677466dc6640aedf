import { expect } from "chai";
import type { ConsensusKind } from "../../../signer/tezos/payload/payload.ts";
import { BLOCK_KEY, KEY, rowAt } from "../../fixtures/watermark-rows.ts";
import { FaultyStore } from "../../harness/faulty-store.ts";
import { GuardedSigner } from "../../harness/guarded-signer.ts";
import { MemoryStore } from "../../harness/memory-store.ts";

const SIGNATURE = /^[0-9a-f]{128}$/;
const START = 1_700_000_000_000;
const SECOND = 1_000;

describe("plausible levels in the guard", () => {
  let memory: MemoryStore;
  let store: FaultyStore;
  let now: number;
  let signer: GuardedSigner;
  const clock = () => now;

  beforeEach(() => {
    memory = new MemoryStore("id");
    store = new FaultyStore(memory);
    now = START;
    signer = new GuardedSigner(store, { maxStep: 100, clock });
  });

  const put = (kind: ConsensusKind, level: number, at = START) =>
    memory.put({ ...KEY, kind }, rowAt(level, { anchor: { level, at } }));

  it("believes what another kind of the key has seen of the chain, and looks there only when it must", async () => {
    put("block", 9_000_000);
    put("attestation", 9_028_800);
    expect(await signer.outcome({ level: 9_028_801 })).to.match(SIGNATURE);
    expect(store.calls.filter((call) => call === "read")).to.have.length(1);
    expect(await signer.outcome({ kind: "block", level: 9_028_801 })).to.match(SIGNATURE);
    store.calls.length = 0;
    expect(await signer.outcome({ kind: "block", level: 9_028_802 })).to.match(SIGNATURE);
    expect(store.calls).to.deep.equal(["replace", "replace"]);
  });

  it("does not let a kind that was idle be pushed by all the time that it was idle, nor the others by it", async () => {
    const idle = 10 * 86_400;
    put("block", 9_000_000, START - idle * SECOND);
    put("attestation", 9_144_000);
    for (const kind of ["attestation", "block"] as const) {
      expect(await signer.outcome({ kind, level: 9_000_000 + idle })).to.equal("level-implausible");
      expect(await signer.outcome({ kind, level: 9_144_101 })).to.equal("level-implausible");
    }
    expect(await signer.outcome({ kind: "block", level: 9_144_001 })).to.match(SIGNATURE);
  });

  it("does not believe more of another kind than of the own", async () => {
    put("block", 9_000_000);
    put("attestation", 9_028_800);
    expect(await signer.outcome({ kind: "block", level: 9_028_901 })).to.equal("level-implausible");
    expect(await signer.outcome({ kind: "preattestation", level: 9_028_900 })).to.match(SIGNATURE);
  });

  it("goes by what is believed of another kind, and not by a mark that is a step above that", async () => {
    put("attestation", 9_000_000, START - 60 * SECOND);
    memory.put(BLOCK_KEY, rowAt(9_000_060, { anchor: { level: 8_999_970, at: START } }));
    expect(await signer.outcome({ level: 9_000_150 })).to.match(SIGNATURE);
  });

  it("lets no kind pull another one ahead step by step: of the other only what is believed counts, not what it signed", async () => {
    put("attestation", 9_000_000);
    put("preattestation", 9_000_050);
    expect(await signer.outcome({ kind: "preattestation", level: 9_000_150 })).to.match(SIGNATURE);
    expect(await signer.outcome({ level: 9_000_151 })).to.equal("level-implausible");
    expect(await signer.outcome({ level: 9_000_150 })).to.match(SIGNATURE);
  });

  it("asks again, instead of refusing, where the other kind cannot be read now", async () => {
    put("block", 9_000_000);
    put("attestation", 9_028_800);
    await signer.trusted.current({ ...KEY, kind: "block" }, new AbortController().signal);
    store.next("read", "unavailable");
    expect(await signer.outcome({ kind: "block", level: 9_028_801 })).to.equal("watermark-unavailable");
    expect(await signer.outcome({ kind: "block", level: 9_028_801 })).to.match(SIGNATURE);
  });

  it("believes the head that is followed, and no more", async () => {
    put("block", 9_000_000);
    const highestByHead = 9_028_805;
    expect(await signer.outcome({ kind: "block", level: 9_028_806, highestByHead })).to.equal("level-implausible");
    expect(await signer.outcome({ kind: "block", level: 9_028_801, highestByHead })).to.match(SIGNATURE);
    // Once believed, it counts without the node.
    expect(await signer.outcome({ kind: "block", level: 9_028_901 })).to.match(SIGNATURE);
  });

  it("signs a day of two-second blocks on the defaults, each kind, with a block now and then", async () => {
    const day = 43_200;
    for (let level = 1_000; level < 1_000 + day; level += 1) {
      now += 2 * SECOND;
      for (const kind of ["preattestation", "attestation"] as const) {
        expect(await signer.outcome({ kind, level })).to.match(SIGNATURE);
      }
      if (level % 5_000 === 0) expect(await signer.outcome({ kind: "block", level })).to.match(SIGNATURE);
    }
  }).timeout(30_000);

  it("lets an hour of pushing go no further than blocks could come, where the settings know how fast", async () => {
    signer = new GuardedSigner(store, { maxStep: 100, clock, minimalBlockDelay: 6 });
    put("attestation", 1_000);
    let pushed = 1_000;
    for (let second = 1; second <= 3_600; second++) {
      now += SECOND;
      while ((await signer.outcome({ level: pushed + 1 })) !== "level-implausible") pushed += 1;
    }
    expect(pushed).to.equal(1_700);
  });
});
