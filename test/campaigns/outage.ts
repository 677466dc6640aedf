import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Option } from "commander";
import { azurite } from "../emulators/azurite.ts";
import { commandLine, numberFrom } from "../emulators/command-line.ts";
import { Imds } from "../emulators/imds/imds.ts";
import { KeyVaultEmulator } from "../emulators/key-vault/emulator.ts";
import { sign } from "../emulators/octez-client.ts";
import { startSignerProcess, temporaryFolder } from "../emulators/signer-process.ts";
import { tableProxy } from "../emulators/table-proxy.ts";
import { attestation } from "../fixtures/payloads.ts";

/**
 * `npm run outage [-- --of table]`: the vault and the metadata service, or the table, are away for minutes, longer than a
 * token's half life, and come back. For the first half they refuse connections, for the second they take requests and answer
 * none. Every vote meanwhile is answered 502 within two seconds; afterwards signing goes on by itself.
 */
const IDENTITY = {
  clientId: "0b4dd1f2-6f3a-4bd5-9b5c-2f8f3f0f6f01",
  objectId: "7a0c1f0e-3f57-4a55-8a39-51d0b1f0aa02",
};
/** Between two votes, in milliseconds: a block's time. */
const PAUSE = 6_000;
/** octez calls a vote stalling after it, in milliseconds. */
const LONGEST = 2_000;
/** The longest until a vote is signed again, in milliseconds. */
const HEALED_WITHIN = 5_000;
/** A process that has just started takes longer for a request (signer/signing/budgets.ts), in milliseconds. */
const JUST_STARTED = 10_000;

const { minutes, of } = commandLine(
  "outage",
  "Takes the vault and the metadata service, or the table, away for minutes, and gives them back. Ends with 1 if a vote " +
    "meanwhile was not answered 502 within two seconds, or none was signed five seconds after their return.",
)
  .option("--minutes <number>", "how long they are away", numberFrom(0.1), 10)
  .addOption(new Option("--of <what>", "what is away").choices(["vault", "table"]).default("vault"))
  .parse()
  .opts<{ minutes: number; of: "vault" | "table" }>();

await using folder = await temporaryFolder();
const imds = await Imds.start({ identities: [IDENTITY], lifetime: 300 });
const vault = await KeyVaultEmulator.start({
  tokens: imds.tokens,
  policies: { [IDENTITY.objectId]: ["get", "list", "sign"] },
});
vault.createKey("baker", { crv: "P-256" });
const service = of === "table" ? await azurite() : undefined;
await using table = service && (await tableProxy(service));
await writeFile(join(folder.path, "ca.pem"), service?.ca ?? "");
const start = { initialise: "always", maxStep: "off" };
const settings = {
  listen: { port: 0 },
  admin: { port: 0 },
  keys: { kind: "azure-key-vault", vault: vault.url, clientId: IDENTITY.clientId },
  watermarks: table
    ? { kind: "azure-table", endpoint: table.endpoint, table: "outage", ...start }
    : { kind: "sqlite", path: join(folder.path, "watermarks.sqlite"), ...start },
  policy: { default: { allow: ["attestation"] } },
};
await writeFile(join(folder.path, "settings.yaml"), JSON.stringify(settings));
await using signer = await startSignerProcess(folder.path, ["--config", join(folder.path, "settings.yaml")], {
  AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.url,
  ...(service && { NODE_EXTRA_CA_CERTS: join(folder.path, "ca.pem") }),
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

/** How what is away behaves, in their order, and how it comes back. */
const troubles =
  table === undefined
    ? [
        () => Promise.all([vault.goAway(), imds.goAway()]),
        async () => {
          vault.faults.rate([{ kind: "stall-headers", rate: 1 }]);
          imds.faults.rate([{ kind: "stall-headers", rate: 1 }]);
          await Promise.all([vault.comeBack(), imds.comeBack()]);
        },
      ]
    : [
        async () => {
          table.fault = () => "reset";
        },
        async () => {
          table.fault = () => "silence";
        },
      ];
const comeBack = () => {
  vault.faults.clear();
  imds.faults.clear();
  if (table) table.fault = () => undefined;
};

await sleep(JUST_STARTED);
const outcome = { of, before: await ask(), away: {} as Record<number, number>, after: 0, secondsToHeal: 0 };
slowest = 0;
for (const trouble of troubles) {
  await trouble();
  const end = performance.now() + (minutes * 60_000) / troubles.length;
  while (performance.now() < end) {
    const status = await ask();
    outcome.away[status] = (outcome.away[status] ?? 0) + 1;
    await sleep(PAUSE);
  }
}
const slowestAway = slowest;
const back = performance.now();
comeBack();
while (outcome.after !== 200 && performance.now() < back + 60_000) outcome.after = await ask();
const healed = performance.now() - back;
outcome.secondsToHeal = Math.round(healed / 100) / 10;
await Promise.all([vault.stop(), imds.stop()]);

console.log(
  JSON.stringify({ ...outcome, slowestMilliseconds: Math.round(slowestAway), linesOfLog: signer.log.length }),
);
const fine =
  outcome.before === 200 &&
  outcome.after === 200 &&
  Object.keys(outcome.away).join() === "502" &&
  slowestAway < LONGEST &&
  healed < HEALED_WITHIN;
console.log(fine ? "1 passed, 0 failed" : "0 passed, 1 failed");
process.exit(fine ? 0 : 1); // Azurite's process goes with this one
