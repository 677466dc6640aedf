import { expect } from "chai";
import { MonitorPoints } from "../../signer/observability/monitor-points.ts";
import type { MachineNote, SeenNote } from "../../signer/pair/machine-notes.ts";
import { OtherMachines } from "../../signer/pair/other-machines.ts";
import { list, text } from "../emulators/azure-resource-manager/properties.ts";
import { EVERYTHING, plan } from "../fixtures/stack-configs.ts";
import { MemoryStore } from "../harness/memory-store.ts";
import { reportOver } from "../harness/report-over.ts";

type Plan = Awaited<ReturnType<typeof plan>>;

const MINUTE = 60_000;
const OWN: MachineNote = {
  ...{ machine: "signer", ready: true, release: "6b1f0a", settings: "ed95cf", signedAt: null, waiting: 0 },
};

/** The first machine of a pair, minute after minute, and what Azure Monitor makes of the figures that it sends. */
class Watched {
  now = Date.parse("2026-11-29T20:00:00Z");
  /** The other machine's note; undefined while it leaves none. */
  other: MachineNote | undefined = { ...OWN, machine: "signer-2" };
  readonly #notes = new Map<string, SeenNote>();
  readonly #others = new OtherMachines({
    open: async () => ({
      write: async (note) => this.#put(note),
      read: async () => [...this.#notes.values()],
    }),
    own: () => OWN,
    isBalanced: () => true,
    log: { warn: () => undefined },
  });
  readonly #signer = reportOver(new MemoryStore("store-1"), { others: this.#others });
  readonly #points = new MonitorPoints();
  /** Of each minute the least, by the metric. */
  readonly #least: Map<string, number>[] = [];

  #put(note: MachineNote): void {
    this.#notes.set(note.machine, { ...note, at: this.now });
  }

  async minutes(count: number): Promise<void> {
    for (let minute = 0; minute < count; minute += 1) {
      if (this.other !== undefined) this.#put(this.other);
      await this.#others.exchange();
      const { body, sent } = this.#points.of(await this.#signer.report.figures(), new Date(this.now));
      sent();
      const documents = body
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line).data.baseData);
      this.#least.push(new Map(documents.map(({ metric, series }) => [metric, series[0].min])));
      this.now += MINUTE;
    }
  }

  /** Judges as Azure does whose rule takes the least of the metric's window (monitor-pipeline: data-platform-metrics). */
  fires(planned: Plan): boolean {
    const inputs = planned.resources.find(({ name }) => name === "out-of-step")?.inputs;
    const [criterion] = list(inputs, "criteria.allOf");
    const { metricName, timeAggregation, operator, threshold } = criterion ?? {};
    expect([timeAggregation, operator]).to.deep.equal(["Minimum", "GreaterThan"]);
    const window = Number(/^PT(\d+)M$/.exec(text(inputs, "windowSize"))?.[1]);
    const seen = this.#least.slice(-window).flatMap((minute) => minute.get(String(metricName)) ?? []);
    return seen.length > 0 && Math.min(...seen) > Number(threshold);
  }

  [Symbol.dispose](): void {
    this.#signer.metrics.stop();
  }
}

describe("the alert of two machines out of step", () => {
  let pair: Plan;
  before(async () => {
    pair = await plan({ ...EVERYTHING, instances: "2" });
  });

  for (const difference of [{ release: "c33d1e" }, { settings: "777111" }]) {
    const [what = ""] = Object.keys(difference);
    it(`fires once the other machine has had another ${what} for half an hour, and is over with that`, async () => {
      using machine = new Watched();
      await machine.minutes(30);
      expect(machine.fires(pair), "in step").to.equal(false);
      machine.other = { ...OWN, machine: "signer-2", ...difference };
      // An upgrade of one after the other: what is waited for takes 18 minutes at the most.
      await machine.minutes(20);
      expect(machine.fires(pair), "after twenty minutes").to.equal(false);
      await machine.minutes(10);
      expect(machine.fires(pair), "after half an hour").to.equal(true);
      machine.other = { ...OWN, machine: "signer-2" };
      await machine.minutes(1);
      expect(machine.fires(pair), "in step again").to.equal(false);
    });
  }

  it("does not fire of a machine that is away, or cannot sign: others tell that", async () => {
    using machine = new Watched();
    machine.other = { ...OWN, machine: "signer-2", ready: false };
    await machine.minutes(40);
    machine.other = undefined;
    await machine.minutes(40);
    expect(machine.fires(pair)).to.equal(false);
  });
});
