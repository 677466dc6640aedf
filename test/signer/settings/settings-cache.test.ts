import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { SettingsCache } from "../../../signer/settings/settings-cache.ts";
import { logLines } from "../../harness/log-lines.ts";

const OWN = { version: "0.2.0", sha256: `${"1".repeat(12)}${"0".repeat(52)}` };
const OTHER = { version: "0.3.0", sha256: `${"2".repeat(12)}${"0".repeat(52)}` };

describe("the cache of settings", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "settings-cache-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("gives back what was kept last, and nothing where nothing was", () => {
    const cache = new SettingsCache(folder, OWN);
    expect(cache.read()).to.equal(undefined);
    const { log, lines } = logLines();
    for (const text of ["a: 1\n", "a: 2 # é\n"]) {
      cache.keep(text, log);
      expect(new SettingsCache(folder, OWN).read()).to.equal(text);
    }
    expect(lines).to.deep.equal([]);
  });

  it("has a file for each release, for its user alone, and one for a checkout", () => {
    const { log } = logLines();
    new SettingsCache(folder, OWN).keep("own", log);
    new SettingsCache(folder, OTHER).keep("other", log);
    new SettingsCache(folder, { version: "0.2.0", sha256: undefined }).keep("checkout", log);
    expect(new SettingsCache(folder, OWN).read()).to.equal("own");
    const names = ["settings-111111111111.yaml", "settings-222222222222.yaml", "settings.yaml"];
    expect(readdirSync(folder)).to.have.members(names);
    for (const name of names) expect(statSync(join(folder, name)).mode & 0o777, name).to.equal(0o600);
  });

  it("puts another text in place of the one before whole, so that an end on the way leaves the one before", () => {
    const cache = new SettingsCache(folder, OWN);
    const { log } = logLines();
    cache.keep("before", log);
    // Whoever has the file open, or another name for it, still has the whole text: it was never written into.
    linkSync(join(folder, "settings-111111111111.yaml"), join(folder, "witness"));
    cache.keep("afterwards", log);
    expect(readFileSync(join(folder, "witness"), "utf8")).to.equal("before");
    expect(cache.read()).to.equal("afterwards");
    // What an end before the rename leaves behind is no text to begin with, and in nobody's way.
    writeFileSync(join(folder, "settings-111111111111.yaml.new"), "half of");
    expect(cache.read()).to.equal("afterwards");
    cache.keep("later", log);
    expect(cache.read()).to.equal("later");
  });

  it("keeps a text under Node.js' permission model, as the machine's unit has it", () => {
    const root = resolve(import.meta.dirname, "../../..");
    const program = `
      import { SettingsCache } from ${JSON.stringify(`${root}/signer/settings/settings-cache.ts`)};
      new SettingsCache(${JSON.stringify(folder)}, ${JSON.stringify(OWN)}).keep("kept", { warn: (text) => console.log(text) });`;
    const rights = [
      "--permission",
      `--allow-fs-read=${root}`,
      `--allow-fs-read=${folder}`,
      `--allow-fs-write=${folder}`,
    ];
    const said = execFileSync(process.execPath, [...rights, "--input-type=module", "--eval", program], {
      encoding: "utf8",
    });
    expect(said).to.equal("");
    expect(new SettingsCache(folder, OWN).read()).to.equal("kept");
  });

  it("tells once why a signer could not be started with a text, and nothing of another text", () => {
    const cache = new SettingsCache(folder, OWN);
    const { log, lines } = logLines();
    expect(cache.takeFailure("a")).to.equal(undefined);
    cache.noteFailure("a", "there is no such address.", log);
    expect(new SettingsCache(folder, OTHER).takeFailure("a")).to.equal(undefined);
    expect(new SettingsCache(folder, OWN).takeFailure("a")).to.equal("there is no such address.");
    expect(cache.takeFailure("a")).to.equal(undefined);
    cache.noteFailure("a", "there is no such address.", log);
    expect(cache.takeFailure("b")).to.equal(undefined);
    writeFileSync(join(folder, "settings-111111111111.failed.json"), "half of");
    expect(cache.takeFailure("a")).to.equal(undefined);
    expect(lines).to.deep.equal([]);
  });

  it("says in the log that a text could not be kept, and leaves the one before", () => {
    const cache = new SettingsCache(folder, OWN);
    const { log, lines } = logLines();
    cache.keep("before", log);
    mkdirSync(join(folder, "settings-111111111111.yaml.new"));
    cache.keep("afterwards", log);
    expect(cache.read()).to.equal("before");
    expect(lines).to.have.length(1);
    expect(lines[0]?.msg).to.match(/^the settings in use could not be kept.*it is a directory/);
  });
});
