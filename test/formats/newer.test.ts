import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect } from "chai";
import { StateFile } from "../../machine/updater/state.ts";
import manifest from "../../package.json" with { type: "json" };
import { readUserDataDocument } from "../../signer/azure/user-data-document.ts";
import { readUpdaterState } from "../../signer/installation/updater-state.ts";
import { parseSettings, SettingsError } from "../../signer/settings/parse.ts";
import { InterchangeError, readInterchange } from "../../signer/watermark/interchange/format.ts";
import { SqliteStore } from "../../signer/watermark/stores/sqlite.ts";
import { StoreError } from "../../signer/watermark/stores/store.ts";
import { ROWS } from "../fixtures/formats/contents.ts";
import { rejection } from "../harness/rejection.ts";
import { fixture, textOf } from "./readers.ts";

const { version } = manifest;

/** Forms that a later version may write: refused in a sentence, or left alone, as docs/reference/formats.md says. */
describe("a newer form", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "newer-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  describe("of a SQLite file", () => {
    let path: string;
    beforeEach(() => {
      path = join(folder, "watermarks.sqlite");
      cpSync(fixture(version, "watermarks.sqlite"), path);
    });

    function change(sql: string): void {
      const database = new DatabaseSync(path);
      database.exec(sql);
      database.close();
    }

    for (const [what, sql, message] of [
      ["a later schema version", "PRAGMA user_version = 2", /watermarks\.sqlite has format 2; this signer reads 1\./],
      ["no schema version", "PRAGMA user_version = 0", /has format 0; this signer reads 1\./],
      ["another application", "PRAGMA application_id = 1", /watermarks\.sqlite is no watermark store\./],
    ] as const) {
      it(`is refused with ${what}, whatever is asked, and holds afterwards what it held`, async () => {
        change(sql);
        const store = new SqliteStore(path);
        const [{ key, row }] = ROWS as [(typeof ROWS)[number]];
        for (const asked of [
          () => store.identity(),
          () => store.read(key),
          () => store.insert(key, row),
          () => store.list(),
        ]) {
          const error = await rejection(asked(), StoreError);
          expect(error.fault).to.equal("untrusted");
          expect(error.message).to.match(message);
        }
        await store.close();
        const database = new DatabaseSync(path, { readOnly: true });
        expect(database.prepare("SELECT count(*) AS rows FROM watermarks").get()).to.include({ rows: ROWS.length });
        database.close();
      });
    }
  });

  describe("of the interchange file", () => {
    const written = JSON.parse(textOf(version, "watermarks.json"));
    const [first, ...others] = written.watermarks;

    for (const [what, changed, message] of [
      ["a later version", { ...written, version: 2 }, /version: must be 1/],
      ["the version as text", { ...written, version: "1" }, /version: must be 1/],
      ["no version", { ...written, version: undefined }, /version: must be 1/],
      ["another format", { ...written, format: "interchange" }, /It is no file of `watermarks export`/],
      ["a field that is not known", { ...written, protocol: "PtX" }, /Unrecognized key: "protocol"/],
      [
        "a mark's field that is not known",
        { ...written, watermarks: [{ ...first, slot: 3 }, ...others] },
        /watermarks\.0: Unrecognized key: "slot"/,
      ],
      [
        "a kind that is not known",
        { ...written, watermarks: [...others, { ...first, kind: "dal_attestation" }] },
        new RegExp(`watermarks\\.${others.length}\\.kind: `),
      ],
    ] as const) {
      it(`is refused with ${what}, all of it`, () => {
        expect(() => readInterchange(JSON.stringify(changed))).to.throw(InterchangeError, message);
      });
    }
  });

  it("of userData is read for what is known, wherever it has more", () => {
    const document = JSON.parse(textOf(version, "user-data.json"));
    const { release, machine } = document;
    const newer = { fleet: 2, ...document, release: { ...release, signature: "…" }, machine: { ...machine, swap: 1 } };
    const read = readUserDataDocument(JSON.stringify(newer));
    expect(read.release).to.include(release);
    expect(read.machine).to.deep.include(machine);
    expect(JSON.parse(read.settings)).to.deep.equal(document.settings);
  });

  it("of settings is refused by the name of each one that is not known", () => {
    const { settings } = JSON.parse(textOf(version, "user-data.json"));
    const newer = { ...settings, fleet: 2, watermarks: { ...settings.watermarks, quorum: 3 } };
    expect(() => parseSettings(JSON.stringify(newer), "the test"))
      .to.throw(SettingsError)
      .with.property("mistakes")
      .that.has.members(["fleet: there is no such setting", "watermarks.quorum: there is no such setting"]);
  });

  describe("of the updater's state", () => {
    const written = JSON.parse(textOf(version, "updater-state.json"));

    it("is read for what is known, and keeps what is not", () => {
      const path = join(folder, "state.json");
      const newer = { ...written, fleet: 2, refused: { ...written.refused, times: 3 } };
      writeFileSync(path, JSON.stringify(newer));
      expect(readUpdaterState(path)).to.deep.equal(readUpdaterState(fixture(version, "updater-state.json")));
      const state = new StateFile(path);
      state.note({ step: "done" });
      const { at: _, ...rest } = JSON.parse(readFileSync(path, "utf8"));
      const { at: __, ...expected } = newer;
      expect(rest).to.deep.equal({ ...expected, step: "done" });
    });

    it("is read with its defaults where fields are missing, as of an older version", () => {
      const path = join(folder, "state.json");
      writeFileSync(path, JSON.stringify({ wanted: written.wanted, step: "done" }));
      expect(new StateFile(path).now).to.include({ step: "done", candidate: null, tries: null, applied: null });
    });

    for (const [field, value] of Object.entries({
      wanted: 2,
      running: { version: "9.0.0" },
      step: "resting",
      problem: ["it is full"],
      refused: { ...written.refused, reason: null },
      candidate: { ...written.candidate, before: undefined },
      tries: { ...written.tries, sha256: "../.." },
      applied: "all",
    })) {
      it(`is read without its ${field} where that has another form, and the updater goes on`, () => {
        const path = join(folder, "state.json");
        writeFileSync(path, JSON.stringify({ ...written, [field]: value }));
        expect(new StateFile(path).now).to.deep.equal({ ...written, [field]: field === "step" ? "done" : null });
      });
    }

    for (const [what, text] of [
      ["cut short", '{"wanted":'],
      ["empty", ""],
      ["no object", "[1]"],
      ["nothing", "null"],
    ] as const) {
      it(`is an empty one where it is ${what}, and shown as damaged`, () => {
        const path = join(folder, "state.json");
        writeFileSync(path, text);
        expect(new StateFile(path).now).to.deep.equal(new StateFile(join(folder, "none")).now);
        expect(readUpdaterState(path).problem).to.match(/state\.json cannot be read: it is damaged\.$/);
      });
    }
  });
});
