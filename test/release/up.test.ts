import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { releaseChange } from "../../infra/up.ts";
import { type Ended, Fixture, hashIn, programFolder, run } from "./fixture.ts";

/** Notes its arguments; `stack output` prints what is in a file, or fails without one; `up` says which release was announced, and ends with a code of its own. */
const PULUMI = `#!/bin/sh
echo "$@" >>"$PULUMI_NOTES"
if [ "$2" = --help ]; then exit 0; fi
if [ "$1" = up ]; then echo "up runs with $TEZOS_SIGNER_RELEASE"; exit 7; fi
exec cat "$PULUMI_OUTPUTS"
`;

/** The compiler: notes when it was asked, and finds what a test wants. */
const TSC = `#!/bin/sh
echo "tsc $*" >>"$PULUMI_NOTES"
if [ -n "$TSC_FINDS" ]; then echo "$TSC_FINDS"; exit 2; fi
`;

/** What is said while the compiler works. */
const CHECKING = "Checking the program's types, which takes half a minute\n";

/** Stands for the preflight: says with what it was asked, and ends as a test wants. */
const PREFLIGHT = `console.log(["preflight", ...process.argv.slice(2)].join(" "));
process.exitCode = Number(process.env.PREFLIGHT ?? 0);
`;

describe("npm run up", function () {
  this.timeout(60_000);
  let fixture: Fixture;
  let root: string;
  let hash: string;
  let env: Record<string, string>;

  before(async () => {
    fixture = await Fixture.start();
    root = fixture.write(fixture.files());
    hash = hashIn(await fixture.release(root));
    mkdirSync(join(root, "infra/preflight"), { recursive: true });
    writeFileSync(join(root, "infra/preflight/main.ts"), PREFLIGHT);
    const programs = programFolder(join(fixture.folder, "programs"), "pulumi", PULUMI);
    programFolder(programs, "tsc", TSC);
    env = {
      ...fixture.env,
      PATH: `${programs}:${process.env.PATH}`,
      PULUMI_NOTES: join(fixture.folder, "notes"),
      PULUMI_OUTPUTS: join(fixture.folder, "outputs"),
    };
  });

  after(() => fixture?.[Symbol.asyncDispose]());

  /** Runs it, and gives what Pulumi was asked. @param outputs what the stack has, or nothing where that fails */
  async function up(outputs: object | undefined, ...args: string[]): Promise<Ended & { asked: string[] }> {
    rmSync(env.PULUMI_NOTES ?? "", { force: true });
    rmSync(env.PULUMI_OUTPUTS ?? "", { force: true });
    if (outputs) writeFileSync(env.PULUMI_OUTPUTS ?? "", JSON.stringify(outputs));
    const ended = await run(process.execPath, ["infra/up.ts", ...args], { cwd: root, env });
    return {
      ...ended,
      asked: readFileSync(env.PULUMI_NOTES ?? "", "utf8")
        .trim()
        .split("\n"),
    };
  }

  it("makes the release, says from which to which, and runs pulumi up with that hash, its arguments and its exit code", async () => {
    rmSync(join(root, ".release"), { recursive: true });
    const outputs = { version: "0.1.9", release: "1a2b3c4d5e6f".padEnd(64, "0"), signerUrl: "http://192.0.2.1:6732" };
    const { code, stdout, asked } = await up(outputs, "--yes", "--stack", "prod");
    expect(stdout).to.equal(
      `preflight --stack prod\nRelease: from 0.1.9 (1a2b3c4d5e6f) to 0.2.0 (${hash.slice(0, 12)})\nup runs with ${hash}\n`,
    );
    expect(asked).to.deep.equal([
      "up --help --color never --yes --stack prod",
      "stack output --json --stack prod --non-interactive",
      "stack export --stack prod --non-interactive",
      "tsc --noEmit",
      "up --yes --stack prod",
    ]);
    expect(code).to.equal(7);
    expect(hashIn(await fixture.release(root))).to.equal(hash);
  });

  it("makes no release and runs no pulumi up where the preflight finds something, or cannot ask, and says how to go on", async () => {
    for (const code of ["1", "2", "3"]) {
      env.PREFLIGHT = code;
      const { text, asked, ...ended } = await up({}, "--yes");
      expect(text).to.equal(
        "preflight\nup: nothing was changed. To go on all the same: npm run up -- --skip-preflight\n",
      );
      expect(asked).to.have.lengthOf(3);
      expect(ended.code).to.equal(1);
    }
    env.PREFLIGHT = "4"; // nothing is wrong, something is not known
    expect((await up({})).code).to.equal(7);
    env.PREFLIGHT = "1";
    const { stdout, asked } = await up({}, "--yes", "--skip-preflight");
    delete env.PREFLIGHT;
    expect(stdout).to.match(/^Release: /);
    expect(asked.at(-1)).to.equal("up --yes");
  });

  it("asks the stack that is named in any of Pulumi's ways", async () => {
    for (const args of [["-s", "prod"], ["-sprod"], ["--stack=prod"]]) {
      const { asked, stdout } = await up({}, ...args);
      expect(stdout).to.match(/^preflight (?:-s prod|--stack=prod)\n/);
      expect(asked[1]).to.match(/^stack output --json (?:-s prod|--stack=prod) --non-interactive$/);
    }
  });

  it("leaves it to pulumi up to say what is wrong with a stack that cannot be read", async () => {
    const { stdout, code } = await up(undefined);
    expect(stdout).to.equal(`preflight\nRelease: 0.2.0 (${hash.slice(0, 12)})\nup runs with ${hash}\n`);
    expect(code).to.equal(7);
  });

  it("ends with 1 and one line where no release can be made, and runs no pulumi up", async () => {
    const licence = readFileSync(join(root, "LICENSE"));
    rmSync(join(root, "LICENSE"));
    const { code, text, asked } = await up({});
    writeFileSync(join(root, "LICENSE"), licence);
    expect(text).to.match(/^preflight\n.+\nup: LICENSE is missing in .+\n$/);
    expect(asked).to.have.lengthOf(4);
    expect(code).to.equal(1);
  });

  it("says before the types are checked that it takes a while, and ends with the compiler's words and exit code where they do not fit, with no release made", async () => {
    rmSync(join(root, ".release"), { recursive: true });
    env.TSC_FINDS = "infra/index.ts(3,7): error TS2322: no number";
    const { code, text, asked } = await up({}, "--yes");
    delete env.TSC_FINDS;
    expect(text).to.equal(
      `preflight\n${CHECKING}infra/index.ts(3,7): error TS2322: no number\n` +
        "up: the program's types do not fit, as told above, so nothing was changed\n",
    );
    expect(asked.at(-1)).to.equal("tsc --noEmit");
    expect(existsSync(join(root, ".release"))).to.equal(false);
    expect(code).to.equal(2);
  });

  it("names what an earlier command was cut off in and the way back, makes no release and runs no pulumi up", async () => {
    const resource = { urn: "urn:pulumi:dev::tezos-signer::azure-native:compute:VirtualMachine::machine" };
    const { code, text, asked } = await up({ deployment: { pending_operations: [{ type: "creating", resource }] } });
    expect(text).to.match(/^up: an earlier command was cut off \(creating machine\): `npm run recover` says .+\n$/);
    expect(asked).to.have.lengthOf(3);
    expect(code).to.equal(1);
  });

  it("says where to get Pulumi when there is none, before it fetches anything", async () => {
    const none = { ...env, PATH: programFolder(join(fixture.folder, "none"), "not-pulumi", PULUMI) };
    const { code, text } = await run(process.execPath, ["infra/up.ts"], { cwd: root, env: none });
    expect(text).to.equal("up: pulumi is not on PATH: docs/deploy.md says how to install it\n");
    expect(code).to.equal(1);
  });

  it("--help says what it does, and asks Pulumi nothing", async () => {
    writeFileSync(env.PULUMI_NOTES ?? "", "");
    const { code, stdout } = await run(process.execPath, ["infra/up.ts", "--help"], { cwd: root, env });
    expect(stdout).to.match(/^npm run up \[-- ARGUMENTS\]\n/);
    expect(readFileSync(env.PULUMI_NOTES ?? "", "utf8")).to.equal("");
    expect(code).to.equal(0);
  });

  describe("says of a stack", () => {
    const release = { version: "0.2.0", sha256: "ab".repeat(32) };
    const rows: [which: string, outputs: object, said: string][] = [
      ["that was never up", {}, "first release, 0.2.0 (abababababab)"],
      [
        "made before there were releases",
        { signerUrl: "http://x" },
        "from a stack without releases to 0.2.0 (abababababab)",
      ],
      ["with this release", { version: "0.2.0", release: release.sha256 }, "stays at 0.2.0 (abababababab)"],
      [
        "with another release of this version",
        { version: "0.2.0", release: "cd".repeat(32) },
        "from 0.2.0 (cdcdcdcdcdcd) to 0.2.0 (abababababab)",
      ],
    ];
    for (const [which, outputs, said] of rows) {
      it(`${which}: ${said}`, () => {
        expect(releaseChange(outputs, release)).to.equal(`Release: ${said}`);
      });
    }
  });
});
