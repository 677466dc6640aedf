import { expect } from "chai";
import { outcomeOf, type Report } from "../../infra/readiness/report.ts";
import { waitAmong } from "../../infra/readiness/standing-wait.ts";
import { told } from "../../infra/readiness/told.ts";
import { KEY, NO_KEY } from "../harness/played-machine.ts";

const RELEASE = "ab".repeat(32);
const REPORT: Report = { version: "0.2.0", release: RELEASE, keys: [KEY] };
const URL = "http://20.50.100.10:6732";

describe("what the machine said when it was waited for", () => {
  it("is under way until Azure says how it ended", () => {
    for (const executionState of [undefined, "Unknown", "Pending", "Running"]) {
      expect(outcomeOf(executionState === undefined ? undefined : { executionState })).to.deep.equal({
        kind: "under-way",
      });
    }
  });

  it("is the report on its last line", () => {
    const output = `some words\n${JSON.stringify({ ...REPORT, more: 3 })}\n`;
    const { kind, ...rest } = outcomeOf({ executionState: "Succeeded", output });
    expect(kind).to.equal("over");
    expect(rest).to.deep.equal({ report: { ...REPORT, more: 3 } });
  });

  it("is the machine's own words where it failed, and Azure's where it has none", () => {
    const words = (view: object) => {
      const outcome = outcomeOf({ executionState: "Failed", ...view });
      return outcome.kind === "failed" ? outcome.words : outcome.kind;
    };
    expect(words({ error: "first\nthe release was refused\n", output: "x" })).to.equal("the release was refused");
    expect(words({ output: "only this" })).to.equal("only this");
    expect(words({ executionState: "TimedOut", executionMessage: "status=-1" })).to.equal(
      "Azure says TimedOut: status=-1",
    );
  });

  it("is not taken as it comes: nothing in it moves a terminal, and no address is one that is none", () => {
    expect(outcomeOf({ executionState: "Failed", error: "a\u001b[2Jb\u202ec" })).to.deep.equal({
      kind: "failed",
      words: "a [2Jb c",
    });
    for (const output of ["", "ready", "{}", JSON.stringify({ ...REPORT, keys: [{ ...KEY, address: "tz3 && rm" }] })]) {
      expect(outcomeOf({ executionState: "Succeeded", output }).kind, output).to.equal("failed");
    }
  });

  it("is told as the release in use and each address with its public key and the command that imports it", () => {
    const importCommand = `octez-client import secret key signer ${URL}/${KEY.address}`;
    expect(told(REPORT, URL)).to.deep.equal({
      inUse: "0.2.0 (abababababab)",
      addresses: [{ ...KEY, importCommand }],
      moreAddresses: undefined,
      nextStep: undefined,
    });
    const two = told({ ...REPORT, keys: [KEY, { ...KEY, address: `tz4${KEY.address.slice(3)}` }], more: 98 }, URL);
    expect(two.addresses.map((one) => one.importCommand.split(" ")[4])).to.deep.equal([
      "signer-tz3fYtKV",
      "signer-tz4fYtKV",
    ]);
    expect(two.moreAddresses).to.equal("98 more, which statusCommand shows");
  });

  it("is told with the next step where only a key is missing", () => {
    const { nextStep } = told({ ...REPORT, keys: [], missing: NO_KEY }, URL);
    expect(nextStep).to.include(NO_KEY).and.to.include("npm run signer -- keys import");
  });
});

describe("whether the machine is asked again", () => {
  const names = { command: "await-ready", component: "readiness", machine: "machine" };
  const parameters = { RELEASE, SETTINGS: "0123456789ab", KEYS: "none", AGAIN: "2" };
  const list = Object.entries(parameters).map(([name, value]) => ({ name, value }));
  const proof = { parameters, machine: "vm-1", report: REPORT };
  const [MACHINE, COMMAND] = ["VirtualMachine", "VirtualMachineRunCommandByVirtualMachine"].map(
    (type) => `azure-native:compute:${type}`,
  ) as [string, string];
  const standing = (type: string, name: string, outputs: object) => {
    return { urn: `urn::${name}`, type, name, outputs: outputs as Record<string, unknown> };
  };
  const all = (changes: object = {}) => [
    standing(MACHINE, "machine", { vmId: "vm-1" }),
    standing(COMMAND, "await-ready", { name: "await-ready-2", parameters: list }),
    standing("tezos-signer:infra:Readiness", "readiness", { proof: { ...proof, ...changes } }),
  ];

  it("is no question where no machine stands, and one under a free name where no command does", () => {
    expect(waitAmong([], names)).to.equal(undefined);
    expect(waitAmong(all().slice(0, 1), names)).to.deep.equal({
      ...{ name: undefined, again: "0", proof: undefined },
      holds: false,
    });
  });

  it("is not where it has answered the same before", () => {
    expect(waitAmong(all(), names)).to.deep.equal({ name: "await-ready-2", again: "2", proof, holds: true });
  });

  it("is where it has not answered, another machine has, or only a key was missing", () => {
    const again = (resources: ReturnType<typeof all>) => waitAmong(resources, names)?.again;
    expect(again(all().slice(0, 2))).to.equal("3");
    expect(again(all({ machine: "vm-0" }))).to.equal("3");
    expect(again(all({ parameters: { ...parameters, AGAIN: "1" } }))).to.equal("3");
    expect(again(all({ report: { ...REPORT, keys: [], missing: NO_KEY } }))).to.equal("3");
  });
});
