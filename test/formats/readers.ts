import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { StateFile } from "../../machine/updater/state.ts";
import { tryUnit } from "../../machine/updater/trial.ts";
import { readUserDataDocument } from "../../signer/azure/user-data-document.ts";
import { STORE_TAG, UNBOUND } from "../../signer/contract.ts";
import { readUpdaterState } from "../../signer/installation/updater-state.ts";
import { decryptPem } from "../../signer/key-files/pem.ts";
import { parseSettings } from "../../signer/settings/parse.ts";
import { SettingsCache } from "../../signer/settings/settings-cache.ts";
import { readInterchange } from "../../signer/watermark/interchange/format.ts";
import { AzureTableStore } from "../../signer/watermark/stores/azure-table.ts";
import { SqliteStore } from "../../signer/watermark/stores/sqlite.ts";
import type { Row, RowKey, WatermarkStore } from "../../signer/watermark/stores/store.ts";
import { azurite, tableCredential } from "../emulators/azurite.ts";
import { LAST_ROW, PASSPHRASE, ROWS, STORE_ID } from "../fixtures/formats/contents.ts";
import { NEVER } from "../fixtures/watermark-rows.ts";
import { tableName } from "../harness/watermark-stores.ts";
import { rowsByName } from "./rows.ts";

const FIXTURES = resolve(import.meta.dirname, "../fixtures/formats");

/** A fixture's path. */
export const fixture = (version: string, name: string) => join(FIXTURES, version, name);
/** A fixture's text. */
export const textOf = (version: string, name: string) => readFileSync(fixture(version, name), "utf8");

/** The fixture that each format is in, by the names of docs/reference/formats.md; a version that had no such format has none. */
export const FILES: Readonly<Record<string, string>> = {
  "watermarks in SQLite": "watermarks.sqlite",
  "watermarks in the table": "table-writes.json",
  "watermarks as a file": "watermarks.json",
  "tag on a key of the vault": "tags.json",
  "key file": "key.pem",
  settings: "user-data.json",
  "kept settings": "settings-abababababab.yaml",
  userData: "user-data.json",
  "updater's state": "updater-state.json",
  "release, by its updater": "tezos-signer.service",
};

/** Reads what a version wrote, by this one's code. @throws where it cannot be read, or is not what was written */
export type Reader = (version: string) => void | Promise<void>;

/** By the names of docs/reference/formats.md. */
export const READERS: Readonly<Record<string, Reader>> = {
  "watermarks in SQLite": async (version) => {
    await inCopy(version, "watermarks.sqlite", (store) => expectRows(store, ROWS));
    const { key, row } = LAST_ROW;
    const others = ROWS.filter((each) => rowsByName([each])[0]?.[0] !== rowsByName([LAST_ROW])[0]?.[0]);
    await inCopy(version, "killed.sqlite", (store) => expectRows(store, [...others, { key, row }]));
  },

  "watermarks in the table": async (version) => {
    const { endpoint } = await azurite();
    const table = tableName();
    for (const { method, path, headers, body } of JSON.parse(textOf(version, "table-writes.json"))) {
      await replay(endpoint, table, method, path, headers, body);
    }
    await expectRows(new AzureTableStore({ endpoint, table, credential: tableCredential }), ROWS);
  },

  "watermarks as a file": (version) => {
    const marks = readInterchange(textOf(version, "watermarks.json")).marks;
    const expected = ROWS.map(({ key, row: { anchor: _, ...mark } }) => ({ key, row: mark as Row }));
    expect(rowsByName(marks.map(({ key, mark }) => ({ key, row: mark as Row })))).to.deep.equal(rowsByName(expected));
  },

  "tag on a key of the vault": (version) => {
    const { bound, unbound } = JSON.parse(textOf(version, "tags.json"));
    expect([bound[STORE_TAG], unbound[STORE_TAG]]).to.deep.equal([STORE_ID, UNBOUND]);
  },

  "key file": (version) => {
    const text = textOf(version, "key.pem");
    using key = decryptPem(text, Buffer.from(PASSPHRASE));
    expect(text).to.include(`Tezos address: ${key.publicKey.address}\n`);
  },

  settings: (version) => {
    const told = JSON.parse(textOf(version, "user-data.json"));
    const { settings = told } = told; // 0.1.0 had the settings alone
    const read = parseSettings(JSON.stringify(settings), version);
    expect(read.watermarks).to.include({ kind: "azure-table", storeId: STORE_ID, maxStep: 100 });
    expect(read.policy.default).to.deep.equal(settings.policy.default);
    expect(read.authentication).to.deep.equal(settings.authentication);
    expect(read.head?.node).to.equal(settings.head.node);
  },

  "kept settings": (version) => {
    const { settings } = JSON.parse(textOf(version, "user-data.json"));
    const kept = new SettingsCache(join(FIXTURES, version), { version, sha256: "ab".repeat(32) }).read();
    expect(JSON.parse(kept ?? "null"), "what was kept")
      .to.be.an("object")
      .and.deep.equal(settings);
    expect(new SettingsCache(join(FIXTURES, version), { version, sha256: "cd".repeat(32) }).read()).to.equal(undefined);
  },

  userData: (version) => {
    const text = textOf(version, "user-data.json");
    const { release, machine, settings } = readUserDataDocument(text);
    // What a version did not know yet has what it was without it.
    const { machine: written, ...others } = JSON.parse(text);
    const told = { ...others, machine: { metrics: [], ...written } };
    expect({ release, machine, settings: JSON.parse(settings) }).to.deep.equal(told);
  },

  "updater's state": (version) => {
    const written = JSON.parse(textOf(version, "updater-state.json"));
    expect(new StateFile(fixture(version, "updater-state.json")).now).to.deep.equal(written);
    const { wanted, step, problem, refused, at } = written;
    const { settings: _, ...shown } = refused;
    expect(readUpdaterState(fixture(version, "updater-state.json"))).to.deep.equal({
      ...{ wanted, step, problem, refused: shown, at },
    });
  },

  "release, by its updater": (version) => {
    const place = `/opt/tezos-signer/releases/${"ab".repeat(32)}`;
    const unit = tryUnit(
      textOf(version, "tezos-signer.service"),
      "/opt/tezos-signer/current",
      place,
      "/run/report",
      60,
    );
    expect(unit).to.match(new RegExp(`^ExecStart=${place}/node/bin/node .* try --user-data --seconds 60$`, "m"));
    expect(unit).not.to.match(/\/current\b|^WantedBy=|^Sockets=/m);
  },
};

/** Opens a copy of a SQLite file, with what lies beside it; a second time too, once it has been written. */
async function inCopy(version: string, name: string, work: (store: SqliteStore) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "formats-"));
  for (const end of ["", "-wal"]) {
    if (existsSync(fixture(version, name + end))) cpSync(fixture(version, name + end), join(folder, name + end));
  }
  for (const _ of ["first", "again"]) {
    const store = new SqliteStore(join(folder, name));
    await work(store);
    await store.close();
  }
  rmSync(folder, { recursive: true });
}

/** The store has these rows, and each can be written on. */
async function expectRows(store: WatermarkStore, rows: readonly { key: RowKey; row: Row }[]): Promise<void> {
  expect(await store.identity(NEVER)).to.equal(STORE_ID);
  expect(rowsByName(await store.list(NEVER))).to.deep.equal(rowsByName(rows));
  for (const { key, row } of rows) {
    const state = await store.read(key, NEVER);
    expect(state?.row).to.deep.equal(row);
    await store.replace(key, row, state?.version ?? "", NEVER);
  }
}

async function replay(
  endpoint: string,
  table: string,
  method: string,
  path: string,
  headers: Record<string, string>,
  body: Record<string, unknown>,
): Promise<void> {
  const { token } = (await tableCredential.getToken("")) ?? {};
  const answer = await fetch(endpoint + path.replace("/devstoreaccount1", "").replace("/watermarks", `/${table}`), {
    method,
    headers: {
      ...headers,
      ...(headers["if-match"] === undefined ? {} : { "if-match": "*" }),
      authorization: `Bearer ${token}`,
      "x-ms-version": "2019-02-02",
      accept: "application/json;odata=minimalmetadata",
    },
    body: JSON.stringify(body.TableName === undefined ? body : { TableName: table }),
  });
  expect(answer.status, `${method} ${path}: ${await answer.text()}`).to.be.oneOf([201, 204]);
}
