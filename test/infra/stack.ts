import { EXAMPLE_SSH_KEY } from "../../infra/values.ts";
import type { Cloud } from "../support/azure/cloud.ts";

/** What the tests on Pulumi's engine share: the stack's names, and operations on them. */

export const NO_CLI = "no Pulumi CLI on PATH or in the cache; .ci/pulumi-cli builds one";

export const THROW_AWAY = { location: "northeurope", bakerIp: "203.0.113.7", sshPublicKey: EXAMPLE_SSH_KEY };

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
  "machine",
] as const;

export const COMPONENTS = ["network", "key-vault", "watermark-table", "signer"] as const;

/** The engine's steps of a replacement of the machine, the old one first. */
export const MACHINE_REPLACED = ["delete-replaced machine", "replace machine", "create-replacement machine"] as const;

export const VAULT = "azure-native:keyvault:Vault";
export const MACHINE = "azure-native:compute:VirtualMachine";

/** One operation on each of the names. */
export function all(operation: string, names: readonly string[]): string[] {
  return names.map((name) => `${operation} ${name}`);
}

/** What Azure was asked for, in order. */
export function requests(cloud: Cloud): string[] {
  return cloud.calls.map(({ method, name }) => `${method} ${name}`);
}

/** What stays when the machine is replaced: by id, so that a replacement would show. */
export function kept(cloud: Cloud): Record<string, unknown> {
  const found = [...cloud.resources.values()].filter(({ type }) => type !== MACHINE);
  return Object.fromEntries(found.map(({ id, outputs }) => [id, outputs]));
}
