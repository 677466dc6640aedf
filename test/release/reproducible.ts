import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { cacheFolder } from "../../release/archives.ts";
import { hasProgram } from "../emulators/has-program.ts";
import { temporaryFolder } from "../emulators/signer-process.ts";
import { requires } from "../harness/requires.ts";
import { copyCheckout, type Ended, fileIn, hashIn, run } from "./fixture.ts";
import { fetchTools, pathWith, type Tools } from "./tools.ts";

/** The user `nobody`, who owns nothing here. */
const NOBODY = 65_534;

/**
 * `npm run test:release`: this checkout's own release, with its real archives, made in every way that could make a
 * difference. Three minutes and 220 MB, after archives.test.ts and release.test.ts, which do most of it with small archives.
 */
describe("the hash of this checkout's release", function () {
  this.timeout(300_000);
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let tools: Tools | undefined;
  let hash: string;
  let first: string;
  let count = 0;

  before(async () => {
    folder = await temporaryFolder();
    chmodSync(folder.path, 0o755);
    tools = await fetchTools();
    const made = await release(resolve(import.meta.dirname, "../.."));
    hash = hashIn(made);
    first = fileIn(made);
    console.log(`  SHA-256 ${hash}, ${statSync(first).size} bytes`);
  });

  after(() => folder?.[Symbol.asyncDispose]());

  /** `npm run release`, as a person types it. */
  const release = (cwd: string, env: object = {}) => run("npm", ["run", "release"], { cwd, env });

  /** Another copy of the checkout, in a folder of its own: without git, since none is copied. */
  function copy(name = `copy-${++count}`): string {
    const to = join(folder.path, name);
    copyCheckout(to);
    return to;
  }

  /** Makes it in a copy, and removes the copy with it. */
  async function madeIn(root: string, make: (root: string) => Promise<Ended> = release): Promise<string> {
    const made = hashIn(await make(root));
    rmSync(root, { recursive: true });
    return made;
  }

  it("is of a release as large as README.md and docs/deploy.md say", () => {
    const page = (name: string) => readFileSync(resolve(import.meta.dirname, "../..", name), "utf8");
    const told = [
      /with its Node\.js, is (\d+) MB/.exec(page("README.md")),
      /uploads the signer, (\d+) MB/.exec(page("docs/deploy.md")),
    ].map((match) => Number(match?.[1]));
    for (const megabytes of told) expect(megabytes).to.be.closeTo(statSync(first).size / 1e6, 1);
  });

  for (const [node, npm, version] of [
    ["node20", "npm10", "10.9.9"],
    ["node24", "npm11", "11.21.2"],
  ] as const) {
    it(`is the same by ${node} and ${npm}, which fetch every archive themselves`, async function () {
      requires(this, tools !== undefined, "npm 10 and 11 and Node.js 20 could not be fetched");
      if (tools === undefined) return;
      const PATH = pathWith(join(folder.path, `${node}-${npm}`), tools[node], tools[npm]);
      const env = { PATH, XDG_CACHE_HOME: join(folder.path, `cache-${node}-${npm}`) };
      const used = await run("npm", ["--version"], { cwd: folder.path, env });
      expect(used.stdout.trim()).to.equal(version);
      const made = await madeIn(copy(), async (root) => {
        const ended = await release(root, env);
        expect(ended.text).to.match(/^release: (\d+) of \1$/m);
        return ended;
      });
      rmSync(env.XDG_CACHE_HOME, { recursive: true });
      expect(made).to.equal(hash);
    });
  }

  it("is the same in a folder with another name, without git", async () => {
    expect(await madeIn(copy("another folder"))).to.equal(hash);
  });

  it("is the same as another user, who cannot write to the archives", async function () {
    requires(this, process.getuid?.() === 0 && hasProgram("setpriv"), "takes root and setpriv");
    const root = copy();
    for (const path of ["", ...readdirSync(root, { recursive: true, encoding: "utf8" })]) {
      if (!path.startsWith("node_modules")) chownSync(join(root, path), NOBODY, NOBODY);
    }
    const cache = join(folder.path, "cache-nobody");
    mkdirSync(join(cache, "tezos-signer"), { recursive: true });
    execFileSync("cp", ["-r", join(cacheFolder(), "archives"), join(cache, "tezos-signer")]);
    execFileSync("chmod", ["-R", "a+rX", cache]);
    const user = ["--reuid", String(NOBODY), "--regid", String(NOBODY), "--clear-groups"];
    const reads = await run("setpriv", [...user, "cat", join(root, "node_modules/koa/package.json")], { cwd: "/" });
    requires(this, reads.code === 0, "the checkout's node_modules may be read by its owner alone");
    const env = { XDG_CACHE_HOME: cache, HOME: root, npm_config_cache: join(root, ".npm") };
    const made = await madeIn(root, (cwd) => run("setpriv", [...user, "npm", "run", "release"], { cwd, env }));
    expect(made).to.equal(hash);
  });

  for (const umask of ["077", "000"]) {
    it(`is the same with umask ${umask}`, async () => {
      const make = (cwd: string) => run("sh", ["-c", `umask ${umask}; exec npm run release`], { cwd });
      expect(await madeIn(copy(), make)).to.equal(hash);
    });
  }

  // Node.js brings every locale along, so the system need not have it.
  for (const env of [
    { TZ: "Pacific/Kiritimati", LC_ALL: "C" },
    { TZ: "America/Adak", LC_ALL: "C.UTF-8" },
    { TZ: "Asia/Kolkata", LC_ALL: "tr_TR.UTF-8" },
  ]) {
    it(`is the same with TZ=${env.TZ} and LC_ALL=${env.LC_ALL}`, async () => {
      expect(await madeIn(copy(), (root) => release(root, env))).to.equal(hash);
    });
  }

  it("is the same with its files made in another order", async () => {
    const root = copy();
    const paths = readdirSync(join(root, "signer"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    const kept = paths.map((path) => [path, readFileSync(path)] as const);
    for (const [path] of kept) rmSync(path);
    for (const [path, bytes] of kept.reverse()) writeFileSync(path, bytes);
    expect(await madeIn(root)).to.equal(hash);
  });

  it("is the same with CR LF in every file", async () => {
    const root = copy();
    for (const part of ["signer", "machine", "release", "LICENSE", "package.json", "package-lock.json"]) {
      for (const path of filesIn(join(root, part))) {
        writeFileSync(path, readFileSync(path, "latin1").replaceAll("\n", "\r\n"), "latin1");
      }
    }
    expect(await madeIn(root)).to.equal(hash);
  });

  it("is the same after changes of docs, of a stack's file, of a test, of a script and of a development dependency", async () => {
    const root = copy();
    writeFileSync(join(root, "docs/change.md"), "# Changed\n");
    writeFileSync(join(root, "Pulumi.mine.yaml"), "config: {}\n");
    writeFileSync(join(root, "test/new.test.ts"), "// new\n");
    const described = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    delete described.devDependencies.azurite;
    described.scripts.start = "echo";
    writeFileSync(join(root, "package.json"), JSON.stringify(described));
    const offline = ["install", "--package-lock-only", "--ignore-scripts", "--prefer-offline", "--no-audit"];
    const { code, text } = await run("npm", offline, { cwd: root });
    expect(code, text).to.equal(0);
    expect(await madeIn(root)).to.equal(hash);
  });

  it("is another one after a change of one letter in signer/", async () => {
    const root = copy();
    const file = join(root, "signer/errors.ts");
    writeFileSync(file, `${readFileSync(file, "utf8")}\n`);
    expect(await madeIn(root)).to.not.equal(hash);
  });

  it("belongs to a tar that is whole by its MANIFEST once GNU tar has unpacked it", async () => {
    execFileSync("tar", ["-xf", first, "-C", folder.path]);
    const [top = ""] = readdirSync(folder.path).filter((name) => name.startsWith("tezos-signer-"));
    const cwd = join(folder.path, top);
    const { code, text } = await run("sha256sum", ["--check", "--strict", "--quiet", "MANIFEST"], { cwd });
    expect(code, text).to.equal(0);
  });

  it("is made with 20 MB more in the tar", async () => {
    const root = copy();
    writeFileSync(join(root, "signer/large.ts"), Buffer.alloc(20_000_000, "tezos\0"));
    const made = await release(root);
    expect(statSync(fileIn(made)).size - statSync(first).size).to.be.greaterThan(20_000_000);
    rmSync(root, { recursive: true });
  });
});

function filesIn(path: string): string[] {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return [];
  if (found.isFile()) return [path];
  return readdirSync(path).flatMap((name) => filesIn(join(path, name)));
}
