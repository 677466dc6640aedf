/**
 * `npm run soak -- --minutes 10 --rate 50`: the whole signer in a process of its own, on an emulated vault with every fault
 * mixed, and with `--store table` on a table with faults as well, asked as octez asks. Ends with 1 if a request hung, a
 * signature was wrong, a position was signed twice, or memory, handles or sockets grew.
 * @module
 */
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Option } from "commander";
import { blake2b256 } from "../../signer/tezos/crypto/digest.ts";
import { publicKeyFromBase58 } from "../../signer/tezos/crypto/public-key.ts";
import { decodeSignature, verifySignature } from "../../signer/tezos/crypto/signature.ts";
import { azurite } from "../emulators/azurite.ts";
import { commandLine, numberFrom } from "../emulators/command-line.ts";
import { Imds } from "../emulators/imds/imds.ts";
import { KeyVaultEmulator } from "../emulators/key-vault/emulator.ts";
import { publicKey } from "../emulators/octez-client.ts";
import { startSignerProcess, temporaryFolder } from "../emulators/signer-process.ts";
import { type ProxyFault, tableProxy } from "../emulators/table-proxy.ts";
import { attestation, block, hash, preattestation } from "../fixtures/payloads.ts";

const { minutes, rate, store } = commandLine(
  "soak",
  "Runs the whole signer on an emulated vault with every fault mixed, asked as octez asks. Ends with 1 if a request hung, a " +
    "signature was wrong, a position was signed twice, or memory, handles or sockets grew.",
)
  .addOption(new Option("--store <kind>", "where watermarks are").choices(["sqlite", "table"]).default("sqlite"))
  .option("--minutes <number>", "how long it takes", numberFrom(0.1), 10)
  .option("--rate <number>", "positions that are asked for, a second", numberFrom(0.1), 50)
  .parse()
  .opts<{ minutes: number; rate: number; store: "sqlite" | "table" }>();
const DURATION = minutes * 60_000;
const INTERVAL = 1_000 / rate;
/** The signer's own deadline is 4 s. */
const LONGEST = 4_600;
/** Connections that may be open at the end and were not at the start: kept ones to vault and table. */
const MORE_HANDLES = 40;
/** Positions asked for at once: each takes two connections, and the signer accepts 256. */
const MOST_POSITIONS = 100;
const IDENTITY = { clientId: "11111111-2222-4333-8444-555555555555", objectId: "soak" };
const SIGN_FAULTS = [
  ...(["reset", "reset-reused", "truncate-body", "empty-body", "foreign-body", "unauthorized", "claims"] as const),
  ...(["wrong-signature", "other-key", "stall-headers", "stall-body"] as const),
].map((kind) => ({ kind, on: "sign", rate: 0.01 }));

/** What V8 may take on the machine. */
const UNIT = join(import.meta.dirname, "../../machine/files/etc/systemd/system/tezos-signer.service");
const V8_OPTIONS = readFileSync(UNIT, "utf8")
  .match(/--max-[a-z-]+=\d+/g)
  ?.join(" ");
const TABLE_FAULTS: readonly ProxyFault[] = [
  "reset",
  "lost-answer",
  "silence",
  "silence-afterwards",
  "busy",
  { delay: 100 },
];
/** Share of the table's requests. */
const TABLE_FAULT_RATE = 0.02;

const folder = await temporaryFolder();
const imds = await Imds.start({ identities: [IDENTITY], lifetime: 60 });
imds.faults.rate([500, 404, 429].map((status) => ({ kind: "status", status, rate: 0.1 })));
const vault = await KeyVaultEmulator.start({
  tokens: imds.tokens,
  policies: { [IDENTITY.objectId]: ["get", "list", "sign"] },
  latency: { median: 20, p99: 60 },
});
vault.createKey("baker", { crv: "P-256" });
vault.createKey("baker-secp", { crv: "P-256K" });
const service = store === "table" ? await azurite() : undefined;
const table = service && (await tableProxy(service));
await writeFile(join(folder.path, "ca.pem"), service?.ca ?? "");
const made = { initialise: "always", maxStep: "off" };
const settings = {
  listen: { port: 0 },
  admin: { port: 0 },
  keys: { kind: "azure-key-vault", vault: vault.url, clientId: IDENTITY.clientId },
  watermarks: table
    ? { kind: "azure-table", endpoint: table.endpoint, table: "soak", ...made }
    : { kind: "sqlite", path: "watermarks.db", ...made },
  policy: { default: { allow: ["block", "preattestation", "attestation"] } },
};
await writeFile(join(folder.path, "settings.yaml"), JSON.stringify(settings));
const signer = await startSignerProcess(folder.path, ["--config", join(folder.path, "settings.yaml")], {
  AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.url,
  NODE_OPTIONS: V8_OPTIONS,
  ...(service && { NODE_EXTRA_CA_CERTS: join(folder.path, "ca.pem") }),
});
const { pid } = signer.child;
if (table) {
  table.fault = () =>
    Math.random() < TABLE_FAULT_RATE ? TABLE_FAULTS[Math.floor(Math.random() * TABLE_FAULTS.length)] : undefined;
}
vault.faults.rate([
  ...SIGN_FAULTS,
  ...[429, 500, 503].map((status) => ({ kind: "status", status, on: "sign", rate: 0.02 }) as const),
  { kind: "status", status: 429, retryAfter: 20, on: "sign", rate: 0.01 },
]);

const violations: string[] = [];
process.on("unhandledRejection", (reason) => violations.push(`unhandled rejection: ${reason}`));
/** What was released: position -> digest, and block bytes -> signature. */
const digests = new Map<string, string>();
const signatures = new Map<string, string>();
const counts: Record<string, number> = {};
const times: number[] = [];
const agent = new Agent({ keepAlive: true });
const keys = await Promise.all(
  signer.addresses.map(async (address) => publicKeyFromBase58(await publicKey(signer.url, address))),
);
const forms = { block, preattestation, attestation } as const;

/** One request as octez makes it: asked again after a 502, ten times at most. */
async function ask(address: string, payload: Buffer): Promise<{ status: number; text: string }> {
  let answer = await post(address, payload);
  for (let tries = 1; tries < 10 && answer.status === 502; tries += 1) {
    await sleep(100 + tries * 60);
    answer = await post(address, payload);
  }
  return answer;
}

function post(address: string, payload: Buffer): Promise<{ status: number; text: string }> {
  const started = performance.now();
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  const headers = { "Content-Type": "application/json" };
  const sent = request(`${signer.url}/keys/${address}`, { method: "POST", agent, headers }, (response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
    });
    response.on("end", () => {
      const spent = performance.now() - started;
      times.push(spent);
      quarters[Math.min(3, Math.floor((4 * (Date.now() - start)) / DURATION))]?.push(spent);
      const status = response.statusCode ?? 0;
      counts[status] = (counts[status] ?? 0) + 1;
      if (spent > LONGEST) violations.push(`an answer took ${Math.round(spent)} ms`);
      resolve({ status, text });
    });
  });
  sent.on("error", reject);
  sent.end(JSON.stringify(payload.toString("hex")));
  return promise;
}

/** Asks for one position: by the same bytes twice at once, then by other bytes. */
async function position(level: number): Promise<void> {
  const key = keys[level % keys.length];
  if (key === undefined) throw new Error("there is no key");
  const kind = (["attestation", "preattestation", "block"] as const)[Math.floor(level / 2) % 3] ?? "block";
  const fields = { level, payloadHash: randomBytes(32) };
  const payload = forms[kind](fields);
  const [first, second] = await Promise.all([ask(key.address, payload), ask(key.address, payload)]);
  const other = await post(key.address, forms[kind]({ level, payloadHash: hash(9) }));
  const place = `${key.address} ${kind} ${level}`;
  for (const [bytes, answer] of [
    [payload, first],
    [payload, second],
  ] as const) {
    if (answer.status !== 200) continue;
    const { signature } = JSON.parse(answer.text);
    const digest = Buffer.from(blake2b256(bytes)).toString("hex");
    const good = verifySignature(key, blake2b256(bytes), decodeSignature(signature).bytes);
    if (!good) violations.push(`${place}: a wrong signature was released`);
    if ((digests.get(place) ?? digest) !== digest) violations.push(`${place}: two digests were signed`);
    digests.set(place, digest);
    if (kind === "block" && (signatures.get(digest) ?? signature) !== signature)
      violations.push(`${place}: a block has two signatures`);
    signatures.set(digest, signature);
  }
  if (other.status === 200) violations.push(`${place}: other bytes were signed`);
}

/** Memory of the signer's process (RSS). */
const mebibytes = () =>
  Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024);
const handles = () => readdirSync(`/proc/${pid}/fd`).length;
const start = Date.now();
let level = 1_000_000;
let nextOutage = start + 45_000;
let settledMemory = 0;
const idleHandles = handles();
let mostSockets = 0;
/** Answers of each quarter, to see whether they get later. */
const quarters: number[][] = [[], [], [], []];
const running = new Set<Promise<void>>();
while (Date.now() - start < DURATION) {
  await sleep(INTERVAL);
  if (running.size >= MOST_POSITIONS) continue;
  level += 1;
  const work = position(level)
    .catch((error) => void violations.push(`a request failed: ${error}`))
    .finally(() => running.delete(work));
  running.add(work);
  mostSockets = Math.max(mostSockets, vault.connections.open);
  if (Date.now() > nextOutage) {
    nextOutage += 60_000;
    void vault.goAway().then(async () => {
      await sleep(5_000);
      await vault.comeBack();
    });
    imds.revokeTokens();
  }
  if (settledMemory === 0 && Date.now() - start > DURATION / 4) settledMemory = mebibytes();
}
await Promise.all(running);
vault.faults.clear();
if (table) table.fault = () => undefined;
await sleep(10_000); // connections that nobody uses are closed
const memory = mebibytes();
const left = handles();
if (left > idleHandles + MORE_HANDLES) violations.push(`handles grew from ${idleHandles} to ${left}`);
if (memory > settledMemory * 1.3 + 20) violations.push(`memory grew from ${settledMemory} to ${memory} MiB`);
const at = (share: number, of = times) => Math.round(of.toSorted((a, b) => a - b)[Math.floor(of.length * share)] ?? 0);
console.log({ positions: level - 1_000_000, released: digests.size, answers: counts, signCalls: vault.calls.sign });
console.log({
  p50: at(0.5),
  p99: at(0.99),
  longest: at(0.999999),
  p99ByQuarter: quarters.map((quarter) => at(0.99, quarter)),
  memory: [settledMemory, memory],
  handles: [idleHandles, left],
  mostSockets,
  logLines: signer.log.length,
});
await signer.end("SIGTERM");
if (vault.connections.open > 0) violations.push(`${vault.connections.open} sockets are left`);
await Promise.all([vault.stop(), imds.stop()]);
agent.destroy();
await folder[Symbol.asyncDispose]();
for (const violation of violations.slice(0, 20)) console.error(violation);
console.log(`${violations.length} violations`);
process.exit(violations.length === 0 ? 0 : 1); // Azurite's process goes with this one
