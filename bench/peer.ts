import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../test/emulators/azurite.ts";
import type { VaultAddress } from "./vault-process.ts";

/** Any tenant and client will do: the login is a stand-in. */
const TENANT = "0f1ba23c-6f7a-4c1e-8f57-3f3f9f6f0a01";

export interface Peer extends AsyncDisposable {
  readonly url: string;
  readonly child: ChildProcess;
}

/** Starts Signatory with its Azure driver on an emulated vault. @param program its path, as .ci/signatory prints it */
export async function startPeer(
  program: string,
  folder: string,
  { vault, login, clientId, ca }: VaultAddress,
  addresses: readonly string[],
): Promise<Peer> {
  const [port, utility] = [await freePort(), await freePort()];
  const base = join(folder, "signatory");
  await mkdir(base);
  const files = { settings: join(folder, "signatory.yaml"), ca: join(folder, "signatory-ca.pem") };
  const kinds = "{ log_payloads: false, allow: { block: , preattestation: , attestation: } }";
  await writeFile(files.ca, ca);
  await writeFile(
    files.settings,
    `base_dir: ${base}
server: { address: "127.0.0.1:${port}", utility_address: "127.0.0.1:${utility}" }
vaults:
  azure:
    driver: azure
    config: { vault: "${vault}/", tenant_id: "${TENANT}", client_id: "${clientId}", client_secret: x }
tezos:
${addresses.map((address) => `  ${address}: ${kinds}`).join("\n")}
`,
  );
  const child = spawn(program, ["serve", "-c", files.settings, "--log", "error"], {
    env: { ...process.env, HTTPS_PROXY: login, NO_PROXY: "127.0.0.1,localhost", SSL_CERT_FILE: files.ca },
    stdio: "ignore",
  });
  const url = `http://127.0.0.1:${port}`;
  while (!(await fetch(`${url}/authorized_keys`).catch(() => undefined))?.ok) {
    if (child.exitCode !== null) throw new Error(`Signatory ended with ${child.exitCode} before it answered`);
    await sleep(10);
  }
  return {
    url,
    child,
    [Symbol.asyncDispose]: async () => {
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
  };
}
