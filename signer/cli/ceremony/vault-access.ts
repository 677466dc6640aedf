import type { KeyClient, KeyVaultKey } from "@azure/keyvault-keys";
import { type PublicKey, publicKeyFromJwk } from "../../tezos/crypto/public-key.ts";
import { Failure } from "../failure.ts";

/** How a command reaches a vault. @param url as parseVaultUrl gives it */
export type Connect = (url: string) => Promise<KeyClient>;

/**
 * Connects as whoever is signed in on the operator's computer (`az login`).
 * Azure's libraries are loaded here and not above, so that the offline commands load nothing that speaks to a network.
 */
export async function connect(url: string): Promise<KeyClient> {
  const [{ keyVaultSdk }, { azureCredential }, { sentByOwnAgents }] = await Promise.all([
    import("../../azure/sdk.ts"),
    import("../../azure/credential.ts"),
    import("../../azure/sdk-requests.ts"),
  ]);
  const isEmulator = url.startsWith("http:");
  const { KeyClient } = keyVaultSdk();
  return new KeyClient(url, await azureCredential({ credential: "default" }), {
    ...sentByOwnAgents(),
    allowInsecureConnection: isEmulator,
    disableChallengeResourceVerification: isEmulator,
    retryOptions: { maxRetries: 2, retryDelayInMs: 500 },
  });
}

/** What is being done to a vault, for the sentence that explains why it failed. */
export interface Task {
  readonly vault: string;
  /** The key permission that it takes. */
  readonly permission: "get" | "list" | "create" | "import" | "update";
  /** The key's name, where it has one. */
  readonly name?: string;
}

/** The parts of an error of the vault that say what happened; any may be missing. */
interface ServiceError extends Error {
  readonly statusCode?: number;
  readonly code?: string;
  readonly details?: { readonly error?: { readonly innerError?: { readonly code?: string } } };
}

const UNREACHED = ["ENOTFOUND", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "EAI_AGAIN", "REQUEST_SEND_ERROR"];
const SIGN_IN_ERRORS = [
  "AggregateAuthenticationError",
  "AuthenticationError",
  "AuthenticationRequiredError",
  "CredentialUnavailableError",
];

/** Runs a call to the vault; whatever fails is a Failure that says what to do. */
export async function perform<T>(task: Task, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw explain(task, error as ServiceError);
  }
}

/** Finds a key of the vault, or undefined if there is none of that name. */
export async function findKey(client: KeyClient, name: string, version?: string): Promise<KeyVaultKey | undefined> {
  const task: Task = { vault: client.vaultUrl, permission: "get", name };
  return await perform(task, () => client.getKey(name, version === undefined ? {} : { version })).catch((error) => {
    if (error instanceof Failure && error.exit === "not-found") return undefined;
    throw error;
  });
}

/** Gets a key of the vault that must be there. @throws Failure `not-found` */
export async function getKey(client: KeyClient, name: string): Promise<KeyVaultKey> {
  return await perform({ vault: client.vaultUrl, permission: "get", name }, () => client.getKey(name));
}

/** Makes the Tezos public key of a vault's EC key. @throws Failure `unusable` for any other key */
export function publicKeyOf(key: KeyVaultKey): PublicKey {
  try {
    return publicKeyFromJwk({ crv: key.key?.crv, x: key.key?.x, y: key.key?.y });
  } catch (error) {
    throw new Failure("unusable", `The vault's key ${key.name} is no Tezos key: ${(error as Error).message}.`, {
      cause: error,
    });
  }
}

/** Words the error of a vault call as a sentence that helps. */
export function explain(task: Task, error: ServiceError): Failure {
  const { host } = new URL(task.vault);
  const failure = (exit: Failure["exit"], message: string) => new Failure(exit, message, { cause: error });
  if (SIGN_IN_ERRORS.includes(error.name)) {
    return failure(
      "not-signed-in",
      `Azure does not know who you are. Sign in with "az login", to the tenant of the vault ${host}.`,
    );
  }
  if (UNREACHED.includes(error.code ?? "")) {
    return failure(
      "unavailable",
      `The vault ${host} was not reached (${error.code}). Check its name and this computer's network.`,
    );
  }
  switch (error.statusCode) {
    case 400:
      return failure("unusable", `The vault refused the request as malformed: ${firstLine(error)}`);
    case 401:
      return failure("not-signed-in", `The vault does not accept this sign-in: ${firstLine(error)}`);
    case 403:
      return failure("refused", refusal(task, host, error));
    case 404:
      return failure("not-found", `The vault ${host} has no key ${task.name ?? ""}. "keys list" shows what it has.`);
    case 409:
      return failure("exists", conflict(task, host, error));
    case 429:
      return failure("unavailable", "The vault is asked too often now. Wait a minute and try again.");
    default: {
      const isServer = (error.statusCode ?? 0) >= 500;
      const status = error.statusCode === undefined ? "" : ` (${error.statusCode})`;
      return failure(isServer ? "unavailable" : "failed", `The vault failed${status}: ${firstLine(error)}`);
    }
  }
}

function refusal(task: Task, host: string, error: ServiceError): string {
  const inner = error.details?.error?.innerError?.code ?? "";
  if (inner.startsWith("ForbiddenByFirewall") || /Client address is not authorized/i.test(error.message)) {
    const address = /Client address: ([0-9a-fA-F.:]+)/.exec(error.message)?.[1] ?? "this computer's address";
    return `The vault's firewall does not let ${address} in. Let it in while you import keys:\n  pulumi config set --path keyImporter.ip ${address}\n  npm run up`;
  }
  if (inner === "ForbiddenByConnection") {
    return `The vault ${host} is closed to the internet. Run the command inside its network.`;
  }
  if (/disabled/i.test(inner)) return `The key ${task.name ?? ""} is disabled in the vault ${host}.`;
  return `Whoever is signed in here lacks the permission "keys ${task.permission}" on the vault ${host}. Give it, and wait a minute:\n  pulumi config set --path keyImporter.objectId "$(az ad signed-in-user show --query id -o tsv)"\n  npm run up`;
}

function conflict(task: Task, host: string, error: ServiceError): string {
  const inner = error.details?.error?.innerError?.code;
  if (inner === "ObjectIsDeletedButRecoverable") {
    return `A deleted key of the name ${task.name ?? ""} still holds that name in the vault ${host}, until its retention ends. Choose another name, or bring it back with: az keyvault key recover`;
  }
  if (inner === "ObjectIsBeingDeleted") {
    return `A key of the name ${task.name ?? ""} is being deleted. Choose another name, or try again in a minute.`;
  }
  return `The vault reports a conflict: ${firstLine(error)}`;
}

function firstLine(error: Error): string {
  return (error.message.split(/[\r\n]/)[0] ?? "").slice(0, 300);
}
