import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { AssertionError, expect } from "chai";
import manifest from "../../package.json" with { type: "json" };
import { hasProgram } from "../emulators/has-program.ts";
import { requires } from "../harness/requires.ts";
import { FILES, fixture, READERS } from "./readers.ts";
import { WRITERS } from "./writers.ts";

const PAGE = readFileSync(resolve(import.meta.dirname, "../../docs/reference/formats.md"), "utf8");

/** Every version whose files are kept. */
const VERSIONS = readdirSync(join(import.meta.dirname, "../fixtures/formats"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();

/** The page's table: of each format, the versions that are read, and those that read what this one writes. */
const [titles = [], ...rows] = (/^\| format [\s\S]*?\n\n/m.exec(PAGE)?.[0] ?? "")
  .trim()
  .split("\n")
  .filter((line) => !line.startsWith("| ---"))
  .map((line) => line.split("|").slice(1, -1))
  .map(([name = "", read = "", written = ""]) => [name.trim(), versionsIn(read), versionsIn(written)] as const);

function versionsIn(cell: string): readonly string[] {
  return cell.match(/\d+\.\d+\.\d+/g) ?? [];
}

describe("the formats of docs/reference/formats.md", () => {
  it("are those of this version, whose own files are among the fixtures", () => {
    expect(titles.slice(1)).to.deep.equal([[manifest.version], [manifest.version]]);
    expect(VERSIONS).to.include(manifest.version);
  });

  it("are all looked at, and each is read and written by this version itself", () => {
    const names = rows.map(([name]) => name);
    for (const known of [READERS, WRITERS, FILES]) expect(names).to.have.members(Object.keys(known));
    for (const [name, read, written] of rows) {
      for (const versions of [read, written]) expect(versions, name).to.include(manifest.version);
      for (const version of [...read, ...written])
        expect(existsSync(fixture(version, FILES[name] ?? "")), name).to.equal(true);
    }
  });

  for (const [name, read, written] of rows) {
    for (const version of VERSIONS.filter((each) => existsSync(fixture(each, FILES[name] ?? "")))) {
      it(`${name} of ${version}: ${read.includes(version) ? "read" : "refused"}`, async () => {
        const fault = await faultOf(() => READERS[name]?.(version));
        if (read.includes(version) && fault !== undefined) throw fault;
        if (!read.includes(version)) expect(fault).to.be.an("error").and.not.be.an.instanceOf(AssertionError);
      });
    }
    for (const version of written) {
      it(`${name} as it is written now: ${version} reads it`, async function () {
        requires(this, name !== "userData" || hasProgram("python3"), "python3 is not installed");
        await WRITERS[name]?.(version);
      });
    }
  }
});

/** What a piece of work throws; undefined where it does not. */
async function faultOf(work: () => unknown): Promise<unknown> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error;
  }
}
