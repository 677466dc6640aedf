import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import type { TokenCredential } from "@azure/identity";
import { CertificateAuthority, type ServerCertificate } from "./key-vault/certificates.ts";

/** One of Azurite's services, in memory, over HTTPS, asking for tokens: a server that nobody here wrote. */
export interface Azurite {
  /** `https://127.0.0.1:PORT/devstoreaccount1` */
  readonly endpoint: string;
  readonly port: number;
  /** PEM of the authority that this process trusts, for processes of their own (NODE_EXTRA_CA_CERTS). */
  readonly ca: string;
  /** A certificate of that authority for 127.0.0.1. */
  readonly certificate: ServerCertificate;
}

type Service = "table" | "blob";

const DIST = resolve(import.meta.dirname, "../../node_modules/azurite/dist/src");

/** A question to each service that it answers once it is up. */
const PROBES: Readonly<Record<Service, string>> = { table: "/Tables", blob: "?comp=list" };

const running = new Map<Service, Promise<Azurite>>();

/** Started at first use, once a test run; ends with the process. From then on this process trusts its authority. */
export function azurite(service: Service = "table"): Promise<Azurite> {
  const started = running.get(service) ?? start(service);
  running.set(service, started);
  return started;
}

async function start(service: Service): Promise<Azurite> {
  const authority = new CertificateAuthority();
  const certificate = authority.issue(["127.0.0.1"]);
  const ca = authority.certificate;
  authority.close();
  setDefaultCACertificates([...getCACertificates("default"), ca]);

  const folder = mkdtempSync(join(tmpdir(), "azurite-"));
  writeFileSync(join(folder, "cert.pem"), certificate.cert);
  writeFileSync(join(folder, "key.pem"), certificate.key, { mode: 0o600 });
  const port = await freePort();
  const options = `--inMemoryPersistence --${service}Port ${port} --silent --disableTelemetry --oauth basic --skipApiVersionCheck`;
  const program = join(DIST, service, "main.js");
  const child = spawn(process.execPath, [program, ...options.split(" "), "--cert", "cert.pem", "--key", "key.pem"], {
    cwd: folder,
    stdio: "ignore",
  });
  child.unref();
  process.once("exit", () => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
  const endpoint = `https://127.0.0.1:${port}/devstoreaccount1`;
  await answers(`${endpoint}${PROBES[service]}`, child);
  return { endpoint, port, ca, certificate };
}

/** Asks until it answers, however long it takes to start. @throws Error where it ends, or answers with an error */
async function answers(url: string, child: ChildProcess): Promise<void> {
  for (;;) {
    const { token } = await storageToken();
    const headers = { Authorization: `Bearer ${token}`, "x-ms-version": "2021-12-02", Accept: "application/json" };
    const answer = await fetch(url, { headers }).catch(() => undefined);
    if (answer?.status === 200) return;
    if (answer !== undefined) throw new Error(`Azurite answers ${answer.status}`);
    if (child.exitCode !== null) throw new Error(`Azurite ended with ${child.exitCode} before it answered`);
    await sleep(100);
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
async function storageToken() {
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
}

export const tableCredential: TokenCredential = { getToken: storageToken };

function base64url(part: unknown): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}
