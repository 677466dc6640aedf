import { Agent as HttpAgent, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { sign } from "../test/emulators/octez-client.ts";
import { attestation, block, preattestation } from "../test/fixtures/payloads.ts";

/** How a request ended: 200, another status, or `none` where no answer came. */
export type Outcome = number | "none";

/** Asks once; the next call asks for the next thing. */
export type Ask = () => Promise<Outcome>;

/** The longest that an answer is waited for, in milliseconds. */
const PATIENCE = 10_000;

/** Sends one request on a connection of the agent's. @returns status and body */
export function send(
  method: string,
  url: string,
  options: { readonly agent: HttpAgent; readonly headers?: Readonly<Record<string, string>> },
  body?: string,
): Promise<{ readonly status: number; readonly text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  const request = url.startsWith("https:") ? requestHttps : requestHttp;
  const signal = AbortSignal.timeout(PATIENCE);
  const sent = request(url, { method, signal, ...options }, (response) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("error", reject);
    response.on("end", () =>
      resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
    );
  });
  sent.on("error", reject);
  sent.end(body);
  return promise;
}

/** Returns its status alone. */
const outcomeOf = (asked: Promise<{ readonly status: number }>): Promise<Outcome> =>
  asked.then(
    ({ status }) => status,
    () => "none" as const,
  );

/** Returns the payloads that a baker's keys are asked for: for each key in turn a preattestation, an attestation and a block. */
export function* payloads(addresses: readonly string[]): Generator<{ readonly address: string; readonly hex: string }> {
  for (let level = 1; ; level += 1) {
    for (const form of [preattestation, attestation, block]) {
      for (const address of addresses) yield { address, hex: form({ level }).toString("hex") };
    }
  }
}

/**
 * Asks a signer, as octez does (two requests, each on a connection of its own, and anew after a 502) or on connections that
 * are kept.
 */
export function askingSigner(url: string, addresses: readonly string[]): Readonly<Record<"octez" | "kept", Ask>> {
  const wanted = payloads(addresses);
  const agent = new HttpAgent({ keepAlive: true });
  return {
    octez: () => {
      const { address, hex } = wanted.next().value;
      return outcomeOf(sign(url, address, hex, { signal: AbortSignal.timeout(PATIENCE) }));
    },
    kept: () => {
      const { address, hex } = wanted.next().value;
      return outcomeOf(send("POST", `${url}/keys/${address}`, { agent }, `"${hex}"`));
    },
  };
}

/** Asks the vault itself for signatures, on connections that are kept. */
export async function askingVault(
  { vault, imds, clientId, ca }: { vault: string; imds: string; clientId: string; ca: string },
  { curve, count }: { curve: string; count: number },
): Promise<Ask> {
  const query = `api-version=2018-02-01&resource=https://vault.azure.net&client_id=${clientId}`;
  const once = { agent: new HttpAgent(), headers: { metadata: "true" } };
  const { text } = await send("GET", `${imds}/metadata/identity/oauth2/token?${query}`, once);
  const headers = { authorization: `Bearer ${JSON.parse(text).access_token}`, "content-type": "application/json" };
  const agent = new HttpsAgent({ keepAlive: true, ca });
  const body = JSON.stringify({ alg: curve === "P-256" ? "ES256" : "ES256K", value: "A".repeat(43) });
  let key = 0;
  return () => {
    key = (key + 1) % count;
    return outcomeOf(send("POST", `${vault}/keys/baker-${key}//sign?api-version=7.4`, { agent, headers }, body));
  };
}
