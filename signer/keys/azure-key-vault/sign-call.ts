/**
 * The one call of the hot path, without the SDK: its layers cost half a millisecond of each signature (docs/performance.md).
 * Everything else that is asked of a vault goes through the SDK.
 * @module
 */
import { randomUUID } from "node:crypto";
import type { Agent } from "node:http";
import { http, https } from "../../network/node-http.ts";
import { type VaultAnswer, VaultFault } from "./fault.ts";
import type { UsableKey } from "./key-selection.ts";

/** The version of Key Vault's data plane that the SDK uses too. */
export const API_VERSION = "2025-07-01";
/** Bytes that an answer may have; a signature's has about 250. */
const MOST = 65_536;

/** A signature that is wanted: learn.microsoft.com/rest/api/keyvault/keys/sign. */
export interface SignCall {
  readonly url: URL;
  readonly body: string;
  /** The vault's own logs know the call by it. */
  readonly requestId: string;
}

/**
 * Describes a call for a signature by one version of a key, so that a rotation changes nothing.
 * @param vault `https://NAME.vault.azure.net`
 * @param digest 32 bytes
 */
export function signCall(vault: string, { name, version, algorithm }: UsableKey, digest: Uint8Array): SignCall {
  return {
    url: new URL(`/keys/${name}/${version}/sign?api-version=${API_VERSION}`, vault),
    body: JSON.stringify({ alg: algorithm, value: Buffer.from(digest).toString("base64url") }),
    requestId: randomUUID(),
  };
}

/** Reads r || s out of a good answer. @throws VaultFault `answer` where there is none */
export function signatureOf({ bodyAsText, status }: VaultAnswer): Uint8Array {
  const { value } = JSON.parse(bodyAsText ?? "{}") as { value?: unknown };
  if (typeof value !== "string") throw new VaultFault("answer", "Its answer holds no signature.", { status });
  return Buffer.from(value, "base64url");
}

/**
 * Sends a call once, on a connection of the agent's.
 * @param signal ends it
 * @throws what the connection broke with
 */
export function send(
  { url, body, requestId }: SignCall,
  { agent, token, signal }: { readonly agent: Agent; readonly token: string; readonly signal: AbortSignal },
): Promise<VaultAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<VaultAnswer>();
  const headers = {
    authorization: `Bearer ${token}`,
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    accept: "application/json",
    "x-ms-client-request-id": requestId,
  };
  const options = { method: "POST", agent, headers, signal };
  const sent = (url.protocol === "https:" ? https : http).request(url, options, (response) => {
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => {
      text += chunk;
      if (text.length > MOST) response.destroy(new VaultFault("answer", `It answered more than ${MOST} characters.`));
    });
    response.on("error", (error) => reject(response.complete || signal.aborted ? error : brokenOff(error)));
    response.on("end", () =>
      resolve({
        status: response.statusCode ?? 0,
        headers: { get: (name) => response.headers[name]?.toString() },
        bodyAsText: text,
      }),
    );
  });
  sent.on("error", reject);
  sent.end(body);
  return promise;
}

/** An answer that ends before its end is none: what came of it is not read. */
function brokenOff(error: Error): Error {
  return error instanceof VaultFault ? error : new VaultFault("answer", `Its answer broke off (${error.message}).`);
}
