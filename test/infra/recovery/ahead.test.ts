import { expect } from "chai";
import { creationsIn, type Step } from "../../../infra/recovery/ahead.ts";
import { isMade, nameOf, newest, type Operation, type StateResource } from "../../../infra/recovery/state.ts";

const TYPE = "azure-native:compute:VirtualMachine";

function resource(name: string, more: Partial<StateResource> = {}): StateResource {
  return { urn: `urn:pulumi:dev::tezos-signer::${TYPE}::${name}`, type: TYPE, custom: true, ...more };
}

describe("what the next up would make", () => {
  const creations = (steps: readonly Step[], resources: readonly StateResource[]) =>
    creationsIn(steps, { version: 3, deployment: { resources } }).map(({ resource }) => nameOf(resource));
  const steps: Step[] = [
    { op: "same", newState: resource("vault") },
    { op: "replace", newState: resource("machine") },
    { op: "create-replacement", newState: resource("machine") },
    { op: "create", newState: resource("key") },
  ];

  it("is what is new", () => {
    expect(creations(steps, [resource("machine", { id: "/m" })])).to.deep.equal(["key"]);
  });

  it("is a replacement too whose old one is gone and whose new one Azure answered with an error", () => {
    expect(creations(steps, [resource("machine", { id: "/m", pendingReplacement: true })])).to.deep.equal([
      ...["machine", "key"],
    ]);
  });
});

describe("what Pulumi has noted as begun", () => {
  const creation = (size: string): Operation => {
    return { type: "creating", resource: resource("machine", { inputs: { size } }) };
  };

  it("counts once where one resource was being made several times: as Azure was sent it last", () => {
    const updating: Operation = { type: "updating", resource: resource("machine") };
    expect(newest([creation("new"), updating, creation("old")])).to.deep.equal([creation("new"), updating]);
  });

  it("is of something that Pulumi knows as made, unless that is to be replaced or deleted", () => {
    const states = [{ id: "/m" }, {}, { id: "/m", pendingReplacement: true }, { id: "/m", delete: true }];
    expect(states.map((state) => isMade(resource("machine", state)))).to.deep.equal([true, false, false, false]);
  });
});
