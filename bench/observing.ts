/**
 * `npm run bench:observing`: what it costs a signature that the signer is watched. Two signers stand side by side in one
 * run, and take turns; of the one everything is asked once a second. Their ratio is the answer: absolute times say little
 * about another computer.
 * @module
 */
import { writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { AzureMonitor } from "../test/emulators/azure-monitor.ts";
import { commandLine, wholeNumberFrom } from "../test/emulators/command-line.ts";
import { Imds } from "../test/emulators/imds/imds.ts";
import { KeyVaultEmulator } from "../test/emulators/key-vault/emulator.ts";
import { type SignerProcess, startSignerProcess, temporaryFolder } from "../test/emulators/signer-process.ts";
import { attestation } from "../test/fixtures/payloads.ts";

const { signatures } = commandLine(
  "bench:observing",
  "Has two signers sign in turns, the same number each, with keys in one emulated vault. Of the one /metrics, /readyz, the " +
    "status page and /status are asked once a second, by its admin port and its metrics port, and it sends its figures to an " +
    "emulated Azure Monitor. Prints both times, and their ratio.",
)
  .option("--signatures <number>", "how many each of them makes", wholeNumberFrom(100), 20_000)
  .parse()
  .opts<{ signatures: number }>();

const SIGNER = { clientId: "0b4dd1f2-6f3a-4bd5-9b5c-2f8f3f0f6f02", objectId: "7a0c1f0e-3f57-4a55-8a39-51d0b1f0aa03" };
const MACHINE =
  "/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/signer";
const TOKEN = "0123456789abcdefghijklmnop";
const METRICS_PORT = 19_584;

const agent = new Agent({ keepAlive: true });

/** One request on a connection that is kept. @returns the status, once all of the answer is there */
function send(url: string, headers: Record<string, string> = {}, body?: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? "GET" : "POST";
    const sent = request(url, { method, agent, headers }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode ?? 0));
    });
    sent.on("error", reject).end(body);
  });
}

/** Everything that anybody may look at, once. */
async function look({ adminUrl }: SignerProcess): Promise<void> {
  const token = { authorization: `Bearer ${TOKEN}` };
  const port = `http://127.0.0.1:${METRICS_PORT}`;
  for (const path of ["/metrics", "/readyz", "/status", "/"]) await send(`${adminUrl}${path}`);
  for (const path of ["/metrics", "/readyz", "/"]) await send(`${port}${path}`, token);
}

function quantile(times: readonly number[], share: number): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * share)] ?? Number.NaN;
}

await using folder = await temporaryFolder();
const imds = await Imds.start({ identities: [SIGNER] });
const vault = await KeyVaultEmulator.start({
  tokens: imds.tokens,
  policies: { [SIGNER.objectId]: ["get", "list", "sign"] },
});
vault.createKey("baker", { crv: "P-256" });
const monitor = await AzureMonitor.start(imds.tokens, MACHINE);
monitor.publishers.add(SIGNER.objectId);
await writeFile(join(folder.path, "token"), TOKEN, { mode: 0o600 });

async function start(name: string, more: object): Promise<SignerProcess> {
  const file = join(folder.path, `${name}.yaml`);
  const settings = {
    listen: { port: 0 },
    admin: { port: 0 },
    keys: { kind: "azure-key-vault", vault: vault.url, clientId: SIGNER.clientId },
    watermarks: { kind: "sqlite", path: `${name}.sqlite`, initialise: "always", maxStep: "off" },
    policy: { default: { allow: ["attestation"] } },
    ...more,
  };
  await writeFile(file, JSON.stringify(settings));
  return startSignerProcess(folder.path, ["--config", file], { AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.url });
}

await using unwatched = await start("unwatched", {});
await using watched = await start("watched", {
  metrics: { port: METRICS_PORT, token: { file: "token" } },
  azureMonitor: { endpoint: monitor.url, resource: MACHINE, clientId: SIGNER.clientId },
});
const [address = ""] = watched.addresses;
const times = { unwatched: [] as number[], watched: [] as number[] };
let looks = 0;
let [again, missed] = [0, 0];
let looking = Promise.resolve();
const clock = setInterval(() => {
  looks += 1;
  looking = looking
    .then(() => look(watched))
    .catch(() => {
      missed += 1;
    });
}, 1_000);
try {
  const warmUp = signatures / 10;
  for (let level = 1; level <= warmUp + signatures; level += 1) {
    const body = `"${attestation({ level }).toString("hex")}"`;
    // Who is first changes, so that neither always follows the other.
    const names = Math.random() < 0.5 ? (["unwatched", "watched"] as const) : (["watched", "unwatched"] as const);
    for (const name of names) {
      const { url } = name === "watched" ? watched : unwatched;
      const started = performance.now();
      let status = await send(`${url}/keys/${address}`, {}, body);
      // On a busy computer the vault may be late: octez asks again, and so does this, by the same clock.
      for (; status === 502; again += 1) status = await send(`${url}/keys/${address}`, {}, body);
      if (status !== 200) throw new Error(`${name}: ${status}`);
      if (level > warmUp) times[name].push(performance.now() - started);
    }
  }
} finally {
  clearInterval(clock);
  await looking;
  await Promise.all([vault.stop(), imds.stop(), monitor.stop()]);
  agent.destroy();
}
const seen = `all was looked at ${looks - missed} times, and sent ${monitor.calls} times`;
console.log(`${signatures} signatures each, in turns, ${again} of them asked for again; ${seen}`);
for (const [name, all] of Object.entries(times)) {
  const columns = [0.5, 0.99, 0.999].map((share) => quantile(all, share).toFixed(2).padStart(8));
  console.log(`${name.padEnd(10)} p50 ${columns[0]}  p99 ${columns[1]}  p99.9 ${columns[2]}`);
}
const ratios = [0.5, 0.99].map((share) =>
  (quantile(times.watched, share) / quantile(times.unwatched, share)).toFixed(3),
);
console.log(`ratio      p50 ${ratios[0]}  p99 ${ratios[1]}`);
