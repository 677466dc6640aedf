import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { judgeCreation, mended, sentence } from "../../../infra/recovery/findings.ts";
import { carryOut, examine, told } from "../../../infra/recovery/recover.ts";
import type { Operation, StateExport, StateResource } from "../../../infra/recovery/state.ts";

const GROUP = "/subscriptions/5/resourceGroups/tezos-signer-dev";
const MACHINE_ID = `${GROUP}/providers/Microsoft.Compute/virtualMachines/signer`;
const TAGS = { project: "tezos-signer", stack: "dev" };

function resource(name: string, more: Partial<StateResource> = {}): StateResource {
  return { urn: `urn:pulumi:dev::tezos-signer::azure-native:x:Y::${name}`, type: "azure-native:x:Y", ...more };
}

function creation(inputs: Record<string, unknown> = { tags: TAGS, vmName: "signer" }): Operation {
  return { type: "creating", resource: resource("machine", { inputs }) };
}

describe("what became of a creation that was cut off", () => {
  const verdictOf = (answer: Record<string, unknown> | undefined, operation = creation(), held: string[] = []) =>
    judgeCreation(operation, MACHINE_ID, answer, held).verdict;

  it("is forgotten where Azure has nothing there", () => {
    expect(verdictOf(undefined)).to.deep.equal({ kind: "forget" });
  });

  it("is taken in under the id as Azure writes it", () => {
    const id = MACHINE_ID.replace("resourceGroups", "resourcegroups");
    const outputs = { id, tags: TAGS, provisioningState: "Succeeded" };
    expect(verdictOf(outputs)).to.deep.equal({ kind: "adopt", id, outputs, again: undefined });
  });

  it("is left alone where its tags are another's, or it has none", () => {
    for (const tags of [{ ...TAGS, stack: "mainnet" }, { project: "tezos-signer" }, { owner: "me" }, undefined]) {
      expect(verdictOf({ tags, provisioningState: "Succeeded" })?.kind).to.equal("refused");
    }
  });

  it("is left alone where it takes no tags and is part of nothing that the stack holds", () => {
    const untagged = creation({ subnetName: "signer" });
    expect(verdictOf({}, untagged, [`${GROUP}2`, MACHINE_ID]).kind).to.equal("refused");
    expect(verdictOf({}, untagged, [GROUP.toUpperCase()]).kind).to.equal("adopt");
  });

  it("waits for an Azure that is still at it", () => {
    for (const provisioningState of ["Creating", "Updating", "Deleting"]) {
      const wait = { kind: "wait", state: provisioningState };
      expect(verdictOf({ tags: TAGS, provisioningState })).to.deep.equal(wait);
      expect(verdictOf({ tags: TAGS, properties: { provisioningState } })).to.deep.equal(wait);
    }
  });

  it("is sent again where Azure failed at it, or has it otherwise", () => {
    expect(verdictOf({ tags: TAGS, provisioningState: "Failed" })).to.have.property("again", "Azure says Failed of it");
    const sized = creation({ tags: TAGS, hardwareProfile: { vmSize: "Standard_B1s" } });
    const other = { tags: TAGS, hardwareProfile: { vmSize: "Standard_B2s" } };
    expect(verdictOf(other, sized)).to.have.property("again", "hardwareProfile.vmSize is another there");
    const cased = { tags: TAGS, hardwareProfile: { vmSize: "standard_b1s", more: true }, userData: null };
    expect(verdictOf(cased, sized)).to.have.property("again", undefined);
  });
});

describe("a recovery while Azure is still at it", () => {
  it("writes nothing: what is written forgets all that was begun", async () => {
    const operation = creation();
    const before: StateExport = { version: 3, deployment: { resources: [], pending_operations: [operation] } };
    const findings = [{ operation, verdict: { kind: "wait", state: "Creating" } }] as const;
    const nowhere = { cwd: "/nonexistent", env: { PATH: "" } };
    const said = await carryOut({ before, findings }, nowhere, new Date(0)).catch(({ message }) => message);
    expect(said).to.include("Azure is still at something: nothing was changed");
  });
});

describe("what was read as a command was cut off", () => {
  it("is told as a thing that changed nothing, so that what is written forgets it", async () => {
    const identity = resource("identity", { id: `${GROUP}/identity`, type: "azure-native:x:Y" });
    const operation: Operation = { type: "reading", resource: identity };
    const state: StateExport = { version: 3, deployment: { resources: [identity], pending_operations: [operation] } };
    const folder = mkdtempSync(join(tmpdir(), "reading-"));
    try {
      writeFileSync(join(folder, "state.json"), JSON.stringify(state));
      writeFileSync(join(folder, "pulumi"), `#!/bin/sh\ncat ${folder}/state.json\n`, { mode: 0o755 });
      const recovery = await examine({ cwd: folder, env: { PATH: `${folder}:${process.env.PATH}` } });
      expect(told(recovery)).to.deep.equal(["  identity was being read: nothing was changed by that"]);
      const { deployment } = mended(state, recovery.findings);
      expect(deployment).to.deep.equal({ resources: [identity], pending_operations: [] });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("a state after its recovery", () => {
  const group = resource("group", { id: GROUP });
  const machine = resource("machine", { id: MACHINE_ID, dependencies: [group.urn], deletedWith: group.urn });
  const alert = resource("alert", {
    id: `${GROUP}/alert`,
    dependencies: [group.urn, machine.urn],
    propertyDependencies: { scopes: [machine.urn] },
  });
  const state = (resources: StateResource[], ...operations: Operation[]): StateExport => ({
    version: 3,
    deployment: { resources, pending_operations: operations },
  });
  const resources = ({ deployment }: StateExport) => deployment.resources ?? [];

  it("has what was made in the place of the one that it replaces", () => {
    const operation: Operation = { type: "creating", resource: { ...machine, id: undefined as never } };
    const old = { ...machine, pendingReplacement: true };
    const verdict = { kind: "adopt", id: MACHINE_ID, outputs: { a: 1 }, again: undefined } as const;
    const after = mended(state([group, old, alert], operation), [{ operation, verdict }]);
    expect(after.deployment.pending_operations).to.deep.equal([]);
    expect(resources(after)).to.deep.equal([group, { ...machine, outputs: { a: 1 } }, alert]);
  });

  it("has what is new behind all that it names, also where that comes later", () => {
    const operation: Operation = { type: "creating", resource: { ...machine, dependencies: [alert.urn, group.urn] } };
    const verdict = { kind: "adopt", id: MACHINE_ID, outputs: {}, again: "Azure says Failed of it" } as const;
    const free = { ...alert, dependencies: [group.urn], propertyDependencies: {} };
    const after = mended(state([machine, group, free], operation), [{ operation, verdict }]);
    expect(resources(after).map(({ urn }) => urn)).to.deep.equal([group.urn, free.urn, machine.urn]);
    expect(resources(after)[2]).to.have.deep.property("initErrors", ["Azure says Failed of it"]);
  });

  it("gets what is taken in with the components that it is in, and without a word of what is not taken in", () => {
    const outer = resource("alerts", { type: "tezos-signer:infra:Alerts" });
    const parent = resource("inner", { type: "tezos-signer:infra:Inner", parent: outer.urn });
    const rule = { ...alert, parent: parent.urn, dependencies: [group.urn, machine.urn], propertyDependencies: {} };
    const operation: Operation = { type: "creating", resource: rule, components: [outer, parent] };
    const verdict = { kind: "adopt", id: `${GROUP}/alert`, outputs: {}, again: undefined } as const;
    const after = mended(state([group, outer]), [{ operation, verdict }]);
    expect(resources(after).map(({ urn }) => urn)).to.deep.equal([group.urn, outer.urn, parent.urn, rule.urn]);
    expect(resources(after)[3]?.dependencies).to.deep.equal([group.urn]);
  });

  it("has a cut-off change marked, so that it is sent again even to go back", () => {
    const operation: Operation = { type: "updating", resource: machine };
    const after = mended(state([group, machine], operation), [{ operation, verdict: { kind: "send-again" } }]);
    expect(resources(after)[1]).to.deep.equal({ ...machine, initErrors: ["a change was cut off"] });
  });

  it("mentions nothing that is gone, and nothing that was in it", () => {
    const operation: Operation = { type: "deleting", resource: machine };
    const after = mended(state([group, machine, alert], operation), [
      { operation, verdict: { kind: "gone", id: MACHINE_ID } },
    ]);
    const left = { ...alert, dependencies: [group.urn], propertyDependencies: { scopes: [] } };
    expect(resources(after)).to.deep.equal([group, left]);
    const all = mended(state([group, machine, alert]), [{ operation, verdict: { kind: "gone", id: GROUP } }]);
    expect(resources(all)).to.deep.equal([]);
  });

  it("is what it was where nothing is known better", () => {
    const operation = creation();
    const finding = { operation, verdict: { kind: "refused", why: "…" } } as const;
    expect(resources(mended(state([group, alert], operation), [finding]))).to.deep.equal([group, alert]);
    expect(sentence(finding)).to.equal("machine was being made, and what Azure has there is left alone: …");
  });
});
