import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";
import type { Plan, PlannedResource } from "../../infra/plan/plan.ts";
import { record } from "../../infra/plan/recorder.ts";
import { TezosSigner } from "../../infra/tezos-signer.ts";
import { EVERYTHING, plan, release, settings } from "../fixtures/stack-configs.ts";
import { released } from "./stack.ts";

/**
 * Pulumi knows a resource by its URN: its type, those of its parents, and its name in the program. Under another URN it
 * is another resource, and the one before is deleted: a vault with its keys, where its name was merely tidied. So a line
 * of these lists changes only together with an `aliases` option in the program that names what stood here before.
 */
const THROW_AWAY = [
  "tezos-signer:infra:TezosSigner::tezos-signer",
  "random:index/randomId:RandomId::id",
  "azure-native:resources:ResourceGroup::group",
  "azure-native:managedidentity:UserAssignedIdentity::identity",
  "tezos-signer:infra:Network::network",
  "tezos-signer:infra:Network$azure-native:network:VirtualNetwork::virtual-network",
  "tezos-signer:infra:Network$azure-native:network:NetworkSecurityGroup::firewall",
  "tezos-signer:infra:Network$azure-native:network:Subnet::subnet",
  "tezos-signer:infra:Network$azure-native:network:PublicIPAddress::address",
  "tezos-signer:infra:Network$azure-native:network:NetworkInterface::interface",
  "tezos-signer:infra:KeyVault::key-vault",
  "tezos-signer:infra:KeyVault$azure-native:keyvault:Vault::vault",
  "tezos-signer:infra:WatermarkTable::watermark-table",
  "tezos-signer:infra:WatermarkTable$azure-native:storage:StorageAccount::account",
  "tezos-signer:infra:WatermarkTable$azure-native:storage:Table::watermarks",
  "tezos-signer:infra:WatermarkTable$azure-native:authorization:RoleAssignment::table-role",
  "tezos-signer:infra:Releases::releases",
  "tezos-signer:infra:Releases$azure-native:storage:StorageAccount::release-account",
  "tezos-signer:infra:Releases$azure-native:storage:BlobContainer::release-container",
  "tezos-signer:infra:Releases$azure-native:authorization:RoleAssignment::release-role",
  `tezos-signer:infra:Releases$azure-native:storage:Blob::${released("first")}`,
  "tezos-signer:infra:Machine::signer",
  "tezos-signer:infra:Machine$azure-native:compute:VirtualMachine::machine",
  "tezos-signer:infra:Readiness::readiness",
  "tezos-signer:infra:Readiness$azure-native:compute:VirtualMachineRunCommandByVirtualMachine::await-ready",
];

const MONITORING = [
  "tezos-signer:infra:Alerts::alerts",
  "tezos-signer:infra:Alerts$azure-native:operationalinsights:Workspace::log",
  "tezos-signer:infra:Alerts$azure-native:monitor:DiagnosticSetting::audit-events",
  "tezos-signer:infra:Alerts$azure-native:monitor:ActionGroup::people",
  "tezos-signer:infra:Alerts$azure-native:monitor:ScheduledQueryRule::no-signature",
  "tezos-signer:infra:Alerts$azure-native:monitor:MetricAlert::vault-errors",
  "tezos-signer:infra:Alerts$azure-native:monitor:MetricAlert::vault-slow",
  "tezos-signer:infra:Alerts$azure-native:monitor:MetricAlert::machine-unavailable",
  "tezos-signer:infra:Alerts$azure-native:monitor:MetricAlert::signer-not-ready",
  "tezos-signer:infra:Alerts$azure-native:monitor:MetricAlert::watermark-refusal",
  "tezos-signer:infra:Alerts$azure-native:monitor:MetricAlert::machine-tired",
  "tezos-signer:infra:Figures::figures",
  "tezos-signer:infra:Figures$azure-native:authorization:RoleAssignment::figures-role",
  "tezos-signer:infra:Figures$azure-native:applicationinsights:Workbook::workbook",
];

const PRODUCTION = [
  "tezos-signer:infra:KeyVault$azure-native:authorization:ManagementLockByScope::vault-lock",
  "tezos-signer:infra:WatermarkTable$azure-native:authorization:ManagementLockByScope::account-lock",
  "tezos-signer:infra:ProductionStackIsNotDestroyed::destroy-guard",
];

/** What a second machine brings, beside the least. */
const PAIR = [
  "tezos-signer:infra:Network$azure-native:network:PublicIPAddress::outbound",
  "tezos-signer:infra:Network$azure-native:network:PublicIPAddress::outbound-2",
  "tezos-signer:infra:Network$azure-native:network:NetworkInterface::interface-2",
  "tezos-signer:infra:Network$tezos-signer:infra:Balancer::balanced",
  "tezos-signer:infra:Network$tezos-signer:infra:Balancer$azure-native:network:LoadBalancer::balancer",
  "tezos-signer:infra:Machine::signer-2",
  "tezos-signer:infra:Machine$azure-native:compute:VirtualMachine::machine-2",
  "tezos-signer:infra:Readiness::readiness-2",
  "tezos-signer:infra:Readiness$azure-native:compute:VirtualMachineRunCommandByVirtualMachine::await-ready-2",
];

/** What it brings where there are alerts. */
const PAIR_MONITORING = [
  ...["machine-unavailable-2", "signer-not-ready-2", "watermark-refusal-2", "machine-tired-2", "out-of-step"].map(
    (alert) => `tezos-signer:infra:Alerts$azure-native:monitor:MetricAlert::${alert}`,
  ),
];

/** One for each key of the configuration, by the key's own name. */
const key = (name: string) => `tezos-signer:infra:KeyVault$azure-native:keyvault:Key::${name}`;

/** How Pulumi knows a part in a program of somebody's own: below the signer, and with its name in front. */
function below(signer: string, urn: string): string {
  const [types = "", name = ""] = urn.split("::");
  return `tezos-signer:infra:TezosSigner$${types}::${signer}-${name}`;
}

/** A URN without the names of project and stack, which are the user's own. */
function urn({ resources }: Plan, { type, name, options: { parent } }: PlannedResource): string {
  const types = [type];
  let above = resources.find((resource) => resource.name === parent);
  while (above !== undefined) {
    types.unshift(above.type);
    const next = above.options.parent;
    above = resources.find((resource) => resource.name === next);
  }
  return `${types.join("$")}::${name}`;
}

const urns = (planned: Plan) => planned.resources.map((resource) => urn(planned, resource));

/** The URNs in the state that an earlier version left; Pulumi's own providers and the stack are none of the program's. */
function left(kind: "throw-away" | "production"): string[] {
  const file = resolve(import.meta.dirname, "../fixtures", `stack-0.1.0-${kind}.json`);
  const resources: { urn: string; type: string }[] = JSON.parse(readFileSync(file, "utf8")).deployment.deployment
    .resources;
  return resources
    .filter(({ type }) => !type.startsWith("pulumi:"))
    .map(({ urn }) => urn.split("::").slice(2).join("::"));
}

describe("the URNs by which Pulumi knows the stack's resources", () => {
  it("are these in a test stack", async () => {
    expect(urns(await plan())).to.have.members(THROW_AWAY);
  });

  it("are these in a production stack with alerts and two keys", async () => {
    expect(urns(await plan(EVERYTHING))).to.have.members([
      ...THROW_AWAY,
      ...MONITORING,
      ...PRODUCTION,
      key("consensus"),
      key("manager"),
    ]);
  });

  it("are these in a stack of two machines, without alerts and with them", async () => {
    expect(urns(await plan({ instances: "2" }))).to.have.members([...THROW_AWAY, ...PAIR]);
    expect(urns(await plan({ instances: "2", monitoring: "true" }))).to.have.members([
      ...[...THROW_AWAY, ...PAIR],
      ...[...MONITORING, ...PAIR_MONITORING],
    ]);
  });

  it("are these in a program of somebody's own, below its signer and with its name in front", async () => {
    const planned = await record("dev", () => {
      new TezosSigner("bakery", {
        settings: settings({ ...EVERYTHING, instances: "2" }),
        release: release("first"),
        customData: "IyBvbmUK",
      });
      return {};
    });
    const [component = "", ...parts] = [...THROW_AWAY, ...PAIR, ...MONITORING, ...PAIR_MONITORING, ...PRODUCTION];
    expect(urns(planned)).to.have.members([
      component.replace(/[^:]*$/, "bakery"),
      ...[...parts, key("consensus"), key("manager")].map((part) => below("bakery", part)),
    ]);
  });

  it("include every one of a stack that version 0.1.0 made on Pulumi's engine", () => {
    expect([...THROW_AWAY, key("baker")]).to.include.members(left("throw-away"));
    expect([...THROW_AWAY, ...MONITORING, ...PRODUCTION, key("baker")]).to.include.members(left("production"));
  });
});
