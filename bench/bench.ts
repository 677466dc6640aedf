/**
 * `npm run bench`: what the signer adds to the vault's own time, measured beside it in the same run. Absolute times say
 * little about another computer; the ratios say what a baker would see.
 * @module
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { commandLine, numberFrom, wholeNumberFrom } from "../test/emulators/command-line.ts";
import { sign } from "../test/emulators/octez-client.ts";
import { startSignerProcess, temporaryFolder } from "../test/emulators/signer-process.ts";
import { attestation, block } from "../test/fixtures/payloads.ts";

const { rounds, delay } = commandLine(
  "bench",
  "Signs with keys in an emulated vault whose HSM takes --delay milliseconds, and asks that vault directly in between. " +
    "Prints what the signer adds, as a ratio to the vault's own time in the same run, and the signer's mean time by stage.",
)
  .option("--rounds <number>", "how often each way is measured", wholeNumberFrom(10), 300)
  .option("--delay <number>", "what a signature takes in the HSM, in milliseconds", numberFrom(0), 20)
  .parse()
  .opts<{ rounds: number; delay: number }>();

interface Vault {
  readonly child: ChildProcess;
  readonly vault: string;
  readonly imds: string;
  readonly clientId: string;
}

async function startVault(curve: string): Promise<Vault> {
  const child = fork(join(import.meta.dirname, "vault-process.ts"), [curve, String(delay)]);
  const [told] = (await once(child, "message")) as [Omit<Vault, "child">];
  return { child, ...told };
}

const agent = new Agent({ keepAlive: true });

/** One request on a connection that is kept. @returns the body of a 200 */
function send(method: string, url: string, headers: Record<string, string>, body?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, agent, headers }, (response) => {
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

async function askVault({ vault, imds, clientId }: Vault, curve: string): Promise<() => Promise<unknown>> {
  const query = `api-version=2018-02-01&resource=https://vault.azure.net&client_id=${clientId}`;
  const token = await send("GET", `${imds}/metadata/identity/oauth2/token?${query}`, { metadata: "true" });
  const headers = {
    authorization: `Bearer ${JSON.parse(token).access_token}`,
    "content-type": "application/json",
  };
  const body = JSON.stringify({ alg: curve === "P-256" ? "ES256" : "ES256K", value: "A".repeat(43) });
  return () => send("POST", `${vault}/keys/baker//sign?api-version=7.4`, headers, body);
}

/** The mean of each stage, in milliseconds, from the signer's own metrics. */
async function stages(adminUrl: string): Promise<string> {
  const text = await send("GET", `${adminUrl}/metrics`, {});
  const read = (what: string) =>
    new Map(
      [...text.matchAll(new RegExp(`^tezos_signer_stage_seconds_${what}{stage="(\\w+)"} (\\S+)$`, "gm"))].map(
        ([, stage = "", value]) => [stage, Number(value)],
      ),
    );
  const counts = read("count");
  return [...read("sum")]
    .map(([stage, sum]) => `${stage} ${((1_000 * sum) / (counts.get(stage) ?? 1)).toFixed(2)}`)
    .join(", ");
}

function quantile(times: readonly number[], share: number): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * share)] ?? Number.NaN;
}

const VAULT = "the vault itself, connection kept";

async function measure(curve: "P-256" | "P-256K"): Promise<void> {
  await using folder = await temporaryFolder();
  const vault = await startVault(curve);
  try {
    const file = join(folder.path, "settings.yaml");
    await writeFile(
      file,
      JSON.stringify({
        listen: { port: 0 },
        admin: { port: 0 },
        keys: { kind: "azure-key-vault", vault: vault.vault, clientId: vault.clientId },
        watermarks: { kind: "sqlite", path: "watermarks.sqlite", initialise: "always", maxStep: "off" },
        policy: { default: { allow: ["block", "attestation"] } },
      }),
    );
    const environment = { AZURE_POD_IDENTITY_AUTHORITY_HOST: vault.imds };
    await using signer = await startSignerProcess(folder.path, ["--config", file], environment);
    const [address = ""] = signer.addresses;
    let level = 1;
    let last = block({ level });
    const nextBlock = () => {
      last = block({ level: ++level });
      return last;
    };
    const post = (payload: Buffer) => send("POST", `${signer.url}/keys/${address}`, {}, `"${payload.toString("hex")}"`);
    const asOctez = async (payload: Buffer) => {
      const { status, message } = await sign(signer.url, address, payload.toString("hex"));
      if (status !== 200) throw new Error(`${status}: ${message}`);
    };
    const ways: Record<string, () => Promise<unknown>> = {
      [VAULT]: await askVault(vault, curve),
      "an attestation, connection kept": () => post(attestation({ level: ++level })),
      "an attestation, as octez asks": () => asOctez(attestation({ level: ++level })),
      "a block, as octez asks": () => asOctez(nextBlock()),
      "the same block again": () => asOctez(last),
    };
    const times = Object.fromEntries(Object.keys(ways).map((name) => [name, [] as number[]]));
    // The first tenth warms both up. The order changes with each round, so that none always follows the same other.
    for (let round = -rounds / 10; round < rounds; round += 1) {
      const names = Object.keys(ways);
      const from = Math.floor(Math.random() * 4);
      for (const name of [...names.slice(from, 4), ...names.slice(0, from), ...names.slice(4)]) {
        const started = performance.now();
        await ways[name]?.();
        if (round >= 0) times[name]?.push(performance.now() - started);
      }
    }
    const own = quantile(times[VAULT] ?? [], 0.5);
    console.log(`\n${curve}, ${rounds} rounds, an HSM of ${delay} ms`);
    for (const [name, all] of Object.entries(times)) {
      const p50 = quantile(all, 0.5);
      const columns = [p50, quantile(all, 0.95), p50 - own].map((time) => time.toFixed(2).padStart(8));
      console.log(
        `${name.padEnd(36)} p50 ${columns[0]}  p95 ${columns[1]}  added ${columns[2]}  ratio ${(p50 / own).toFixed(3)}`,
      );
    }
    console.log(`mean ms by stage: ${await stages(signer.adminUrl)}`);
  } finally {
    vault.child.disconnect();
    await once(vault.child, "exit");
  }
}

for (const curve of ["P-256", "P-256K"] as const) await measure(curve);
agent.destroy();
