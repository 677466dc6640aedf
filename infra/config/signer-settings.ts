/**
 * The signer's settings file as the stack writes it: into the VM's userData, where the signer polls it.
 * Pure. The file's form is the signer's own: signer/settings/schema.ts.
 * @module
 */

import {
  CONFIRMATION_SOCKET,
  CONSENSUS_KINDS,
  METRICS_FOLDER,
  METRICS_PORT,
  SIGNER_PORT,
} from "../../signer/contract.ts";
import { parseSettings, SettingsError } from "../../signer/settings/parse.ts";
import type { StackConfig } from "./schema.ts";

/** What the signer's settings take from the stack's configuration. */
export type SignerConfig = Pick<
  StackConfig,
  | "production"
  | "initialise"
  | "authorizedKeys"
  | "head"
  | "policy"
  | "chains"
  | "confirm"
  | "location"
  | "metricsIp"
  | "monitoring"
>;

/** Names assigned by Azure to the stack's resources. */
export interface ResourceNames {
  readonly vaultUri: string;
  readonly tableEndpoint: string;
  readonly table: string;
  readonly storeId: string;
  /** Client id of the machine's identity. */
  readonly clientId: string;
  /** Id of the machine. */
  readonly machineId: string;
}

/** Stands in for what is not known before the first `up`, so that a preview can judge all the rest. */
const EXAMPLE: ResourceNames = {
  vaultUri: "https://tezos-0123456789abcdef.vault.azure.net",
  tableEndpoint: "https://tezos0123456789abcdef.table.core.windows.net",
  table: "watermarks",
  storeId: "0123456789abcdef",
  clientId: "00000000-0000-4000-8000-000000000000",
  machineId:
    "/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/signer",
};

/**
 * Writes the settings as JSON, which is YAML, in a fixed order, so that equal settings are equal bytes.
 * A test stack may begin with empty watermarks at any time and at any level; a production stack may not.
 */
export function signerSettings(config: SignerConfig, azure: ResourceNames): string {
  const { production, initialise, authorizedKeys, head } = config;
  const authenticates = authorizedKeys !== "none" && authorizedKeys.length > 0;
  return JSON.stringify({
    listen: { host: "0.0.0.0", port: SIGNER_PORT },
    keys: {
      kind: "azure-key-vault",
      vault: azure.vaultUri,
      include: "all",
      credential: "managed-identity",
      clientId: azure.clientId,
    },
    watermarks: {
      kind: "azure-table",
      endpoint: azure.tableEndpoint,
      table: azure.table,
      storeId: azure.storeId,
      initialise: initialise ?? (production ? undefined : "always"),
      maxStep: production ? 100 : "off",
    },
    policy: policy(config),
    confirmation: { socket: CONFIRMATION_SOCKET },
    authentication: authenticates ? { keys: authorizedKeys } : undefined,
    listKnownKeys: true,
    head,
    metrics: config.metricsIp.length > 0 ? METRICS : undefined,
    azureMonitor: config.monitoring
      ? {
          endpoint: `https://${config.location}.monitoring.azure.com`,
          resource: azure.machineId,
          clientId: azure.clientId,
        }
      : undefined,
  });
}

/** Who may read is left to the two firewalls: another address restarts nothing. The name is its certificate's. */
const METRICS = {
  host: "0.0.0.0",
  port: METRICS_PORT,
  names: ["tezos-signer"],
  token: { file: `${METRICS_FOLDER}/token` },
  tls: { cert: `${METRICS_FOLDER}/cert.pem`, key: `${METRICS_FOLDER}/key.pem` },
};

/** Returns the policy as configured, or the default: blocks and (pre)attestations, and what `confirm` names by hand. */
function policy({ policy, chains, confirm }: SignerConfig): Record<string, unknown> {
  const fallback = {
    // What a baker signs by itself, and so cannot wait for a person.
    default: { allow: CONSENSUS_KINDS, ...(confirm.length > 0 ? { confirm } : {}) },
  };
  return Object.fromEntries(Object.entries(policy ?? fallback).map(([who, rules]) => [who, { chains, ...rules }]));
}

/**
 * Azure takes 64 KiB of userData in base64, 48 KiB as it is (virtual-machines, user-data). Beside the settings stand the
 * release and the machine's maintenance, and the addresses that may read the metrics.
 */
const MOST_BYTES = 47 * 1024;

/** Says that Azure would refuse what the machine is told, by its length; undefined where it takes it. */
export function tooLong(config: SignerConfig): string | undefined {
  const bytes = Buffer.byteLength(signerSettings(config, EXAMPLE) + config.metricsIp.map(({ text }) => text).join());
  if (bytes <= MOST_BYTES) return undefined;
  return `the machine would be told ${bytes} bytes, and Azure takes ${MOST_BYTES}: name fewer keys, kinds or clients`;
}

/** Returns what the signer would refuse at its start, in the signer's words, so that a preview refuses it. */
export function signerMistakes(config: SignerConfig): readonly string[] {
  try {
    parseSettings(signerSettings(config, EXAMPLE), "the signer's settings");
    return [];
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.mistakes;
  }
}
