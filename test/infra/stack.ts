import { EXAMPLE_SSH_KEY } from "../../infra/config/ssh-key.ts";
import { build, readSettings } from "../../infra/index.ts";
import { earlierReleases } from "../../infra/release/earlier-releases.ts";
import type { Cloud } from "../emulators/azure-resource-manager/cloud.ts";
import { text } from "../emulators/azure-resource-manager/properties.ts";
import { release, SSH_KEY } from "../fixtures/stack-configs.ts";

/** What the tests on Pulumi's engine share: the stack's names, and operations on them. */

export const NO_CLI = "no Pulumi CLI on PATH or in the cache; .ci/pulumi-cli builds one";

export const THROW_AWAY = { location: "northeurope", bakerIp: "203.0.113.7", sshPublicKey: EXAMPLE_SSH_KEY };

export const PRODUCTION = {
  ...THROW_AWAY,
  ...{ bakerIp: "84.20.17.5", sshPublicKey: SSH_KEY, production: "true", authorizedKeys: "none" },
};

/** The program as Pulumi runs it, with another first boot and another release than the checkout's. */
export function program({ customData = "IyBvbmUK", content = "first" } = {}): () => Promise<Record<string, unknown>> {
  return async () => build(readSettings(), release(content), await earlierReleases(), customData);
}

/** The name in the program of the release with a content. */
export function released(content: string): string {
  return `release-${release(content).sha256.slice(0, 12)}`;
}

/** What an `up` from nothing makes, besides the components that hold it. */
export const RESOURCES = [
  "id",
  "group",
  "identity",
  "virtual-network",
  "firewall",
  "subnet",
  "address",
  "interface",
  "vault",
  "account",
  "watermarks",
  "table-role",
  "release-account",
  "release-container",
  "release-role",
  released("first"),
  "machine",
  "await-ready",
];

export const COMPONENTS = [
  "tezos-signer",
  "network",
  "key-vault",
  "watermark-table",
  "releases",
  "signer",
  "readiness",
] as const;

/** The engine's steps of a replacement of the machine, the old one first, and of what runs on it. */
export const MACHINE_REPLACED = ["machine", "await-ready"].flatMap((name) =>
  ["delete-replaced", "replace", "create-replacement"].map((step) => `${step} ${name}`),
);

export const VAULT = "azure-native:keyvault:Vault";
export const BLOB = "azure-native:storage:Blob";
export const MACHINE = "azure-native:compute:VirtualMachine";
export const RUN_COMMAND = "azure-native:compute:VirtualMachineRunCommandByVirtualMachine";

/** What shows and watches the signer's own figures: no stack of 0.2.0 had it. */
export const OWN_FIGURES = ["signer-not-ready", "watermark-refusal", "figures", "figures-role", "workbook"];

/** What `monitoring: true` makes of a stack whose machine's size saves up processor time. */
export const MONITORING = [
  ...["log", "audit-events", "people", "no-signature", "vault-errors", "vault-slow", "machine-unavailable"],
  ...["machine-tired", "alerts", ...OWN_FIGURES],
];

/** What it changes besides: the way to Azure Monitor, and the signer is told to send its figures. */
export const TOLD_OF_MONITORING = ["update firewall", "update machine", "update await-ready"];

/** One operation on each of the names. */
export function all(operation: string, names: readonly string[]): string[] {
  return names.map((name) => `${operation} ${name}`);
}

/** What Azure was asked for, in order. */
export function requests(cloud: Cloud): string[] {
  return cloud.calls.map(({ method, name }) => `${method} ${name}`);
}

/** What the machine is told. */
export function told(cloud: Cloud) {
  const [machine] = cloud.ofType(MACHINE);
  return JSON.parse(Buffer.from(text(machine?.inputs, "userData"), "base64").toString());
}

/** What stays when the machine is replaced: by id, so that a replacement would show. */
export function kept(cloud: Cloud): Record<string, unknown> {
  const found = [...cloud.resources.values()].filter(({ type }) => type !== MACHINE && type !== RUN_COMMAND);
  return Object.fromEntries(found.map(({ id, outputs }) => [id, outputs]));
}
