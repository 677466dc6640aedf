import fs, { existsSync, globSync, readdirSync, readlinkSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { expect } from "chai";
import { type Behaviour, FakeMachine, Killed } from "./fake-machine.ts";

const UNITS = "etc/systemd/system";

describe("an upgrade of the machine", () => {
  let machine: FakeMachine;

  beforeEach(async () => {
    machine = new FakeMachine();
    machine.want("one");
    expect(await machine.run()).to.equal("done");
  });

  afterEach(() => machine.remove());

  /** Runs until nothing is left to do. */
  async function settle(): Promise<void> {
    for (let runs = 0; (await machine.run()) === "again"; runs++) expect(runs).to.be.below(20);
  }

  it("begins with the first release, its units linked and wanted", () => {
    expect(machine.current).to.equal("one");
    expect(machine.state()).to.include({ step: "done", candidate: null, refused: null });
    const target = join(machine.opt, "current/machine/files", UNITS, "tezos-signer.service");
    expect(readlinkSync(join(machine.folder, UNITS, "tezos-signer.service"))).to.equal(target);
    expect(readlinkSync(join(machine.folder, UNITS, "multi-user.target.wants/tezos-signer.service"))).to.equal(target);
  });

  it("begins with a first release whose vault does not answer yet, since roles take minutes", async () => {
    const fresh = new FakeMachine();
    fresh.vault = false;
    fresh.want("one");
    expect(await fresh.run()).to.equal("done");
    expect(fresh.current).to.equal("one");
    fresh.remove();
  });

  it("does not begin with a release that is broken, and takes the next one", async () => {
    const fresh = new FakeMachine();
    fresh.behaviours.set("one", { trial: { verdict: "broken", reason: "SyntaxError" } });
    fresh.want("one");
    expect(await fresh.run()).to.equal("done");
    expect(fresh.current).to.equal(undefined);
    fresh.want("two");
    expect(await fresh.run()).to.equal("done");
    expect(fresh.current).to.equal("two");
    fresh.remove();
  });

  it("compiles the first release once it runs, and a later one before it is tried", async () => {
    const fresh = new FakeMachine();
    const steps: string[] = [];
    fresh.onStep = (name) => {
      if (/^before (compile|trial|restart)$/.test(name)) steps.push(name.slice(7));
    };
    fresh.want("one");
    await fresh.run();
    expect(steps.splice(0)).to.deep.equal(["trial", "restart"]);
    await fresh.run();
    expect(steps.splice(0)).to.deep.equal(["compile"]);
    fresh.want("two");
    await fresh.run();
    expect(steps).to.deep.equal(["compile", "compile", "trial", "restart"]);
    fresh.remove();
  });

  it("takes a release that cannot be compiled in advance, and says why", async () => {
    machine.uncompiled = "too much memory";
    machine.want("two");
    await settle();
    expect(machine.current).to.equal("two");
    expect(machine.state()).to.include({ step: "done", problem: null, refused: null });
    expect(machine.said.join("\n")).to.match(/release two \(\w+\) starts more slowly than it could: too much memory/);
  });

  it("keeps the release before and deletes older ones, with the links to their files", async () => {
    for (const name of ["two", "three"]) {
      machine.want(name);
      await machine.run();
    }
    expect(machine.current).to.equal("three");
    expect(readdirSync(join(machine.opt, "releases"))).to.have.length(2);
    const linked = readdirSync(join(machine.folder, UNITS)).filter((name) => name.endsWith(".service"));
    expect(linked.sort()).to.deep.equal(["only-three.service", "tezos-signer.service"]);
    expect(readdirSync(join(machine.folder, UNITS, "multi-user.target.wants")).sort()).to.deep.equal(linked);
  });

  const faults: readonly [name: string, behaviour: Behaviour, reason: RegExp][] = [
    ["does not start", { trial: { verdict: "broken", reason: "exit status 1: SyntaxError" } }, /SyntaxError/],
    [
      "never gets ready",
      { trial: { verdict: "waiting", reason: "no key" } },
      /it does not get ready, and the one in use does: no key/,
    ],
    ["ends after 30 s", { endsAfter: 30_000 }, /its process ended/],
    ["gets ready in its trial and not in use", { ready: false }, /it does not get ready, and the one before does/],
  ];
  for (const [name, behaviour, reason] of faults) {
    it(`refuses a release that ${name}, and tries it again only for other settings or another release`, async () => {
      machine.behaviours.set("two", behaviour);
      machine.want("two");
      await settle();
      expect(machine.current).to.equal("one");
      expect(machine.process?.release).to.equal(Buffer.from("one").toString("hex").padEnd(64, "0"));
      expect(machine.state().refused?.reason).to.match(reason);
      const tried = () => machine.said.filter((text) => text.startsWith("trying")).length;
      const before = tried();
      await settle();
      expect(tried()).to.equal(before);
      machine.want("two", '{"other":"settings"}');
      await settle();
      expect(tried()).to.equal(before + 1);
      machine.want("three");
      await settle();
      expect(machine.current).to.equal("three");
      expect(machine.state().refused).to.equal(null);
    });
  }

  it("waits where the storage is away, says why, and goes on by itself", async () => {
    machine.unreachable = "while fetching: the storage answers 403";
    machine.want("two");
    expect(await machine.run()).to.equal("again");
    expect(machine.state()).to.include({ step: "waiting", problem: "while fetching: the storage answers 403" });
    machine.unreachable = undefined;
    expect(await machine.run()).to.equal("done");
    expect(machine.state()).to.include({ step: "done", problem: null });
  });

  it("refuses a release that has the right hash and cannot be unpacked, at its third try", async () => {
    machine.unreachable = "while unpacking: signer/main.ts: FAILED";
    machine.want("two");
    expect(await machine.run()).to.equal("again");
    expect(await machine.run()).to.equal("again");
    expect(await machine.run()).to.equal("done");
    expect(machine.state()).to.deep.include({ step: "refused", tries: null });
    expect(machine.state().refused?.reason).to.equal("while unpacking: signer/main.ts: FAILED");
  });

  it("waits as long as it takes for room on the disk", async () => {
    machine.unreachable = "while unpacking: tar: x: Cannot write: No space left on device";
    machine.want("two");
    for (let runs = 0; runs < 5; runs++) expect(await machine.run()).to.equal("again");
    expect(machine.state().refused).to.equal(null);
  });

  it("refuses nothing while vault or table are away for both, before the switch", async () => {
    machine.vault = false;
    machine.want("two");
    expect(await machine.run()).to.equal("again");
    expect(machine.current).to.equal("one");
    expect(machine.state().refused).to.equal(null);
    machine.vault = true;
    expect(await machine.run()).to.equal("done");
    expect(machine.current).to.equal("two");
  });

  it("takes nothing back while vault or table are away for both, after the switch", async () => {
    machine.want("two");
    const restart = machine.said.length;
    const running = machine.run().finally(() => undefined);
    machine.vault = true;
    await running;
    machine.want("three");
    // The vault goes away between the trial and the watch.
    machine.behaviours.set("three", { trial: { verdict: "ready" } });
    machine.vault = false;
    expect(await machine.run()).to.equal("again");
    expect(machine.current).to.equal("three");
    expect(machine.state()).to.include({ step: "waiting", refused: null });
    machine.vault = true;
    await settle();
    expect(machine.current).to.equal("three");
    expect(machine.said.slice(restart).join("\n")).not.to.include("back from");
  });

  it("compares a release that was ready and is not for a moment with nothing", async () => {
    let trials = 0;
    machine.onStep = (name) => {
      if (name === "before trial") trials += 1;
    };
    machine.unreadyAt = 30_000;
    machine.want("two");
    await settle();
    expect(machine.current).to.equal("two");
    expect(trials).to.equal(1);
  });

  it("takes back a release that systemd does not start, though the one before still answers", async () => {
    machine.behaviours.set("two", { unit: "refused" });
    machine.want("two");
    await settle();
    expect(machine.current).to.equal("one");
    expect(machine.state().refused?.reason).to.match(/it does not start/);
  });

  it("takes back a release whose own firewall keeps it from the vault", async () => {
    machine.behaviours.set("two", { firewall: "closed" });
    machine.want("two");
    await settle();
    expect(machine.current).to.equal("one");
    expect(machine.firewall).to.equal("one");
    expect(machine.state().refused?.reason).to.match(/it does not get ready, and the one before does/);
  });

  it("takes back a release whose firewall is not taken", async () => {
    machine.behaviours.set("two", { firewall: "refused" });
    machine.want("two");
    await settle();
    expect(machine.current).to.equal("one");
    expect(machine.state().refused?.reason).to.match(/its firewall is not taken/);
  });

  it("refuses nothing where the vault comes back just after the new release's trial", async () => {
    machine.vault = false;
    machine.onStep = (name) => {
      if (name === "after trial") machine.vault = true;
    };
    machine.want("two");
    await settle();
    expect(machine.current, machine.state().refused?.reason).to.equal("two");
  });

  it("takes nothing back where the vault comes back while the release before is tried", async () => {
    let trials = 0;
    machine.onStep = (name) => {
      if (name === "after restart") machine.vault = false;
      if (name === "before trial" && ++trials === 2) machine.vault = true;
    };
    machine.want("two");
    await settle();
    expect(machine.current, machine.state().refused?.reason).to.equal("two");
  });

  it("tries a release three times that had too little memory or time, and refuses it then", async () => {
    machine.behaviours.set("two", { trial: { verdict: "broken", reason: "too much memory: ", passing: true } });
    machine.want("two");
    expect(await machine.run()).to.equal("again");
    expect(await machine.run()).to.equal("again");
    expect(machine.state().refused).to.equal(null);
    expect(await machine.run()).to.equal("done");
    expect(machine.state().refused?.reason).to.match(/too much memory/);
  });

  it("puts the files in force that a killed run has not, and does not put them in force twice", async () => {
    machine.want("two");
    machine.killAt(Number.POSITIVE_INFINITY);
    machine.onStep = (name) => {
      if (name === "before apply") throw new Killed(name);
    };
    await machine.run().catch(() => undefined);
    machine.onStep = () => undefined;
    expect(machine.current).to.equal("two");
    expect(machine.firewall).to.equal("one");
    await settle();
    expect(machine.firewall).to.equal("two");
    machine.killAt(Number.POSITIVE_INFINITY);
    await settle();
    expect(machine.calls).not.to.include("before apply");
  });

  it("leaves no link to a file of a release that was taken back", async () => {
    machine.behaviours.set("two", { endsAfter: 5_000 });
    machine.want("two");
    await settle();
    expect(readdirSync(join(machine.folder, UNITS)))
      .to.include("only-one.service")
      .and.not.include("only-two.service");
  });

  it("turns to another release in the middle of a watch, by way of the one that was trusted", async () => {
    machine.want("two");
    machine.behaviours.set("two", { trial: { verdict: "ready" } });
    machine.vault = false;
    expect(await machine.run()).to.equal("again");
    expect(machine.current).to.equal("two");
    machine.vault = true;
    machine.want("one");
    await settle();
    expect(machine.current).to.equal("one");
    expect(machine.state().candidate).to.equal(null);
  });

  it("goes back to the release that was trusted where the next one is broken, past one that never got ready", async () => {
    machine.want("two");
    machine.behaviours.set("two", { trial: { verdict: "ready" } });
    machine.vault = false;
    expect(await machine.run()).to.equal("again");
    expect(machine.current).to.equal("two");
    machine.vault = true;
    machine.behaviours.set("three", { endsAfter: 5_000 });
    machine.want("three");
    await settle();
    expect(machine.current).to.equal("one");
    expect(machine.state()).to.deep.include({ candidate: null, step: "refused" });
  });

  it("watches from the beginning where a release was unready for a moment, and takes back what ends after that", async () => {
    machine.unreadyAt = 30_000;
    machine.behaviours.set("two", { endsAfter: 60_000 });
    machine.want("two");
    await settle();
    expect(machine.current).to.equal("one");
    expect(machine.state().refused?.reason).to.match(/its process ended/);
  });

  /** Has something be done once, at a step. */
  function once(step: string, act: () => void): void {
    machine.onStep = (name) => {
      if (name !== step) return;
      machine.onStep = () => undefined;
      act();
    };
  }

  const turns: readonly [when: string, step: string, behaviour: Behaviour][] = [
    ["while it is tried", "before trial", {}],
    ["while it is tried, and it would be ready", "after trial", {}],
    ["once it is in use, where it never gets ready", "after restart", { ready: false }],
    ["once it is in use, where it ends by itself", "after restart", { endsAfter: 5_000 }],
  ];
  for (const [when, step, behaviour] of turns) {
    it(`does not hold it against a release that userData turns away from it ${when}`, async () => {
      machine.behaviours.set("two", behaviour);
      machine.want("two");
      once(step, () => machine.want("one"));
      await settle();
      expect(machine.current).to.equal("one");
      expect(machine.state()).to.deep.include({ refused: null, candidate: null, step: "done" });
      machine.behaviours.delete("two");
      machine.want("two");
      await settle();
      expect(machine.current).to.equal("two");
    });
  }

  it("does not switch to a release that userData does not name any more", async () => {
    machine.want("two");
    once("after trial", () => machine.want("one"));
    await settle();
    expect(machine.process?.pid, "it was never restarted").to.equal(100);
  });

  it("keeps the way back from a release that is not trusted yet, where a refused one is to be tried again", async () => {
    machine.behaviours.set("two", { trial: { verdict: "broken", reason: "SyntaxError" } });
    machine.want("two");
    await settle();
    machine.behaviours.set("three", { trial: { verdict: "ready" } });
    machine.want("three");
    machine.vault = false;
    expect(await machine.run()).to.equal("again");
    expect(machine.current).to.equal("three");
    machine.forgive();
    machine.vault = true;
    machine.behaviours.set("three", { endsAfter: 5_000 });
    await settle();
    expect(machine.current).to.equal("one");
    expect(existsSync(join(machine.opt, "current/machine/files"))).to.equal(true);
  });

  it("has a refused release fetched anew, where it is to be tried again", async () => {
    machine.behaviours.set("two", { trial: { verdict: "broken", reason: "SyntaxError" } });
    machine.want("two");
    await settle();
    machine.forgive();
    expect(readdirSync(join(machine.opt, "releases"))).to.have.length(1);
    machine.behaviours.delete("two");
    await settle();
    expect(machine.current).to.equal("two");
  });

  it("takes back a release on a disk that has filled up meanwhile, and does not switch on one", async () => {
    machine.behaviours.set("two", { endsAfter: 5_000 });
    machine.want("two");
    let isFull = false;
    machine.onStep = (name) => {
      if (name === "after restart") isFull = true;
      if (isFull && name === "before state.note") throw new Error("ENOSPC: no space left on device, write");
    };
    expect(await machine.run()).to.equal("done");
    expect(machine.current).to.equal("one");
    expect(nameOfProcess()).to.equal("one");
    const switches = () => machine.said.filter((text) => text.startsWith("switching")).length;
    expect(switches()).to.equal(1);
    await machine.run().catch((error) => expect(error.message).to.match(/ENOSPC/));
    expect(switches()).to.equal(1);
    machine.onStep = () => undefined;
    await settle();
    expect(machine.current).to.equal("one");
    expect(machine.state()).to.deep.include({ candidate: null, step: "refused" });
  });

  it("keeps a release that it would take back where somebody has deleted the one before, and takes the next one", async () => {
    machine.behaviours.set("two", { endsAfter: 5_000 });
    machine.want("two");
    once("after restart", () => machine.delete("one"));
    expect(await machine.run()).to.equal("again");
    expect(machine.current).to.equal("two");
    expect(existsSync(join(machine.opt, "current/machine/files"))).to.equal(true);
    expect(machine.state().problem).to.match(/its process ended, and there is no way back: .+ is gone/);
    machine.want("three");
    await settle();
    expect(machine.current).to.equal("three");
  });

  it("begins anew where somebody has deleted the release in use", async () => {
    machine.delete("one");
    expect(machine.current).to.equal(undefined);
    machine.want("two");
    await settle();
    expect(machine.current).to.equal("two");
    expect(nameOfProcess()).to.equal("two");
  });

  it("killed while it deletes a release leaves none under a name that is not whole, and deletes the rest the next time", async () => {
    const whole = readdirSync(join(machine.opt, "releases"), { recursive: true }).length;
    machine.want("two");
    await settle();
    {
      using _ = killedWhileItDeletes(join(machine.opt, "releases"));
      machine.want("three");
      expect(await machine.run().catch((error) => error)).to.be.instanceOf(Killed);
    }
    const releases = readdirSync(join(machine.opt, "releases")).filter((name) => /^[0-9a-f]{64}$/.test(name));
    for (const name of releases) {
      const found = globSync("**", { cwd: join(machine.opt, "releases", name) });
      expect(found.filter((path) => path !== ".")).to.have.length(whole - 1);
    }
    machine.want("four");
    await settle();
    expect(readdirSync(join(machine.opt, "releases"))).to.have.length(2);
  });

  /** While it is in scope, whoever deletes a folder there is ended once its first file is gone. */
  function killedWhileItDeletes(folder: string): Disposable {
    const { rmSync } = fs;
    fs.rmSync = (path, options) => {
      const [file] = globSync("**/*.service", { cwd: String(path) });
      if (!String(path).startsWith(`${folder}/`) || file === undefined) return rmSync(path, options);
      rmSync(join(String(path), file));
      throw new Killed("in the middle of a deletion");
    };
    syncBuiltinESMExports();
    return {
      [Symbol.dispose]: () => {
        fs.rmSync = rmSync;
        syncBuiltinESMExports();
      },
    };
  }

  const nameOfProcess = () => Buffer.from(machine.process?.release.replace(/(00)+$/, "") ?? "", "hex").toString();

  for (const [name, behaviour] of [
    ["good", {}],
    ["broken", { endsAfter: 5_000 }],
  ] as const) {
    it(`killed before and after each step of an upgrade to a ${name} release, has one whole release to start, and ends as it should`, async () => {
      const steps = await countSteps(behaviour);
      console.log(`      ${steps} points`);
      expect(steps).to.be.above(20);
      for (let step = 1; step <= steps; step++) {
        const victim = new FakeMachine();
        try {
          await upgradeTo(victim, behaviour, step).catch((error) => {
            if (!(error instanceof Killed)) throw error;
          });
          victim.reboot();
          const { current } = victim;
          expect(["one", "two"], `after ${victim.calls.at(-1)}`).to.include(current);
          expect(existsSync(join(victim.opt, "current/machine/files")), `${step}`).to.equal(true);
          for (let runs = 0; (await victim.run()) === "again"; runs++) expect(runs).to.be.below(20);
          const end = name === "good" ? "two" : "one";
          expect(victim.current, `killed at ${step}`).to.equal(end);
          expect(victim.process?.release).to.equal(Buffer.from(end).toString("hex").padEnd(64, "0"));
          expect(victim.state().candidate).to.equal(null);
        } finally {
          victim.remove();
        }
      }
    });
  }

  async function upgradeTo(victim: FakeMachine, behaviour: Behaviour, killAt: number): Promise<void> {
    victim.behaviours.set("two", behaviour);
    victim.want("one");
    await victim.run();
    victim.want("two");
    victim.killAt(killAt);
    await victim.run();
  }

  async function countSteps(behaviour: Behaviour): Promise<number> {
    const victim = new FakeMachine();
    await upgradeTo(victim, behaviour, Number.POSITIVE_INFINITY);
    victim.remove();
    return victim.calls.length;
  }
});
