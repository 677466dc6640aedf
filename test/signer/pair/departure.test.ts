import { expect } from "chai";
import { Departure } from "../../../signer/pair/departure.ts";
import type { MachineNote, SeenNote } from "../../../signer/pair/machine-notes.ts";
import { OtherMachines } from "../../../signer/pair/other-machines.ts";

/** The table that machines share: each of its answers comes a turn later. */
class Table {
  readonly notes = new Map<string, SeenNote>();
  fault: Error | undefined;
  #clock = Date.parse("2026-11-29T20:00:00Z");

  async write(note: MachineNote): Promise<void> {
    await Promise.resolve();
    if (this.fault !== undefined) throw this.fault;
    this.notes.set(note.machine, { ...note, at: this.#clock++ });
  }

  async read(): Promise<SeenNote[]> {
    await Promise.resolve();
    return [...this.notes.values()];
  }
}

/** A machine whose balancer hears at once what it is told. */
class PlayedMachine {
  readonly told: string[] = [];
  readonly departure: Departure;
  readonly others: OtherMachines;
  /** Whether a signature can be had there. */
  ready = true;
  isLeaving = false;
  readonly #isForGood: string[] = [];

  constructor(name: string, table: Table) {
    const machine = this;
    this.others = new OtherMachines({
      open: async () => table,
      own: () => {
        const ready = machine.ready && !machine.isLeaving;
        return { machine: name, ready, release: "6b1f0a", settings: "ed95cf", signedAt: null, waiting: 0 };
      },
      isBalanced: () => true,
      log: { warn: () => undefined },
    });
    const balancer = {
      asks: true,
      get isLeaving() {
        return machine.isLeaving;
      },
      async leave() {
        machine.isLeaving = true;
      },
      async goDown(isRelieved: boolean) {
        machine.isLeaving = true;
        machine.#isForGood.push(String(isRelieved));
        machine.told.push(isRelieved ? "goes down" : "goes down, and serves to its end");
      },
      stay() {
        machine.isLeaving = machine.#isForGood.length > 0;
      },
    };
    const closeQuiet = async () => void this.told.push("closes what is idle");
    this.departure = new Departure({ balancer, others: this.others, closeQuiet });
  }

  leave(): Promise<boolean> {
    return this.departure.leave("Azure announces: Reboot");
  }
}

describe("a machine's departure from its balancer", () => {
  let table: Table;
  let first: PlayedMachine;
  let second: PlayedMachine;

  beforeEach(async () => {
    table = new Table();
    [first, second] = [new PlayedMachine("signer", table), new PlayedMachine("signer-2", table)];
    for (const { others } of [first, second, first]) await others.exchange();
  });

  it("is where the other machine takes what is new, which is told meanwhile that this one does not", async () => {
    expect(await second.leave()).to.equal(true);
    expect(second.told).to.deep.equal(["closes what is idle"]);
    expect(table.notes.get("signer-2")?.ready).to.equal(false);
    second.departure.stay();
    await second.others.exchange();
    expect(table.notes.get("signer-2")?.ready).to.equal(true);
  });

  it("is not while the other one has left, and is once that is back", async () => {
    expect(await second.leave()).to.equal(true);
    expect(await first.leave()).to.equal(false);
    expect(first.isLeaving).to.equal(false);
    second.departure.stay();
    await second.others.exchange();
    await first.others.exchange();
    expect(await first.leave()).to.equal(true);
  });

  it("is not where the other one cannot sign, is away, or was never there: what is new would go to nobody", async () => {
    second.ready = false;
    await second.others.exchange();
    await first.others.exchange();
    expect(await first.leave()).to.equal(false);
    table.notes.delete("signer-2");
    await first.others.exchange();
    expect(await first.leave()).to.equal(false);
    expect(first.told).to.deep.equal([]);
  });

  it("is never both machines' at once, though Azure announces for both in one moment: the first has its turn first", async () => {
    const both = [first, second];
    expect(await Promise.all(both.map((machine) => machine.leave()))).to.deep.equal([false, false]);
    expect(both.map(({ isLeaving }) => isLeaving)).to.deep.equal([false, false]);
    const gone: boolean[][] = [];
    for (let look = 0; look < 4; look += 1) {
      for (const { others } of both) await others.exchange();
      gone.push(await Promise.all(both.map((machine) => machine.leave())));
    }
    expect(gone.at(-1)).to.deep.equal([true, false]);
    expect(both.map(({ isLeaving }) => isLeaving)).to.deep.equal([true, false]);
    first.departure.stay();
    for (const { others } of [first, second]) await others.exchange();
    expect(await second.leave()).to.equal(true);
  });

  it("that has begun goes for what is announced meanwhile as well", async () => {
    expect(await second.leave()).to.equal(true);
    first.ready = false;
    await first.others.exchange();
    await second.others.exchange();
    expect(await second.leave()).to.equal(true);
    expect(second.isLeaving).to.equal(true);
  });

  it("is for good where the machine goes down: the other one is told at once, and nothing takes it back", async () => {
    await second.departure.goDown();
    expect(second.told).to.deep.equal(["goes down", "closes what is idle"]);
    second.departure.stay();
    expect(second.isLeaving).to.equal(true);
    await second.others.exchange();
    await first.others.exchange();
    expect(await first.leave()).to.equal(false);
    await first.departure.goDown();
    expect(first.told[0]).to.equal("goes down, and serves to its end");
  });

  it("is not held up by a table that does not answer: nothing is signed without it", async () => {
    const alone = new PlayedMachine("signer-3", table);
    table.fault = new Error("the table did not answer");
    expect(await alone.leave()).to.equal(true);
    expect(await second.leave()).to.equal(true);
  });
});
