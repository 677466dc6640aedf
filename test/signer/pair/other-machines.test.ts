import { expect } from "chai";
import { ownCommand } from "../../../signer/own-command.ts";
import type { MachineNote, SeenNote } from "../../../signer/pair/machine-notes.ts";
import { OtherMachines } from "../../../signer/pair/other-machines.ts";

const AT = Date.parse("2026-11-29T20:00:00Z");
const MINUTE = 60_000;
const NOTE: MachineNote = {
  machine: "signer",
  ready: true,
  release: "6b1f0a",
  settings: "ed95cf",
  signedAt: "2026-11-29T19:59:58.000Z",
  waiting: 0,
};

/** A table with notes on it, and a machine that looks at it. */
class Scene {
  /** By the table's clock. */
  now = AT;
  isBalanced = true;
  own = NOTE;
  fault: Error | undefined;
  readonly notes = new Map<string, SeenNote>();
  readonly warnings: string[] = [];
  readonly others = new OtherMachines({
    open: async () => ({
      write: async (note) => {
        if (this.fault !== undefined) throw this.fault;
        this.put(note);
      },
      read: async () => [...this.notes.values()],
    }),
    own: () => this.own,
    isBalanced: () => this.isBalanced,
    log: { warn: (message) => void this.warnings.push(message) },
  });

  put(note: MachineNote): void {
    this.notes.set(note.machine, { ...note, at: this.now });
  }

  async look() {
    await this.others.exchange();
    return this.others.look();
  }
}

describe("the other machine behind the balancer", () => {
  it("is told nothing and not looked for where no balancer asks: a machine that is alone writes no note", async () => {
    const scene = new Scene();
    scene.isBalanced = false;
    scene.put({ ...NOTE, machine: "signer-2" });
    expect(await scene.look()).to.equal(null);
    expect([...scene.notes.keys()]).to.deep.equal(["signer-2"]);
  });

  it("is shown with its last signature and in step, and the machine's own note is not another's", async () => {
    const scene = new Scene();
    expect(await scene.look()).to.deep.equal([]);
    scene.put({ ...NOTE, machine: "signer-2", signedAt: null });
    expect(await scene.look()).to.deep.equal([
      {
        ...{ machine: "signer-2", seenAt: "2026-11-29T20:00:00.000Z", ready: true, signedAt: null, waiting: 0 },
        ...{ inStep: true, problems: [] },
      },
    ]);
    expect([...scene.notes.keys()]).to.have.members(["signer", "signer-2"]);
  });

  for (const [what, difference, inStep, problem] of [
    ["release", { release: "c33d1e" }, false, "signer-2 runs another release than this machine."],
    ["settings", { settings: "777111" }, false, "signer-2 has other settings than this machine."],
    ["readiness", { ready: false }, true, "signer-2 takes nothing new: its own /status says why."],
    ["queue", { waiting: 2 }, true, `signer-2 has 2 waiting for a person: ${ownCommand("confirm")}, there.`],
  ] as const) {
    it(`is told of by a sentence where its ${what} wants a person`, async () => {
      const scene = new Scene();
      scene.put({ ...NOTE, machine: "signer-2", ...difference });
      const [other] = (await scene.look()) ?? [];
      expect([other?.inStep, other?.problems]).to.deep.equal([inStep, [problem]]);
    });
  }

  it("is away once it was not heard of for a minute, which is no other release, and forgotten after a day", async () => {
    const scene = new Scene();
    scene.put({ ...NOTE, machine: "signer-2", release: "c33d1e" });
    scene.now += 3 * MINUTE;
    const [other] = (await scene.look()) ?? [];
    expect([other?.inStep, other?.problems]).to.deep.equal([null, ["signer-2 has not been heard of for 3 min."]]);
    scene.now += 24 * 60 * MINUTE;
    expect(await scene.look()).to.deep.equal([]);
  });

  it("is judged by the table's clock alone, however wrong this computer's is", async () => {
    const scene = new Scene();
    scene.now = Date.now() - 24 * 60 * MINUTE;
    scene.put({ ...NOTE, machine: "signer-2" });
    scene.now += 10_000;
    const [other] = (await scene.look()) ?? [];
    expect([other?.inStep, other?.problems]).to.deep.equal([true, []]);
  });

  it("is not called away where it is this machine that cannot read, which is told once", async () => {
    const scene = new Scene();
    scene.put({ ...NOTE, machine: "signer-2" });
    await scene.look();
    scene.fault = new Error("the table did not answer");
    scene.now += 10 * MINUTE;
    for (let times = 0; times < 3; times += 1) {
      expect((await scene.look())?.map(({ problems }) => problems)).to.deep.equal([[]]);
    }
    expect(scene.warnings).to.deep.equal(["What the other machine tells is not known: the table did not answer"]);
  });
});
