/**
 * `npm run bench:token`: what the signer adds to C_Sign alone with a key on SoftHSM2, measured beside it in the same run.
 * @module
 */
import { execFileSync } from "node:child_process";
import { globSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { commandLine, wholeNumberFrom } from "../test/emulators/command-line.ts";
import { startSignerProcess, temporaryFolder } from "../test/emulators/signer-process.ts";
import { attestation } from "../test/fixtures/payloads.ts";

const { rounds } = commandLine(
  "bench:token",
  "Signs with a key on SoftHSM2 by way of the signer, and by C_Sign alone in between, in a process of its own.",
)
  .option("--rounds <number>", "how often each way is measured", wholeNumberFrom(10), 300)
  .parse()
  .opts<{ rounds: number }>();

const [MODULE = ""] = globSync("/usr/lib/{softhsm,*/softhsm}/libsofthsm2.so");
const PIN = "123456";
const agent = new Agent({ keepAlive: true });

/** Makes a token with one key, by the tools of SoftHSM2 and OpenSC. */
async function makeToken(folder: string, curve: string): Promise<void> {
  process.env.SOFTHSM2_CONF = join(folder, "softhsm2.conf");
  await writeFile(process.env.SOFTHSM2_CONF, `directories.tokendir = ${folder}\nlog.level = ERROR\n`);
  await writeFile(join(folder, "pin"), PIN, { mode: 0o600 });
  const init = ["--init-token", "--free", "--label", "bench", "--pin", PIN, "--so-pin", "12345678"];
  execFileSync("softhsm2-util", init, { stdio: "ignore" });
  const key = ["--keypairgen", "--key-type", `EC:${curve}`, "--id", "01", "--label", "baker", "--usage-sign"];
  const token = ["--module", MODULE, "--token-label", "bench", "--login", "--pin", PIN];
  execFileSync("pkcs11-tool", [...token, ...key], { stdio: "ignore" });
}

/** C_SignInit and C_Sign, in this process and without the signer. */
function openDirectly(): () => void {
  const { PKCS11, ...code } = createRequire(new URL("../hardware/package.json", import.meta.url))("pkcs11js");
  const token = new PKCS11();
  token.load(MODULE);
  token.C_Initialize({ flags: code.CKF_OS_LOCKING_OK });
  const [slot] = token.C_GetSlotList(true);
  const session = token.C_OpenSession(slot, code.CKF_SERIAL_SESSION);
  token.C_Login(session, code.CKU_USER, PIN);
  token.C_FindObjectsInit(session, [{ type: code.CKA_CLASS, value: code.CKO_PRIVATE_KEY }]);
  const key = token.C_FindObjects(session);
  token.C_FindObjectsFinal(session);
  const [digest, signature] = [Buffer.alloc(32, 7), Buffer.alloc(256)];
  return () => {
    token.C_SignInit(session, { mechanism: code.CKM_ECDSA }, key);
    token.C_Sign(session, digest, signature);
  };
}

/** One request on a connection that is kept. @returns the body of a 200 */
function send(method: string, url: string, body?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`${method} ${url}: ${response.statusCode} ${text}`));
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** The mean of a stage, in milliseconds, from the signer's own metrics. */
async function stage(adminUrl: string, name: string): Promise<number> {
  const text = await send("GET", `${adminUrl}/metrics`);
  const read = (what: string) =>
    Number(new RegExp(`^tezos_signer_stage_seconds_${what}{stage="${name}"} (\\S+)$`, "m").exec(text)?.[1]);
  return (1_000 * read("sum")) / read("count");
}

const quantile = (times: readonly number[], share: number) =>
  times.toSorted((a, b) => a - b)[Math.floor(times.length * share)] ?? Number.NaN;

await using folder = await temporaryFolder();
await makeToken(folder.path, "prime256v1");
const settings = {
  listen: { port: 0 },
  admin: { port: 0 },
  keys: { kind: "pkcs11", module: MODULE, tokenLabel: "bench", pin: { file: "pin" } },
  watermarks: { kind: "sqlite", path: "watermarks.sqlite", initialise: "always", maxStep: "off" },
  policy: { default: { allow: ["attestation"] } },
};
await writeFile(join(folder.path, "settings.yaml"), JSON.stringify(settings));
await using signer = await startSignerProcess(folder.path, ["--config", "settings.yaml"]);
const [address = ""] = signer.addresses;
const direct = openDirectly();
let level = 0;
const times = { direct: [] as number[], signer: [] as number[] };
// The first tenth warms both up.
for (let round = -rounds / 10; round < rounds; round += 1) {
  const began = performance.now();
  direct();
  const between = performance.now();
  level += 1;
  await send("POST", `${signer.url}/keys/${address}`, `"${attestation({ level }).toString("hex")}"`);
  const ended = performance.now();
  if (round < 0) continue;
  times.direct.push(between - began);
  times.signer.push(ended - between);
}
agent.destroy();
const own = quantile(times.direct, 0.5);
for (const [name, all] of [
  ["C_SignInit and C_Sign alone", times.direct],
  ["an attestation, connection kept", times.signer],
] as const) {
  const p50 = quantile(all, 0.5);
  const columns = [p50, quantile(all, 0.95), p50 - own].map((time) => time.toFixed(2).padStart(8));
  console.log(
    `${name.padEnd(36)} p50 ${columns[0]}  p95 ${columns[1]}  added ${columns[2]}  ratio ${(p50 / own).toFixed(2)}`,
  );
}
console.log(`mean ms of the signer's stage "sign": ${(await stage(signer.adminUrl, "sign")).toFixed(2)}`);
