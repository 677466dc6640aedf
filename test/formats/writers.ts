import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect } from "chai";
import { z } from "zod";
import { signerSettings } from "../../infra/config/signer-settings.ts";
import { userData } from "../../infra/user-data.ts";
import { StateFile } from "../../machine/updater/state.ts";
import { STORE_TAG, UNBOUND } from "../../signer/contract.ts";
import { encryptPem } from "../../signer/key-files/pem.ts";
import { PrivateKey } from "../../signer/key-files/private-key.ts";
import { SettingsCache } from "../../signer/settings/settings-cache.ts";
import { writeInterchange } from "../../signer/watermark/interchange/format.ts";
import { AzureTableStore } from "../../signer/watermark/stores/azure-table.ts";
import { SqliteStore } from "../../signer/watermark/stores/sqlite.ts";
import { tableCredential } from "../emulators/azurite.ts";
import { fillStore, PASSPHRASE, ROWS, STORE_ID } from "../fixtures/formats/contents.ts";
import { settings } from "../fixtures/stack-configs.ts";
import { logLines } from "../harness/log-lines.ts";
import { recordedTable } from "../harness/recorded-table.ts";
import { fixture, textOf } from "./readers.ts";

const ROOT = resolve(import.meta.dirname, "../..");

/**
 * Whether a version can read what this one writes: by the form of what it wrote itself, since what is of that form it reads.
 * @throws where it cannot
 */
export type Writer = (version: string) => void | Promise<void>;

/** By the names of docs/reference/formats.md. */
export const WRITERS: Readonly<Record<string, Writer>> = {
  "watermarks in SQLite": (version) =>
    inFolder(async (folder) => {
      const path = join(folder, "watermarks.sqlite");
      const store = new SqliteStore(path);
      await fillStore(store);
      await store.close();
      // A copy, since SQLite writes beside what it reads.
      const older = join(folder, "older.sqlite");
      cpSync(fixture(version, "watermarks.sqlite"), older);
      expect(formOf(path)).to.deep.equal(formOf(older));
    }),

  "watermarks in the table": async (version) => {
    const writes = await recordedTable((endpoint) =>
      fillStore(new AzureTableStore({ endpoint, table: "watermarks", credential: tableCredential })),
    );
    const told = (all: typeof writes) => all.map(({ method, path, body }) => ({ method, path, body }));
    expect(told(writes)).to.deep.equal(told(JSON.parse(textOf(version, "table-writes.json"))));
  },

  "watermarks as a file": (version) => {
    const schema = z.fromJSONSchema(JSON.parse(textOf(version, "watermarks.schema.json")));
    schema.parse(JSON.parse(writeInterchange(STORE_ID, ROWS, new Date())));
    expect(() => schema.parse({ ...JSON.parse(textOf(version, "watermarks.json")), version: 2 })).to.throw();
  },

  "tag on a key of the vault": (version) => {
    const written = { bound: { [STORE_TAG]: STORE_ID }, unbound: { [STORE_TAG]: UNBOUND } };
    expect(written).to.deep.equal(JSON.parse(textOf(version, "tags.json")));
  },

  "key file": async (version) => {
    using key = PrivateKey.generate("P-256");
    const written = await encryptPem(key, Buffer.from(PASSPHRASE));
    expect(algorithmOf(written)).to.equal(algorithmOf(textOf(version, "key.pem")));
  },

  settings: (version) =>
    expectFields(JSON.parse(document()).settings, JSON.parse(textOf(version, "user-data.json")).settings),

  "kept settings": (version) =>
    inFolder((folder) => {
      const sha256 = "ab".repeat(32);
      const text = textOf(version, "settings-abababababab.yaml");
      new SettingsCache(folder, { version, sha256 }).keep(text, logLines().log);
      expect(readFileSync(join(folder, "settings-abababababab.yaml"), "utf8")).to.equal(text);
    }),

  userData: (version) => {
    expectFields(JSON.parse(document()), JSON.parse(textOf(version, "user-data.json")));
    // The bootstrap of a machine's first boot stays as it was, whatever the stack writes later.
    const [, program = ""] = /^release='(.*)'$/m.exec(textOf(version, "tezos-signer-bootstrap")) ?? [];
    const told = execFileSync("python3", ["-I", "-c", program], { input: document(), encoding: "utf8" });
    const { url, sha256, clientId } = JSON.parse(document()).release;
    expect(told).to.equal(`${url} ${sha256} ${clientId}\n`);
  },

  "updater's state": (version) =>
    inFolder((folder) => {
      const path = join(folder, "state.json");
      const { at: _, ...changes } = JSON.parse(textOf(version, "updater-state.json"));
      new StateFile(path).note(changes);
      expectFields(JSON.parse(readFileSync(path, "utf8")), JSON.parse(textOf(version, "updater-state.json")));
    }),

  "release, by its updater": () => {
    const file = (path: string) => readFileSync(join(ROOT, path), "utf8");
    const unit = file("machine/files/etc/systemd/system/tezos-signer.service");
    for (const wanted of [
      "[Service]\n",
      "[Install]\n",
      " serve --user-data\n",
      "/opt/tezos-signer/current/node/bin/node ",
    ]) {
      expect(unit).to.include(wanted);
    }
    expect(JSON.parse(file("package.json")).version).to.match(/^\d+\.\d+\.\d+$/);
    expect(file("machine/updater/main.ts")).to.include('process.argv.includes("--self-test")');
    for (const path of ["sysusers.d/tezos-signer.conf", "tezos-signer/firewall.nft", "sudoers.d/10-tezos-signer"]) {
      expect(existsSync(join(ROOT, "machine/files/etc", path)), path).to.equal(true);
    }
    for (const path of ["machine/bin/apply", "machine/bin/watch", "release/files/unpack"]) {
      expect(file(path), path).to.match(/^#!\/bin\/(ba)?sh\n/);
    }
    expect(file("signer/cli/exit-codes.ts")).to.match(/^ {2}unavailable: \{ code: 11,/m);
  },
};

/** userData as this version's stack writes it, with every setting that the fixtures have. */
function document(): string {
  const clientId = "0b4dd1f2-6f3a-4bd5-9b5c-2f8f3f0f6f01";
  const url = "https://tzrel0123456789abcdef.blob.core.windows.net/releases/x.tar";
  const configuration = {
    production: "true",
    monitoring: "true",
    metricsIp: "84.20.19.3",
    authorizedKeys: '["edpkuBknW28nW72KG6RoHtYW7p12T6GKc7nAbwYX5m8Wd9sDVC9yav"]',
    confirm: '["transaction"]',
    head: '{"node":"https://rpc.example.org/mainnet"}',
    initialise: '{"level":9123456,"until":"2026-11-20T16:00:00Z"}',
  };
  const own = signerSettings(settings(configuration), {
    vaultUri: "https://tezos-0123456789abcdef.vault.azure.net",
    tableEndpoint: "https://tezos0123456789abcdef.table.core.windows.net",
    table: "watermarks",
    storeId: STORE_ID,
    clientId,
    machineId:
      "/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/signer",
  });
  const release = { version: "9.9.9", sha256: "ef".repeat(32), url, clientId };
  return userData(release, { ssh: false, metrics: ["84.20.19.3"] }, own);
}

/** Every field of the older value is in the newer one, with a value of the same type; lists may have any content. */
function expectFields(newer: unknown, older: unknown, path = "it"): void {
  expect(typeof newer, path).to.equal(typeof older);
  if (older === null || typeof older !== "object" || Array.isArray(older)) return;
  expect(newer, path).to.include.all.keys(Object.keys(older));
  for (const [name, value] of Object.entries(older)) {
    expectFields((newer as Record<string, unknown>)[name], value, `${path}.${name}`);
  }
}

/** What a version looks at in a SQLite file, and what it finds; the tables are STRICT, so their text tells the types. */
function formOf(path: string): object {
  const database = new DatabaseSync(path, { readOnly: true });
  const all = (sql: string) => Array.from(database.prepare(sql).iterate(), (row) => ({ ...row }));
  const form = {
    pragmas: [all("PRAGMA application_id"), all("PRAGMA user_version")],
    tables: all("SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY name").map(({ sql }) =>
      String(sql).replaceAll(/\s+/g, " "),
    ),
    store: all("SELECT * FROM store"),
    rows: all("SELECT * FROM watermarks ORDER BY address, chain_id, kind"),
  };
  database.close();
  return form;
}

/** How a key file is encrypted: what stands before the encrypted bytes, but for salt and IV, which are random. */
function algorithmOf(pem: string): string {
  const [, base64 = ""] = /-----BEGIN ENCRYPTED PRIVATE KEY-----\n([\s\S]+)-----END/.exec(pem) ?? [];
  const der = Buffer.from(base64, "base64").subarray(0, 92).toString("hex");
  return der.replaceAll(/0410[0-9a-f]{32}/g, "0410…");
}

async function inFolder(work: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "formats-"));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
