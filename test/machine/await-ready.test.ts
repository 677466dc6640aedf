import { readFileSync } from "node:fs";
import { expect } from "chai";
import { settingsVersion } from "../../machine/updater/upgrade.ts";
import { hasProgram } from "../emulators/has-program.ts";
import { KEY, type Moment, NO_KEY, PlayedMachine, stateOf, statusOf } from "../harness/played-machine.ts";
import { requires } from "../harness/requires.ts";
import { FakeMachine } from "./fake-machine.ts";

const SCRIPT = readFileSync(new URL("../../machine/bin/await-ready", import.meta.url), "utf8");
const OLD = "aa".repeat(32);
const NEW = "bb".repeat(32);
const SETTINGS = "0123456789ab";
const READY = { status: statusOf(NEW, SETTINGS), state: stateOf(NEW) };
const KEYLESS = { ready: false, reasons: [NO_KEY], vault: { problem: NO_KEY }, keys: [] };

describe("what the stack has its machine wait for", function () {
  this.timeout(60_000);
  let machine: PlayedMachine;

  before(function () {
    requires(this, hasProgram("python3"), "python3 is not installed");
    machine = new PlayedMachine();
  });
  after(() => machine?.[Symbol.dispose]());

  const wait = (...moments: readonly Moment[]) => machine.run(SCRIPT, { RELEASE: NEW, SETTINGS }, moments);

  /** @returns the words with which it fails */
  function fails(...moments: readonly Moment[]): string {
    const { status, output, error } = wait(...moments);
    expect(status, output).to.equal(1);
    expect(output).to.equal("");
    return error.trim();
  }

  it("is small enough for Azure to take it, and for its end to be shown whole", () => {
    expect(Buffer.byteLength(SCRIPT)).to.be.below(4_096);
  });

  it("prints the release in use and its keys once the signer is ready, at once where it is", () => {
    const { status, output, seconds } = wait({ at: 0, ...READY });
    expect(status).to.equal(0);
    expect(JSON.parse(output)).to.deep.equal({ version: "0.2.0", release: NEW, keys: [KEY] });
    expect(seconds).to.equal(0);
  });

  it("prints no more than Azure shows of a hundred keys, in one order, and says how many are left out", () => {
    const keys = Array.from({ length: 100 }, (_, at) => ({ ...KEY, address: KEY.address.slice(0, -2) + (99 - at) }));
    const { output } = wait({ at: 0, status: statusOf(NEW, SETTINGS, { keys }), state: stateOf(NEW) });
    expect(Buffer.byteLength(output)).to.be.below(4_000);
    const report = JSON.parse(output);
    expect(report.more).to.equal(80);
    expect(report.keys).to.have.length(20);
    const addresses = report.keys.map(({ address }: typeof KEY) => address);
    expect(addresses).to.deep.equal([...addresses].sort());
  });

  it("waits behind a balancer until that has found the signer ready twice, and without one asks for none", () => {
    const asked = (at: number, balancer: object | null): Moment => {
      return { at, status: statusOf(NEW, SETTINGS, { balancer }), state: stateOf(NEW) };
    };
    const moments = [
      { at: 0, ...READY },
      asked(10, null),
      asked(20, { ready: false, times: 3 }),
      asked(30, { ready: true, times: 1 }),
      asked(40, { ready: true, times: 2 }),
    ];
    const { status, seconds } = machine.run(SCRIPT, { RELEASE: NEW, SETTINGS, BALANCED: "yes" }, moments);
    expect([status, seconds]).to.deep.equal([0, 40]);
    const never = machine.run(SCRIPT, { RELEASE: NEW, SETTINGS, BALANCED: "yes" }, [{ at: 0, ...READY }]);
    expect(never.error).to.include("18 minutes are over: the balancer has not found it ready yet");
    expect(wait(...moments).seconds).to.equal(0);
  });

  it("waits through a first boot: no release, no signer, a store that is not reached yet", () => {
    const reasons = ["The watermark store could not be reached; ask again: 403 AuthorizationPermissionMismatch"];
    const { status, seconds } = wait(
      { at: 0, said: "the machine's userData cannot be read yet" },
      { at: 20, said: "no release yet: the storage answers 403" },
      { at: 40, state: stateOf(NEW, { running: null, step: "trying" }) },
      { at: 60, status: statusOf(NEW, SETTINGS, { ready: false, reasons }), state: stateOf(NEW) },
      { at: 900, ...READY },
    );
    expect(status).to.equal(0);
    expect(seconds).to.equal(900);
  });

  it("waits through an upgrade, and until the new release has proven itself", () => {
    const wanted = { version: "0.2.0", sha256: NEW };
    const { status, seconds } = wait(
      { at: 0, status: statusOf(OLD, SETTINGS), state: stateOf(OLD) },
      { at: 10, status: statusOf(OLD, SETTINGS), state: stateOf(OLD, { wanted, step: "fetching" }) },
      { at: 50, status: statusOf(NEW, SETTINGS), state: stateOf(NEW, { step: "watching" }) },
      { at: 110, ...READY },
    );
    expect(status).to.equal(0);
    expect(seconds).to.equal(110);
  });

  it("waits until the signer has taken the settings that the stack wants", () => {
    const { status, seconds } = wait(
      { at: 0, status: statusOf(NEW, "before", {}), state: stateOf(NEW) },
      { at: 10, ...READY },
    );
    expect(status).to.equal(0);
    expect(seconds).to.equal(10);
  });

  it("ends well without a key where nothing else is missing, and says so", () => {
    const { status, output } = wait({ at: 0, status: statusOf(NEW, SETTINGS, KEYLESS), state: stateOf(NEW) });
    expect(status).to.equal(0);
    expect(JSON.parse(output)).to.deep.equal({ version: "0.2.0", release: NEW, keys: [], missing: NO_KEY });
  });

  it("ends well without a key where the updater keeps the release in use for want of one", () => {
    const problem = `neither the release in use nor the new one gets ready: ${NO_KEY}`;
    const state = stateOf(OLD, { wanted: { version: "0.3.0", sha256: NEW }, step: "waiting", problem });
    const { status, output } = wait({ at: 0, status: statusOf(OLD, "before", KEYLESS), state });
    expect(status).to.equal(0);
    expect(JSON.parse(output)).to.include({ release: OLD, missing: NO_KEY });
  });

  it("does not take a vault or a table that is not reached for a missing key", () => {
    const away = "https://tezos-0123456789abcdef.vault.azure.net: the vault does not let this machine list keys";
    expect(
      fails({
        at: 0,
        status: statusOf(NEW, SETTINGS, { ready: false, reasons: [away], vault: { problem: away }, keys: [] }),
        state: stateOf(NEW),
      }),
    ).to.equal(`18 minutes are over: ${away}`);
    const both = { ...KEYLESS, reasons: [NO_KEY, "The watermark store does not answer"] };
    expect(fails({ at: 0, status: statusOf(NEW, SETTINGS, both), state: stateOf(NEW) })).to.include(
      "The watermark store does not answer",
    );
  });

  it("fails with the bootstrap's words where the first release never comes", () => {
    expect(fails({ at: 0, said: "no release yet: SHA-256 of https://storage is another one" })).to.equal(
      "18 minutes are over: no release yet: SHA-256 of https://storage is another one",
    );
  });

  it("fails soon with the updater's words where the release was refused, and not for a refusal with other settings", () => {
    const refused = { version: "0.2.0", sha256: NEW, reason: "exit status 10: policy is wrong", at: "" };
    const withSettings = (settings: string) => ({ ...refused, settings: settings.padEnd(64, "0") });
    const state = (settings: string) =>
      stateOf(NEW, { running: null, step: "refused", refused: withSettings(settings) });
    expect(fails({ at: 0, state: state(SETTINGS) }, { at: 31, state: state(SETTINGS) })).to.equal(
      "the machine refused the release: exit status 10: policy is wrong",
    );
    expect(wait({ at: 0, state: state("other") }, { at: 60, ...READY }).status).to.equal(0);
  });

  it("fails soon where the signer refuses the settings, and not for a refusal that is over in half a minute", () => {
    const status = statusOf(NEW, "before", { settings: { version: "before", refused: "policy: is wrong" } });
    const refused = { status, state: stateOf(NEW) };
    expect(fails({ at: 0, ...refused }, { at: 31, ...refused })).to.equal("policy: is wrong");
    expect(wait({ at: 0, ...refused }, { at: 20, ...READY }).status).to.equal(0);
  });

  it("knows what the machine's own updater writes: in use, refused, waiting for a key", async () => {
    const updater = new FakeMachine();
    const written = async (release: string): Promise<[string, object]> => {
      updater.want(release, '{"a":1}');
      await updater.run();
      return [updater.state().wanted?.sha256 ?? "", updater.state()];
    };
    const settings = settingsVersion('{"a":1}').slice(0, 12);
    const run = (sha256: string, ...moments: Moment[]) =>
      machine.run(SCRIPT, { RELEASE: sha256, SETTINGS: settings }, moments);
    try {
      const [one, inUse] = await written("one");
      expect(run(one, { at: 0, status: statusOf(one, settings), state: inUse }).status).to.equal(0);
      updater.behaviours.set("two", { trial: { verdict: "broken", reason: "SyntaxError" } });
      const [two, refused] = await written("two");
      const status = statusOf(one, settings);
      const { error } = run(two, { at: 0, status, state: refused }, { at: 31, status, state: refused });
      expect(error).to.equal("the machine refused the release: SyntaxError\n");
      for (const name of ["one", "three"]) {
        updater.behaviours.set(name, { trial: { verdict: "waiting", reason: NO_KEY } });
      }
      const [three, waiting] = await written("three");
      expect(
        JSON.parse(run(three, { at: 0, status: statusOf(one, settings, KEYLESS), state: waiting }).output),
      ).to.include({
        release: one,
        missing: NO_KEY,
      });
    } finally {
      updater.remove();
    }
  });

  it("fails after 18 minutes and no later than that, with what the signer says then", () => {
    const { status, error, seconds } = wait({ at: 0 });
    expect(status).to.equal(1);
    expect(error).to.equal("18 minutes are over: no signer answers on the machine\n");
    expect(seconds).to.equal(1_080);
  });
});
