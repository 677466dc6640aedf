import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import manifest from "../../../package.json" with { type: "json" };
import { anotherThan, inWords, ownRelease } from "../../../signer/installation/own-release.ts";
import { readUpdaterState } from "../../../signer/installation/updater-state.ts";

const ONE = "1".repeat(64);
const TWO = "2".repeat(64);

describe("the release that runs", () => {
  it("is named by its folder's SHA-256, and by nothing in a checkout", () => {
    expect(ownRelease(`/opt/tezos-signer/releases/${ONE}`)).to.deep.equal({ version: manifest.version, sha256: ONE });
    expect(ownRelease("/home/baker/tezos-signer").sha256).to.equal(undefined);
    expect(ownRelease().sha256).to.equal(undefined);
  });

  it("leaves settings to another release only where both are known", () => {
    const named = { version: "0.3.0", sha256: TWO, url: "…" };
    expect(anotherThan({ version: "0.2.0", sha256: ONE }, named)).to.deep.equal({ version: "0.3.0", sha256: TWO });
    expect(anotherThan({ version: "0.2.0", sha256: TWO }, named)).to.equal(undefined);
    expect(anotherThan({ version: "0.2.0", sha256: ONE }, undefined)).to.equal(undefined);
    expect(anotherThan({ version: "0.2.0", sha256: undefined }, named)).to.equal(undefined);
  });

  it("has a short name", () => {
    expect(inWords({ version: "0.2.0", sha256: ONE })).to.equal("0.2.0 (111111111111)");
  });
});

describe("the updater's state", () => {
  let folder: string;
  const state = (text: string) => {
    const path = join(folder, "state.json");
    writeFileSync(path, text);
    return readUpdaterState(path);
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "updater-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("is nothing on a computer without an updater", () => {
    const nothing = { wanted: null, step: null, problem: null, refused: null, at: null };
    expect(readUpdaterState(join(folder, "absent.json"))).to.deep.equal(nothing);
  });

  it("is read as it was written, whatever else a later updater says", () => {
    const at = "2026-11-28T12:00:00Z";
    const wanted = { version: "0.3.0", sha256: TWO };
    const refused = { ...wanted, reason: "it was not ready within 60 seconds", at };
    const written = { wanted, running: null, step: "refused", problem: null, refused, at, tries: 3 };
    expect(state(JSON.stringify(written))).to.deep.equal({ wanted, step: "refused", problem: null, refused, at });
  });

  for (const text of ["", "{", "[]", '{"wanted":7}']) {
    it(`is told to be damaged where the file has ${JSON.stringify(text)}`, () => {
      expect(state(text))
        .to.include({ wanted: null, refused: null })
        .and.to.have.property("problem")
        .that.match(/damaged/);
    });
  }

  it("is told to be unreadable where it may not be read", () => {
    expect(readUpdaterState(folder).problem).to.match(/cannot be read: EISDIR/);
  });
});
