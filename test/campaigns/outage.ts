import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { commandLine, numberFrom } from "../emulators/command-line.ts";
import { Imds } from "../emulators/imds/imds.ts";
import { KeyVaultEmulator } from "../emulators/key-vault/emulator.ts";
import { sign } from "../emulators/octez-client.ts";
import { startSignerProcess, temporaryFolder } from "../emulators/signer-process.ts";
import { attestation } from "../fixtures/payloads.ts";

/**
 * `npm run outage [-- --minutes 10]`: the vault and the metadata service are gone for minutes, longer than a token's half
 * life, and come back. Every request meanwhile is answered 502 within its deadline; afterwards signing goes on by itself.
 */
const IDENTITY = {
  clientId: "0b4dd1f2-6f3a-4bd5-9b5c-2f8f3f0f6f01",
  objectId: "7a0c1f0e-3f57-4a55-8a39-51d0b1f0aa02",
};
const { minutes } = commandLine(
  "outage",
  "Takes the vault and the metadata service away for minutes, and gives them back. Ends with 1 if a request meanwhile was " +
    "not answered 502 within its deadline, or signing did not go on by itself afterwards.",
)
  .option("--minutes <number>", "how long they are away", numberFrom(0.1), 10)
  .parse()
  .opts<{ minutes: number }>();

await using folder = await temporaryFolder();
const imds = await Imds.start({ identities: [IDENTITY], lifetime: 300 });
const vault = await KeyVaultEmulator.start({
  tokens: imds.tokens,
  policies: { [IDENTITY.objectId]: ["get", "list", "sign"] },
});
vault.createKey("baker", { crv: "P-256" });
const file = join(folder.path, "settings.yaml");
await writeFile(
  file,
  JSON.stringify({
    listen: { port: 0 },
    admin: { port: 0 },
    keys: { kind: "azure-key-vault", vault: vault.url, clientId: IDENTITY.clientId },
    watermarks: { kind: "sqlite", path: join(folder.path, "watermarks.sqlite"), initialise: "always" },
    policy: { default: { allow: ["attestation"] } },
  }),
);
await using signer = await startSignerProcess(folder.path, ["--config", file], {
  AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.url,
});
const address = signer.addresses[0] ?? "";
let level = 100;
let slowest = 0;

async function ask(): Promise<number> {
  level += 1;
  const started = performance.now();
  const { status } = await sign(signer.url, address, attestation({ level }).toString("hex"), { retries: 0 });
  slowest = Math.max(slowest, performance.now() - started);
  return status;
}

const outcome = { before: await ask(), away: {} as Record<number, number>, after: 0, secondsToHeal: 0 };
await Promise.all([vault.goAway(), imds.goAway()]);
const end = performance.now() + minutes * 60_000;
while (performance.now() < end) {
  const status = await ask();
  outcome.away[status] = (outcome.away[status] ?? 0) + 1;
  await sleep(6_000);
}
const back = performance.now();
await Promise.all([vault.comeBack(), imds.comeBack()]);
while (outcome.after !== 200 && performance.now() < back + 60_000) outcome.after = await ask();
outcome.secondsToHeal = Math.round((performance.now() - back) / 1_000);
await Promise.all([vault.stop(), imds.stop()]);

console.log(JSON.stringify({ ...outcome, slowestMilliseconds: Math.round(slowest), linesOfLog: signer.log.length }));
const fine =
  outcome.before === 200 && outcome.after === 200 && Object.keys(outcome.away).join() === "502" && slowest < 5_500;
console.log(fine ? "1 passed, 0 failed" : "0 passed, 1 failed");
if (!fine) process.exitCode = 1;
