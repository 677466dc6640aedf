import { expect } from "chai";
import { Cloud } from "../../emulators/azure-resource-manager/cloud.ts";
import { hasProgram } from "../../emulators/has-program.ts";
import { KEY, type Moment, NO_KEY, PlayedMachine, stateOf, statusOf } from "../../harness/played-machine.ts";
import { requires } from "../../harness/requires.ts";
import { MACHINE, program, RUN_COMMAND } from "../stack.ts";
import { story } from "../story.ts";

/** What a machine says that is told to run a release with settings. */
type Life = (release: string, settings: string) => readonly Moment[];

const KEYLESS = { ready: false, reasons: [NO_KEY], vault: { problem: NO_KEY }, keys: [] };
const ready = (at: number, release: string, settings: string): Moment => {
  return { at, status: statusOf(release, settings), state: stateOf(release) };
};

describe("an up that waits for its signer, one story whose tests follow on each other", function () {
  this.timeout(300_000);
  let machine: PlayedMachine | undefined;
  let content = "first";
  const signer = story({ name: "dev", program: () => program({ content })(), isUnmade: true });
  const { cloud } = signer;
  let life: Life = () => [];
  /** By the machine's clock, of the last script. */
  let waited = 0;

  before(() => {
    if (hasProgram("python3")) machine = new PlayedMachine();
  });

  beforeEach(function () {
    requires(this, machine !== undefined, "no python3");
    // Azure's agent runs the script that the stack sends, as it is, on a machine that is played.
    cloud.runCommands.agent = ({ script, environment }) => {
      const moments = life(environment.RELEASE ?? "", environment.SETTINGS ?? "");
      const { status, output, error, seconds } = machine?.run(script, environment, moments) ?? never();
      waited = seconds;
      return { exitCode: status ?? -1, output, error, seconds };
    };
  });

  after(() => machine?.[Symbol.dispose]());

  /** @returns what was said; in this process Pulumi's hooks say it here, and not to the engine */
  async function fails(): Promise<string> {
    const { error } = console;
    const said: string[] = [];
    console.error = (line: string) => void said.push(line);
    const { failed, messages } = await signer.stack.up().finally(() => Object.assign(console, { error }));
    expect(failed).to.equal(true);
    expect(messages).not.to.match(/\n\s+at |unhandled/i);
    return [messages, ...said].join("\n");
  }

  it("fails with the bootstrap's words where the release is broken, and the next one asks again and fails again", async () => {
    life = () => [{ at: 0, said: "no release yet: SHA-256 of https://storage is another one" }];
    const first = await fails();
    expect(first)
      .to.include("everything is made, and the signer is not ready: 18 minutes are over: no release yet: SHA-256")
      .and.to.include("npm run up asks it again");
    expect(waited).to.equal(18 * 60);
    expect((await signer.stack.preview()).operations).to.deep.equal(["update await-ready"]);
    expect(await fails()).to.equal(first);
    expect(cloud.runCommands.executions).to.have.length(2);
  });

  it("fails with the updater's words where the machine refused the release", async () => {
    life = (sha256, settings) => {
      const refused = { version: "0.2.0", sha256, settings: settings.padEnd(64, "0"), reason: "its updater: broken" };
      const state = stateOf(sha256, { running: null, step: "refused", refused });
      return [0, 31].map((at) => ({ at, state }));
    };
    expect(await fails()).to.include("the machine refused the release: its updater: broken");
    expect(waited).to.equal(31);
  });

  it("ends well without a key, names the next step, and asks again at each up until there is one", async () => {
    life = (release, settings) => [{ at: 0, status: statusOf(release, settings, KEYLESS), state: stateOf(release) }];
    const { failed, messages, outputs } = await signer.stack.up();
    expect(failed, messages).to.equal(false);
    const told = outputs.signer as { addresses: unknown[]; nextStep: string };
    expect(told.addresses).to.deep.equal([]);
    expect(told.nextStep).to.include(NO_KEY).and.to.include("npm run signer -- keys import");
    expect((await signer.stack.preview()).operations).to.deep.equal(["update await-ready"]);
  });

  it("ends with the addresses once the signer is ready, and does not ask again", async () => {
    life = (release, settings) => [ready(0, release, settings)];
    const { failed, messages, operations, outputs } = await signer.stack.up();
    expect(failed, messages).to.equal(false);
    expect(operations).to.deep.equal(["update await-ready"]);
    const importCommand = `octez-client import secret key signer http://20.50.100.10:6732/${KEY.address}`;
    expect(outputs.signer).to.deep.equal({
      inUse: `0.2.0 (${String(outputs.release).slice(0, 12)})`,
      addresses: [{ ...KEY, importCommand }],
    });
    const asked = cloud.runCommands.executions.length;
    const again = await signer.stack.up();
    expect(again.operations).to.deep.equal([]);
    expect(again.outputs.signer).to.deep.equal(outputs.signer);
    expect(cloud.runCommands.executions).to.have.length(asked);
  });

  for (const minutes of [2, 15]) {
    it(`waits for a signer whose role comes after ${minutes} minutes`, async () => {
      await signer.stack.configure({ policy: `{"default":{"allow":["block"],"chains":["NetXdQprcVkpaWU"]}}` });
      content = `role after ${minutes}`;
      life = (release, settings) => [
        { at: 0, said: "no release yet: while fetching https://storage: the storage answers 403" },
        ready(minutes * 60, release, settings),
      ];
      const { failed, messages } = await signer.stack.up();
      expect(failed, messages).to.equal(false);
      expect(waited).to.equal(minutes * 60);
    });
  }

  it("is not held up by a baker that moves", async () => {
    await signer.stack.configure({ bakerIp: "203.0.113.8" });
    expect((await signer.stack.up()).operations).to.deep.equal(["update firewall"]);
  });

  it("waits for Azure's own record of how it ended", async () => {
    content = "recorded late";
    life = (release, settings) => [ready(0, release, settings)];
    cloud.runCommands.lag = 1;
    expect((await signer.stack.up()).failed).to.equal(false);
    expect(cloud.runCommands.lag).to.equal(0);
  });

  it("says so where Azure does not let the words be read, or another command is at work", async () => {
    content = "unread";
    cloud.runCommands.hidden = true;
    expect(await fails())
      .to.include("Azure does not tell what it says")
      .and.to.include("AuthorizationFailed");
    cloud.runCommands.hidden = false;
    cloud.runCommands.busy = 1;
    expect(await fails()).to.include("another command is at work on the machine: npm run up again");
    expect((await signer.stack.up()).failed).to.equal(false);
  });

  it("goes with a machine that is replaced, and asks the new one", async () => {
    await signer.stack.configure({ image: "Canonical:ubuntu-26_04-lts:server:latest" });
    const asked = cloud.runCommands.executions.length;
    const { failed, messages } = await signer.stack.up();
    expect(failed, messages).to.equal(false);
    expect(cloud.calls.map(({ method, name }) => `${method} ${name}`)).to.deep.equal([
      ...["delete await-ready", "delete machine", "create machine", "create await-ready"],
    ]);
    expect(cloud.runCommands.executions).to.have.length(asked + 1);
    expect((await signer.stack.up()).operations).to.deep.equal([]);
  });

  it("leaves nothing where it is told not to wait", async () => {
    await signer.stack.configure({ waitForSigner: "false" });
    const { operations, outputs } = await signer.stack.up();
    expect(operations).to.have.members(["delete await-ready", "delete readiness"]);
    expect(outputs).not.to.have.property("signer");
    expect(cloud.ofType(RUN_COMMAND)).to.deep.equal([]);
  });

  it("gives up on an agent that never answers after 20 minutes, and is not kept from another try by what Azure has of it", async () => {
    await signer.stack.configure({ waitForSigner: null });
    cloud.runCommands.agent = () => undefined;
    expect(await fails())
      .to.include("Azure's agent on the machine has not answered for 20 minutes")
      .and.to.include("az vm restart --resource-group tezos-signer-dev --name signer");
    expect(cloud.ofType(RUN_COMMAND)).to.have.length(1);
    cloud.runCommands.agent = new Cloud().runCommands.agent;
    const { failed, messages, operations } = await signer.stack.up();
    expect(failed, messages).to.equal(false);
    expect(operations).to.deep.equal(["create await-ready"]);
    expect(cloud.ofType(RUN_COMMAND).map(({ outputs }) => outputs.name)).to.deep.equal([
      "await-ready",
      "await-ready-2",
    ]);
    expect((await signer.stack.up()).operations).to.deep.equal([]);
  });

  it("is gone with its machine", async () => {
    const { failed } = await signer.stack.destroy();
    expect(failed).to.equal(false);
    expect([...cloud.ofType(RUN_COMMAND), ...cloud.ofType(MACHINE)]).to.deep.equal([]);
  });
});

function never(): never {
  throw new Error("there is no machine");
}
