/**
 * The signer's settings file as the stack writes it: into the VM's userData, where the signer polls it.
 * Pure. The file's form is the signer's own: signer/settings/schema.ts.
 * @module
 */
import { parseSettings, SettingsError } from "../../signer/settings/parse.ts";
import { SIGNER_PORT } from "../firewall.ts";
import type { Settings } from "./schema.ts";

/** What only Azure can tell: the names that the stack's resources were given. */
export interface Surroundings {
  readonly vaultUri: string;
  readonly tableEndpoint: string;
  readonly table: string;
  readonly storeId: string;
  /** Client id of the machine's identity. */
  readonly clientId: string;
}

/** Stands in for what is not known before the first `up`, so that a preview can judge all the rest. */
const EXAMPLE: Surroundings = {
  vaultUri: "https://tezos-0123456789abcdef.vault.azure.net",
  tableEndpoint: "https://tezos0123456789abcdef.table.core.windows.net",
  table: "watermarks",
  storeId: "0123456789abcdef",
  clientId: "00000000-0000-4000-8000-000000000000",
};

/**
 * The settings as text: JSON, which is YAML, in a fixed order, so that equal settings are equal bytes.
 * A throw-away stack may begin with empty watermarks at any time and at any level; a production stack may not.
 */
export function signerSettings(settings: Settings, azure: Surroundings): string {
  const { production, initialise, authorizedKeys, head } = settings;
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
    policy: policy(settings),
    confirmation: { socket: "/run/tezos-signer/confirm.sock" },
    authentication: authorizedKeys.length > 0 ? { keys: authorizedKeys } : undefined,
    listKnownKeys: true,
    head,
  });
}

/** The policy as configured, or the default: blocks and (pre)attestations, and what `confirm` names by hand. */
function policy({ policy, chains, confirm }: Settings): Record<string, unknown> {
  const fallback = {
    default: { allow: ["block", "preattestation", "attestation"], ...(confirm.length > 0 ? { confirm } : {}) },
  };
  return Object.fromEntries(Object.entries(policy ?? fallback).map(([who, rules]) => [who, { chains, ...rules }]));
}

/** Which key of the stack a part of the signer's settings comes from; the first that fits. */
const SOURCES: readonly (readonly [path: RegExp, key: string])[] = [
  [/^policy\.[^.]+\.chains/, "chains"],
  [/^policy\.[^.]+\.confirm/, "confirm"],
  [/^policy/, "policy"],
  [/^authentication/, "authorizedKeys"],
  [/^watermarks\.initialise/, "initialise"],
  [/^head/, "head"],
];

/** What the signer would refuse at its start, so that a preview refuses it: the stack's key, and the signer's words. */
export function signerMistakes(settings: Settings): { key: string; problem: string }[] {
  try {
    parseSettings(signerSettings(settings, EXAMPLE), "the signer's settings");
    return [];
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.mistakes.map((problem) => ({
      key: SOURCES.find(([path]) => path.test(problem))?.[1] ?? "the stack",
      problem: `the signer refuses ${problem}`,
    }));
  }
}
