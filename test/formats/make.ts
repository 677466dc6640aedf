/**
 * Makes the fixtures of this checkout's version: node test/formats/make.ts, once before each release. What they are is in
 * test/fixtures/formats/README.md.
 * @module
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { signerSettings } from "../../infra/config/signer-settings.ts";
import { userData } from "../../infra/user-data.ts";
import { StateFile } from "../../machine/updater/state.ts";
import manifest from "../../package.json" with { type: "json" };
import { STORE_TAG, UNBOUND } from "../../signer/contract.ts";
import { generateLocalKey } from "../../signer/keys/local/keyring.ts";
import { SettingsCache } from "../../signer/settings/settings-cache.ts";
import { writeInterchange } from "../../signer/watermark/interchange/format.ts";
import { AzureTableStore } from "../../signer/watermark/stores/azure-table.ts";
import { SqliteStore } from "../../signer/watermark/stores/sqlite.ts";
import { tableCredential } from "../emulators/azurite.ts";
import { fillStore, LAST_ROW, PASSPHRASE, ROWS, STORE_ID } from "../fixtures/formats/contents.ts";
import { EVERYTHING, settings } from "../fixtures/stack-configs.ts";
import { logLines } from "../harness/log-lines.ts";
import { recordedTable } from "../harness/recorded-table.ts";

const { version } = manifest;
const folder = join(import.meta.dirname, "../fixtures/formats", version);
const file = (name: string) => join(folder, name);
/** Takes a file of the checkout that others go by: a schema, and what stays on a machine or judges a release. */
const take = (path: string) => cpSync(resolve(import.meta.dirname, "../..", path), file(basename(path)));

if (process.argv[2] === "be-killed") {
  // Writes once more, and leaves the rest to the next start.
  const store = new SqliteStore(file("killed.sqlite"));
  const state = await store.read(LAST_ROW.key);
  await store.replace(LAST_ROW.key, LAST_ROW.row, state?.version ?? "");
  process.kill(process.pid, "SIGKILL");
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);

for (const name of ["watermarks.sqlite", "killed.sqlite"]) {
  const store = new SqliteStore(file(name));
  await fillStore(store);
  await store.close();
}
spawnSync(process.execPath, [import.meta.filename, "be-killed"]);

const writes = await recordedTable((endpoint) =>
  fillStore(new AzureTableStore({ endpoint, table: "watermarks", credential: tableCredential })),
);
writeFileSync(file("table-writes.json"), `${JSON.stringify(writes, null, 2)}\n`);

writeFileSync(file("watermarks.json"), writeInterchange(STORE_ID, ROWS, new Date("2026-11-28T16:00:00Z")));

const release = {
  version,
  sha256: "ab".repeat(32),
  url: `https://tzrel0123456789abcdef.blob.core.windows.net/releases/tezos-signer-${version}-abababababab.tar`,
  clientId: "0b4dd1f2-6f3a-4bd5-9b5c-2f8f3f0f6f01",
};
const configuration = {
  ...EVERYTHING,
  confirm: '["transaction","reveal"]',
  head: '{"node":"https://rpc.example.org/mainnet"}',
  initialise: '{"level":9123456,"until":"2026-11-20T16:00:00Z"}',
};
const own = signerSettings(settings(configuration), {
  vaultUri: "https://tezos-0123456789abcdef.vault.azure.net",
  tableEndpoint: "https://tezos0123456789abcdef.table.core.windows.net",
  table: "watermarks",
  storeId: STORE_ID,
  clientId: release.clientId,
  machineId:
    "/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/signer",
});
writeFileSync(file("user-data.json"), userData(release, { ssh: true, metrics: ["84.20.19.1"] }, own));
new SettingsCache(folder, release).keep(own, logLines().log);

const other = { version: "0.0.9", sha256: "cd".repeat(32) };
const named = { version, sha256: release.sha256 };
new StateFile(file("updater-state.json")).note({
  wanted: named,
  running: other,
  step: "watching",
  problem: "the vault is away",
  refused: { ...other, reason: "it does not get ready", at: "2026-11-28T16:00:00.000Z", settings: "0123456789ab" },
  candidate: { ...named, before: other, settings: "0123456789ab" },
  tries: { sha256: release.sha256, settings: "0123456789ab", count: 2 },
  applied: { sha256: other.sha256, parameters: "SSH=on\nMAINTENANCE=04:30\n" },
});

await generateLocalKey("P-256", file("key.pem"), Buffer.from(PASSPHRASE));
writeFileSync(
  file("tags.json"),
  `${JSON.stringify({ bound: { [STORE_TAG]: STORE_ID }, unbound: { [STORE_TAG]: UNBOUND } })}\n`,
);

take("docs/reference/watermarks.schema.json");
take("machine/files/etc/systemd/system/tezos-signer.service");
take("cloud-init/files/usr/local/sbin/tezos-signer-bootstrap");
