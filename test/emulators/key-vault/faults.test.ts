import { expect } from "chai";
import { Faults } from "./faults.ts";
import { draw } from "./latency.ts";
import { seededRandom } from "./random.ts";

describe("emulated faults", () => {
  it("come by script in their order, one a request", () => {
    const faults = new Faults(seededRandom(1));
    faults.script([{ kind: "reset" }, { kind: "status", status: 503 }]);
    expect([faults.next("sign", false), faults.next("sign", false), faults.next("sign", false)]).to.deep.equal([
      { kind: "reset" },
      { kind: "status", status: 503 },
      undefined,
    ]);
  });

  it("wait for their operation, for their key, and for a connection that was used", () => {
    const faults = new Faults(seededRandom(1));
    faults.script([
      { kind: "reset-reused", on: "sign" },
      { kind: "empty-body", on: "list" },
      { kind: "reset", on: "get", key: "baker" },
    ]);
    expect(faults.next("get", true, "other")).to.equal(undefined);
    expect(faults.next("get", true, "baker")?.kind).to.equal("reset");
    expect(faults.next("get", true)).to.equal(undefined);
    expect(faults.next("sign", false)).to.equal(undefined);
    expect(faults.next("list", false)?.kind).to.equal("empty-body");
    expect(faults.next("sign", true)?.kind).to.equal("reset-reused");
  });

  it("come by rate, the same for the same seed", () => {
    const run = (seed: number) => {
      const faults = new Faults(seededRandom(seed));
      faults.rate([{ kind: "reset", rate: 0.2 }]);
      return Array.from({ length: 1_000 }, () => faults.next("sign", false) !== undefined);
    };
    expect(run(7)).to.deep.equal(run(7));
    expect(run(7).filter(Boolean).length).to.be.within(150, 250);
  });

  it("have latencies of the quantiles asked for", () => {
    const random = seededRandom(3);
    const drawn = Array.from({ length: 20_000 }, () => draw({ median: 20, p99: 80 }, random)).sort((a, b) => a - b);
    expect(drawn[10_000]).to.be.within(19, 21);
    expect(drawn[19_800]).to.be.within(70, 90);
  });
});
