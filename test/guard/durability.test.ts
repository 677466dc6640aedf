import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { hasProgram } from "../emulators/has-program.ts";
import { requires } from "../harness/requires.ts";
import { killAtCalls } from "./kills-at-calls.ts";

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
    const calls = "trace=pwrite64,fdatasync,fsync,write,linkat,link,openat,rename";
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

  /** The calls of each request until it was answered, and what came after that and before the next one. */
  function requests(trace: readonly string[]): { kind: string; before: string[]; after: string[] }[] {
    const calls = trace.map((call) => call.replace(/^\d+ +/, "").replaceAll(`${folder}/watermarks.sqlite`, "DB"));
    const starts = calls.flatMap((call, index) => (/^write\(1<.*"", 0\)/.test(call) ? [index] : []));
    return starts.map((start, index) => {
      const own = calls.slice(start + 1, starts[index + 1]);
      const answer = own.findIndex((call) => /^write\(1<.*"(block|attestation) /.test(call));
      return {
        kind: /"(\w+) /.exec(own[answer] ?? "")?.[1] ?? "",
        before: own.slice(0, answer),
        after: own.slice(answer),
      };
    });
  }

  it("answers each vote after one sync and no more, and each block after two, of the log that was written before", () => {
    traced([]);
    // The first one opens the file.
    const [, ...asked] = requests(traced([], 100).trace);
    expect(asked.map(({ kind }) => kind).slice(0, 3)).to.deep.equal(["attestation", "block", "attestation"]);
    const step = /^(?:(pwrite64)|f(?:data)?(sync))\(\d+<([^>]*)>/;
    for (const { kind, before } of asked) {
      const steps = before.flatMap((call) => {
        const [, write, sync, file] = step.exec(call) ?? [];
        return file === undefined ? [] : [`${write ?? sync} ${file}`];
      });
      const commit = ["pwrite64 DB-wal", "pwrite64 DB-wal", "sync DB-wal"];
      expect(steps).to.deep.equal(kind === "block" ? [...commit, ...commit] : commit);
    }
  });

  it("has all of it in the one file, synced, before the next request, and then in the witness, which is not", () => {
    traced([]);
    const asked = requests(traced([], 100).trace).slice(0, -1);
    expect(asked).to.have.length(9);
    for (const { after } of asked) {
      const at = (pattern: RegExp) => after.findIndex((call) => pattern.test(call));
      const order = [at(/^pwrite64\(\d+<DB>/), at(/^f(data)?sync\(\d+<DB>\) += 0/), at(/^pwrite64\(\d+<DB.seen>/)];
      expect(order, after.join("\n")).to.deep.equal([...order].sort((a, b) => a - b));
      expect(order[0]).to.be.greaterThan(0);
      expect(at(/sync\(\d+<DB.seen/)).to.equal(-1);
      expect(after.filter((call) => /^pwrite64\(\d+<DB.seen>/.test(call))).to.have.length(2);
    }
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
      // Not while the file is opened, but once something was answered.
      const { trace } = traced([], 50);
      const answered = trace.findIndex((line) => / write\(1<.*"attestation /.test(line));
      const names = call.split(",").map((name) => ` ${name}(`);
      const first = trace.slice(0, answered).filter((line) => names.some((name) => line.includes(name))).length + 2;
      const { lines } = traced(["-e", `inject=${call}:error=${code}:when=${first}+`], 100);
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

describe("durability of sqlite, on a disk that is full", function () {
  this.timeout(60_000);

  it("stops hard where its files do not fit, signs on where they do, and has forgotten nothing later", function () {
    const inNamespace = (script: string, folder: string) =>
      spawnSync("unshare", ["--map-root-user", "--mount", "sh", "-ec", script, folder, process.execPath, SIGNER], {
        encoding: "utf8",
      });
    const folder = mkdtempSync(join(tmpdir(), "durability-"));
    try {
      const mount = 'mount -t tmpfs -o size=160k none "$0"';
      requires(this, inNamespace(mount, folder).status === 0, "no file system may be mounted here (unshare)");
      const sign = '"$1" "$2" "$0/watermarks.sqlite"';
      const stopped: boolean[] = [];
      for (const pages of [0, 3, 6]) {
        // All pages but so many are taken by something else. The mount goes with the namespace.
        const fill = `cat /dev/zero > "$0/other" 2> /dev/null || truncate -s -${4 * pages}K "$0/other"`;
        const script = `${mount}; ${sign} 1 3; ${fill}; ${sign} 4 3; echo ===; rm "$0/other"; ${sign} 1 6`;
        const { stdout, stderr } = inNamespace(script, folder);
        expect(stderr).to.equal("");
        const [before = [], after = []] = stdout.split("===\n").map((run) => run.trim().split("\n"));
        const failed = before.findIndex((line) => line.endsWith("watermark-untrusted"));
        stopped.push(failed >= 0);
        for (const line of failed < 0 ? [] : before.slice(failed)) {
          expect(line).to.match(/ watermark-untrusted$|^stop: .*failed \(.*full\)\. Mend the cause.*then restart\.$/);
        }
        const answered = failed < 0 ? before : before.slice(0, failed);
        for (const [index, line] of answered.entries()) {
          const [kind, level] = line.split(" ");
          const isKnown = after[index] === `${kind} ${level} position-below-watermark` || after[index] === line;
          // The same vote may be signed once more: that is no second one.
          const isLastVote = index === answered.findLastIndex((each) => each.startsWith("attestation "));
          expect(isKnown || isLastVote, `${line}, then ${after[index]}`).to.equal(true);
        }
      }
      expect(new Set(stopped), "all the same").to.have.length(2);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe("durability of sqlite, killed at its system calls", function () {
  this.timeout(120_000);

  it("knows after the next start whatever was answered before: at each third call, and in the campaign at each", async function () {
    requires(this, hasProgram("strace"), "strace is not installed");
    const { kills, answers } = await killAtCalls(3);
    expect(Object.keys(kills)).to.have.length(7);
    expect(answers).to.be.greaterThan(10);
  });
});
