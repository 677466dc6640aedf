import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { TableServiceClient } from "@azure/data-tables";
import type { TokenCredential } from "@azure/identity";
import { CertificateAuthority, type ServerCertificate } from "./key-vault/certificates.ts";

/** Azurite's table service, in memory, over HTTPS, asking for tokens: a server that nobody here wrote. */
export interface Azurite {
  /** `https://127.0.0.1:PORT/devstoreaccount1` */
  readonly endpoint: string;
  readonly port: number;
  /** PEM of the authority that this process trusts, for processes of their own (NODE_EXTRA_CA_CERTS). */
  readonly ca: string;
  /** A certificate of that authority for 127.0.0.1. */
  readonly certificate: ServerCertificate;
}

const PROGRAM = resolve(import.meta.dirname, "../../node_modules/azurite/dist/src/table/main.js");

/** Started at first use, once a test run; ends with the process. From then on this process trusts its authority. */
export function azurite(): Promise<Azurite> {
  running ??= start();
  return running;
}

let running: Promise<Azurite> | undefined;

async function start(): Promise<Azurite> {
  const authority = new CertificateAuthority();
  const certificate = authority.issue(["127.0.0.1"]);
  const ca = authority.certificate;
  authority.close();
  setDefaultCACertificates([...getCACertificates("default"), ca]);

  const folder = mkdtempSync(join(tmpdir(), "azurite-"));
  writeFileSync(join(folder, "cert.pem"), certificate.cert);
  writeFileSync(join(folder, "key.pem"), certificate.key, { mode: 0o600 });
  const port = await freePort();
  const options = `--inMemoryPersistence --tablePort ${port} --silent --disableTelemetry --oauth basic --skipApiVersionCheck`;
  const child = spawn(process.execPath, [PROGRAM, ...options.split(" "), "--cert", "cert.pem", "--key", "key.pem"], {
    cwd: folder,
    stdio: "ignore",
  });
  child.unref();
  process.once("exit", () => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
  const endpoint = `https://127.0.0.1:${port}/devstoreaccount1`;
  await answers(endpoint);
  return { endpoint, port, ca, certificate };
}

async function answers(endpoint: string): Promise<void> {
  const client = new TableServiceClient(endpoint, tableCredential, { retryOptions: { maxRetries: 0 } });
  for (let tries = 0; ; tries++) {
    try {
      await client.listTables().next();
      return;
    } catch (error) {
      if (tries === 150) throw error;
      await sleep(100);
    }
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** A token as Azurite checks it: issuer, audience and times, not the signature. */
export const tableCredential: TokenCredential = {
  async getToken() {
    const now = Math.floor(Date.now() / 1_000);
    const claims = {
      iss: "https://sts.windows.net/ab1f708d-50f6-404c-a006-d71b2ac7a606/",
      aud: "https://storage.azure.com",
      nbf: now - 60,
      iat: now - 60,
      exp: now + 3_600,
    };
    const token = [{ alg: "none", typ: "JWT" }, claims].map((part) => base64url(part)).join(".");
    return { token: `${token}.${base64url("unsigned")}`, expiresOnTimestamp: (now + 3_600) * 1_000 };
  },
};

function base64url(part: unknown): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}
