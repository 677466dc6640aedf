import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect } from "chai";

const SCRIPT = readFileSync(resolve(import.meta.dirname, "../../machine/bin/fetch-release"), "utf8");
const URL = "https://storage.example/releases/r.tar";

/** What unpacks a release there: it holds its files to MANIFEST, as the real one does first. */
const UNPACK = '#!/bin/sh\ncd "$(dirname "$0")" && sha256sum --check --quiet MANIFEST\n';

describe("the fetching of a release", () => {
  let folder: string;
  const file = (path: string) => join(folder, path);
  const releases = () => readdirSync(file("opt/releases"));

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "fetch-"));
    mkdirSync(file("bin"));
    mkdirSync(file("made/top/signer"), { recursive: true });
    mkdirSync(file("made/top/archives"));
    writeFileSync(file("made/top/signer/main.ts"), "signs\n");
    writeFileSync(file("made/top/archives/LIST"), "");
    writeFileSync(file("made/top/unpack"), UNPACK, { mode: 0o755 });
    program(
      "curl",
      `echo "$*" >>${file("asked")}
       case "$*" in *oauth2/token*) [ -z "$TOKENLESS" ] || exit 22; echo '{"access_token":"secret-token"}'; exit;; esac
       cat >>${file("told")}
       [ -z "$UNREACHED" ] || { echo "curl: (6) Could not resolve host" >&2; exit 6; }
       while [ "$1" != --output ]; do shift; done
       cp ${file("served")} "$2"; printf %s "$STATUS"`,
    );
    program("chown", `echo "chown $*" >>${file("asked")}`);
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  function program(name: string, text: string): void {
    writeFileSync(file(`bin/${name}`), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  }

  /** Makes the tar of what lies in made/, with a MANIFEST. @returns its SHA-256 */
  function serve(manifest?: string): string {
    const cwd = file("made/top");
    const own = execFileSync("sh", ["-c", "sha256sum signer/main.ts archives/LIST unpack"], { cwd, encoding: "utf8" });
    writeFileSync(join(cwd, "MANIFEST"), manifest ?? own);
    execFileSync("tar", ["--create", "--file", file("served"), "--directory", file("made"), "top"]);
    return hashOf(readFileSync(file("served")));
  }

  const hashOf = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

  /** Runs the script, with its folder and its programs here. @returns exit status and what it says */
  function fetch(sha256: string, env: Readonly<Record<string, string>> = {}): { status: number | null; said: string } {
    writeFileSync(file("script"), SCRIPT.replace("root=/opt/tezos-signer", `root=${file("opt")}`));
    const { status, stderr } = spawnSync("bash", [file("script"), URL, sha256, "client"], {
      env: { PATH: `${file("bin")}:${process.env.PATH}`, STATUS: "200", ...env },
      encoding: "utf8",
    });
    return { status, said: stderr.trim() };
  }

  it("leaves a whole release under its hash, root's and nobody's to change, without what it was installed from", () => {
    chmodSync(file("made/top/signer/main.ts"), 0o4777);
    const sha256 = serve();
    expect(fetch(sha256)).to.deep.equal({ status: 0, said: "" });
    expect(releases()).to.deep.equal([sha256]);
    const place = file(`opt/releases/${sha256}`);
    expect(readdirSync(place).sort()).to.deep.equal(["MANIFEST", "signer", "unpack"]);
    expect((statSync(join(place, "signer/main.ts")).mode & 0o7777).toString(8)).to.equal("755");
    expect(readFileSync(file("asked"), "utf8")).to.match(/^chown -R root:root /m);
    expect(existsSync(file("opt/download"))).to.equal(false);
  });

  it("shows its token to no process that reads arguments", () => {
    fetch(serve());
    expect(readFileSync(file("asked"), "utf8")).not.to.include("secret-token");
    expect(readFileSync(file("told"), "utf8")).to.include("Authorization: Bearer secret-token");
  });

  it("asks nobody where the release is there", () => {
    const sha256 = serve();
    fetch(sha256);
    rmSync(file("asked"));
    expect(fetch(sha256).status).to.equal(0);
    expect(existsSync(file("asked"))).to.equal(false);
  });

  it("removes what one that was killed has left", () => {
    mkdirSync(file(`opt/releases/.${"ab".repeat(32)}`), { recursive: true });
    const sha256 = serve();
    fetch(sha256);
    expect(releases()).to.deep.equal([sha256]);
  });

  const refused: Readonly<Record<string, [make: () => string, env: Readonly<Record<string, string>>, said: RegExp]>> = {
    "whose bytes are others": [
      () => serve() && "ab".repeat(32),
      {},
      /^SHA-256 of https:\S+ is [0-9a-f]{64} \(\d+ bytes\), and the stack says (?:ab){32}$/,
    ],
    "whose MANIFEST is not that of its files": [
      () => serve(`${"0".repeat(64)}  signer/main.ts\n`),
      {},
      /^while unpacking: signer\/main\.ts: FAILED$/,
    ],
    "that is no tar": [
      () => {
        writeFileSync(file("served"), "a page of a proxy\n");
        return hashOf(readFileSync(file("served")));
      },
      {},
      /^while unpacking: /,
    ],
    "whose tar ends in the middle of a file": [
      () => {
        serve();
        writeFileSync(file("served"), readFileSync(file("served")).subarray(0, 1_000));
        return hashOf(readFileSync(file("served")));
      },
      {},
      /^while unpacking: /,
    ],
    "that the storage refuses, by the storage's own code": [
      () => {
        writeFileSync(file("served"), '<?xml version="1.0"?><Error><Code>AuthorizationFailure</Code></Error>');
        return "ab".repeat(32);
      },
      { STATUS: "403" },
      /^while fetching https:\S+: the storage answers 403 AuthorizationFailure$/,
    ],
    "whose storage is not reached": [() => serve(), { UNREACHED: "yes" }, /^while fetching https:\S+: curl: \(6\)/],
    "for which there is no token": [() => serve(), { TOKENLESS: "yes" }, /^no token for the release's storage/],
    "that is named by no hash": [() => "../../etc", {}, /has to be 64 hex digits, it is '\.\.\/\.\.\/etc'$/],
  };
  for (const [which, [make, env, said]] of Object.entries(refused)) {
    it(`leaves nothing of a release ${which}, and says why in one line`, () => {
      const ended = fetch(make(), env);
      expect(ended.status).to.equal(1);
      expect(ended.said).to.match(said);
      if (existsSync(file("opt/releases"))) expect(releases()).to.deep.equal([]);
      expect(existsSync(file("opt/download"))).to.equal(false);
    });
  }

  it("says by a full disk's own words that there is no room, since that passes", () => {
    writeFileSync(
      file("made/top/unpack"),
      "#!/bin/sh\necho 'tar: x: Cannot write: No space left on device' >&2\nexit 2\n",
    );
    expect(fetch(serve()).said).to.equal("while unpacking: tar: x: Cannot write: No space left on device");
  });

  it("writes nothing outside of the release's folder, whatever links its tar has", () => {
    mkdirSync(file("elsewhere"));
    serve();
    const add = (...words: string[]) => execFileSync("tar", ["--append", "--file", file("served"), ...words]);
    rmSync(file("made"), { recursive: true });
    mkdirSync(file("made/top"), { recursive: true });
    symlinkSync(file("elsewhere"), file("made/top/way"));
    add("--directory", file("made"), "top/way");
    rmSync(file("made/top/way"));
    mkdirSync(file("made/top/way"));
    writeFileSync(file("made/top/way/taken"), "x");
    add("--directory", file("made"), "top/way/taken");
    fetch(hashOf(readFileSync(file("served"))));
    expect(readdirSync(file("elsewhere"))).to.deep.equal([]);
  });
});
