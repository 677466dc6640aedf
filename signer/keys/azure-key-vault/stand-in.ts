import type { Logger } from "pino";
import { inProcessAgent } from "../../network/in-process.ts";
import { http } from "../../network/node-http.ts";
import type { PublicKey } from "../../tezos/crypto/public-key.ts";
import { FaultLog } from "../fault-log.ts";
import type { StandInBackend } from "../keyring.ts";
import { VaultClient } from "./client.ts";
import { VaultKey } from "./signing-key.ts";

/** Nobody is asked at this address: the connection ends in this process. */
const VAULT = "http://127.0.0.1:9";
/** One try, in milliseconds. */
const TRY_TIMEOUT = 1_000;
const DAY = 86_400_000;

/** Makes vault keys whose vault is a server in this process: all that a signature passes but the network and the HSM. */
export function standInVault(logger: Logger): StandInBackend {
  let answer = "";
  const server = http.createServer((request, response) => {
    request.resume();
    response.setHeader("content-type", "application/json; charset=utf-8");
    response.end(answer);
  });
  server.keepAliveTimeout = 0;
  const client = new VaultClient({
    vault: VAULT,
    agent: inProcessAgent(server),
    credential: { getToken: async () => ({ token: "none", expiresOnTimestamp: Date.now() + DAY }) },
    log: new FaultLog(logger, "the stand-in of a vault"),
    tryTimeout: TRY_TIMEOUT,
  });
  return {
    key: (publicKey: PublicKey, signature: Uint8Array) => {
      answer = JSON.stringify({ kid: VAULT, value: Buffer.from(signature).toString("base64url") });
      const usable = { name: "none", version: "0".repeat(32), id: VAULT, publicKey, algorithm: "ES256" };
      return new VaultKey(usable, client, () => undefined);
    },
    close: () => client.close(),
  };
}
