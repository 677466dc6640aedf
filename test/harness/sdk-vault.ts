import { createHash, createPublicKey, type JsonWebKey, verify as verifySignature } from "node:crypto";
import { KeyClient, type KeyVaultKey } from "@azure/keyvault-keys";
import { Imds } from "../emulators/imds/imds.ts";
import type { Permission } from "../emulators/key-vault/access.ts";
import { KeyVaultEmulator } from "../emulators/key-vault/emulator.ts";

export const ALL: Permission[] = [
  "get",
  "list",
  "create",
  "import",
  "update",
  "delete",
  "recover",
  "purge",
  "sign",
  "verify",
];
export const OPERATOR = {
  clientId: "0c8f1b7e-1111-4111-8111-111111111111",
  objectId: "0c8f1b7e-2222-4222-8222-222222222222",
};
export const digest = createHash("sha256").update("a digest").digest();

/** A client of the SDK as its documentation shows it, on the vault, with tokens as Imds would issue them. */
export function client(vault: KeyVaultEmulator, imds: Imds, lifetime = 3600): KeyClient {
  const credential = {
    getToken: async () => {
      const { token, claims } = imds.tokens.issue(OPERATOR, "https://vault.azure.net", lifetime);
      return { token, expiresOnTimestamp: claims.exp * 1000 };
    },
  };
  return new KeyClient(vault.url, credential, {
    allowInsecureConnection: true,
    disableChallengeResourceVerification: true,
    retryOptions: { maxRetries: 0 },
    ...(vault.authority === undefined ? {} : { tlsOptions: { ca: vault.authority.certificate } }),
  });
}

/** Runs a call that must fail, and gives what the SDK throws. */
export async function failure(
  call: Promise<unknown>,
): Promise<{ statusCode: number; code: string; details: { error: object } }> {
  try {
    await call;
  } catch (error) {
    return error as Awaited<ReturnType<typeof failure>>;
  }
  throw new Error("the call succeeded");
}

export const inner = (error: { details: { error: object } }) =>
  (error.details.error as { innerError?: object }).innerError;

/** Whether node:crypto accepts r || s over the message "a digest" by this key. */
export function good(key: KeyVaultKey, signature: Uint8Array): boolean {
  const encode = (part: Uint8Array | undefined) => Buffer.from(part ?? []).toString("base64url");
  const crv = key.key?.crv === "P-256" ? "P-256" : "secp256k1";
  const jwk = { kty: "EC", crv, x: encode(key.key?.x), y: encode(key.key?.y) } as JsonWebKey;
  const publicKey = createPublicKey({ key: jwk, format: "jwk" });
  return verifySignature("sha256", Buffer.from("a digest"), { key: publicKey, dsaEncoding: "ieee-p1363" }, signature);
}

/** Milliseconds that a deleted key is hidden: long enough for a slow computer to see it. */
export const DELETE_DELAY = 500;

/** A vault, the identities that it knows, and the SDK's client of whoever may do everything there. */
export class SdkVault implements AsyncDisposable {
  readonly imds: Imds;
  readonly vault: KeyVaultEmulator;
  readonly keys: KeyClient;

  private constructor(imds: Imds, vault: KeyVaultEmulator) {
    this.imds = imds;
    this.vault = vault;
    this.keys = client(vault, imds);
  }

  static async start(): Promise<SdkVault> {
    const imds = await Imds.start({ identities: [OPERATOR] });
    const vault = await KeyVaultEmulator.start({
      deleteDelay: DELETE_DELAY,
      tokens: imds.tokens,
      policies: { [OPERATOR.objectId]: ALL },
    });
    return new SdkVault(imds, vault);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.vault.stop(), this.imds.stop()]);
  }
}

/** A request by hand, for what the SDK cannot be made to send. */
export async function raw(
  vault: KeyVaultEmulator,
  imds: Imds,
  method: string,
  path: string,
  body?: object,
  version = "7.4",
) {
  const { token } = imds.tokens.issue(OPERATOR, "https://vault.azure.net", 60);
  const answer = await fetch(`${vault.url}${path}?api%2Dversion=${version}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return (await answer.json()) as Record<string, unknown>;
}
