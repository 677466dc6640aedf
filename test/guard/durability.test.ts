import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { hasProgram } from "../emulators/has-program.ts";
import { requires } from "../harness/requires.ts";

const SIGNER = join(import.meta.dirname, "one-signer.ts");

describe("durability of sqlite, by its system calls", function () {
  this.timeout(30_000);
  let folder: string;
  beforeEach(function () {
    requires(this, hasProgram("strace"), "strace is not installed");
    folder = mkdtempSync(join(tmpdir(), "durability-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Runs the signer under strace. @returns what it wrote, and the trace */
  function traced(options: readonly string[], first = 1): { lines: string[]; trace: string[] } {
    const trace = join(folder, "trace");
    const calls = "trace=pwrite64,fdatasync,fsync,write,linkat,link,openat";
    const { stdout, stderr, error } = spawnSync(
      "strace",
      [
        "-f",
        "-y",
        "-o",
        trace,
        "-e",
        calls,
        ...options,
        process.execPath,
        SIGNER,
        join(folder, "watermarks.sqlite"),
        String(first),
      ],
      { encoding: "utf8" },
    );
    if (error !== undefined) throw error;
    expect(stderr).to.equal("");
    return { lines: stdout.trim().split("\n"), trace: readFileSync(trace, "utf8").split("\n") };
  }

  it("syncs each reservation, and each block's signature, after it is written and before it is answered", () => {
    traced([]);
    const { trace, lines } = traced([], 100); // a second start: the first one opens a database that is not WAL yet
    expect(lines).to.have.length(10);
    let writes = 0;
    let synced = 0;
    let answers = 0;
    for (const call of trace) {
      if (/pwrite64\(\d+<[^>]*-wal>/.test(call)) {
        writes += 1;
        synced = 0;
      } else if (/f(data)?sync\(\d+<[^>]*-wal>\)\s*= 0/.test(call)) synced += 1;
      else if (/write\(1<.*"(block|attestation) /.test(call)) {
        answers += 1;
        expect(writes, "nothing was written before the answer").to.be.greaterThan(0);
        expect(synced, `not synced before: ${call}`).to.be.greaterThan(0);
        writes = 0;
      }
    }
    expect(answers).to.equal(10);
  });

  it("syncs the first file and its folder before anything is signed on it", () => {
    const { trace } = traced([]);
    const at = (pattern: RegExp, from = 0) => trace.findIndex((call, index) => index >= from && pattern.test(call));
    const draft = at(/f(data)?sync\(\d+<[^>]*\.new>/);
    const link = at(/ link(at)?\(.*\.new/);
    const directory = at(new RegExp(`fsync\\(\\d+<${folder}>\\)\\s*= 0`), link);
    const answer = at(/write\(1<.*"block 1 /);
    expect([draft, link, directory, answer].every((index) => index >= 0)).to.equal(true);
    expect([draft, link, directory, answer]).to.deep.equal([draft, link, directory, answer].sort((a, b) => a - b));
  });

  for (const [what, call, code] of [
    ["an I/O error of the sync", "fsync,fdatasync", "EIO"],
    ["a full disk", "pwrite64", "ENOSPC"],
    ["an I/O error of the write", "pwrite64", "EIO"],
    ["a file system that turned read-only", "pwrite64", "EROFS"],
  ] as const) {
    it(`stops hard at ${what}, with a cure, and signs nothing more`, () => {
      traced([]);
      const { lines } = traced(["-e", `inject=${call}:error=${code}:when=7+`], 100);
      const fates = lines.map((line) => line.split(" ")[2] ?? "");
      const failed = fates.indexOf("watermark-untrusted");
      expect(failed, lines.join("\n")).to.be.greaterThan(0);
      const after = fates.slice(failed, lines.length - 1);
      expect(new Set(after)).to.deep.equal(new Set(["watermark-untrusted"]));
      expect(lines.at(-1)).to.match(/^stop: .*watermarks\.sqlite failed \(.*\)\. Mend the cause.*then restart\./);
      // Nothing that was released before is forgotten by the next start.
      const { lines: later } = traced([], 100);
      for (const line of lines.slice(0, failed)) {
        const [kind, level] = line.split(" ");
        if (kind !== "block") continue;
        expect(later).to.satisfy((all: string[]) =>
          all.some((again) => again === line || again === `block ${level} position-below-watermark`),
        );
      }
    });
  }
});

describe("durability of sqlite, on a disk that fills up", () => {
  it("stops hard when nothing fits any more, and after room was made has forgotten nothing", function () {
    const inNamespace = (script: string, folder: string) =>
      spawnSync("unshare", ["--map-root-user", "--mount", "sh", "-ec", script, folder, process.execPath, SIGNER], {
        encoding: "utf8",
      });
    const folder = mkdtempSync(join(tmpdir(), "durability-"));
    try {
      const mount = 'mount -t tmpfs -o size=160k none "$0"';
      requires(this, inNamespace(mount, folder).status === 0, "no file system may be mounted here (unshare)");
      const sign = '"$1" "$2" "$0/watermarks.sqlite" 1 40';
      // The mount goes with the namespace.
      const script = `${mount}; ${sign}; echo ===; mount -o remount,size=8m "$0"; ${sign}`;
      const { stdout, stderr } = inNamespace(script, folder);
      expect(stderr).to.equal("");
      const [before = [], after = []] = stdout.split("===\n").map((run) => run.trim().split("\n"));
      const failed = before.findIndex((line) => line.endsWith("watermark-untrusted"));
      expect(failed, "nothing failed").to.be.within(1, 79);
      for (const line of before.slice(failed, -1)) expect(line).to.match(/ watermark-untrusted$/);
      expect(before.at(-1)).to.match(/^stop: .*failed \(database or disk is full\)\. Mend the cause.*then restart\.$/);
      for (const [index, line] of before.slice(0, failed).entries()) {
        const [kind, level] = line.split(" ");
        const isKnown = after[index] === `${kind} ${level} position-below-watermark` || after[index] === line;
        expect(isKnown || kind === "attestation", `${line}, then ${after[index]}`).to.equal(true);
      }
      expect(after.slice(failed + 2).every((line) => /^\w+ \d+ [0-9a-f]{128}$/.test(line))).to.equal(true);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
