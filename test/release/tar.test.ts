import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { type TarEntry, writeTar } from "../../release/tar.ts";
import { hasProgram } from "../emulators/has-program.ts";
import { temporaryFolder } from "../emulators/signer-process.ts";
import { rejection } from "../harness/rejection.ts";
import { requires } from "../harness/requires.ts";

const NAME = fc.stringMatching(/^[a-zA-Z0-9_@+.-]{1,40}$/).filter((name) => !/^\.+$|^-/.test(name));
/** No path is a folder of another one, since all have the same depth. */
const FILES = fc.integer({ min: 1, max: 5 }).chain((depth) =>
  fc.uniqueArray(
    fc.record({
      path: fc.array(NAME, { minLength: depth, maxLength: depth }).map((parts) => ["top", ...parts].join("/")),
      mode: fc.constantFrom(0o644, 0o755),
      bytes: fc.uint8Array({ maxLength: 2_000 }).map((bytes) => Buffer.from(bytes)),
    }),
    { selector: ({ path }) => path.toLowerCase(), minLength: 1, maxLength: 20 },
  ),
);

const entry = ({ path, mode, bytes }: { path: string; mode: number; bytes: Buffer }): TarEntry => ({
  path,
  mode,
  read: () => bytes,
});

describe("the tar of a release", function () {
  this.timeout(60_000);

  it("is the same for its entries in any order, and GNU tar reads it back, whatever they are", async function () {
    requires(this, hasProgram("tar"), "no tar on PATH");
    await using folder = await temporaryFolder();
    let count = 0;
    await fc.assert(
      fc.asyncProperty(FILES, fc.integer(), async (files, turn) => {
        const out = join(folder.path, String(++count));
        mkdirSync(out);
        const hash = await writeTar(join(out, "a.tar"), files.map(entry));
        const at = Math.abs(turn) % files.length;
        const turned = [...files.slice(at), ...files.slice(0, at)].reverse();
        expect(await writeTar(join(out, "b.tar"), turned.map(entry))).to.equal(hash);
        expect(
          createHash("sha256")
            .update(readFileSync(join(out, "a.tar")))
            .digest("hex"),
        ).to.equal(hash);
        execFileSync("tar", ["-xpf", "a.tar"], { cwd: out });
        for (const { path, mode, bytes } of files) {
          expect(readFileSync(join(out, path)).equals(bytes), path).to.equal(true);
          expect(statSync(join(out, path)).mode & 0o777, path).to.equal(mode);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("is owned by 0 at the time 0, without names of users, sorted by code units", async function () {
    requires(this, hasProgram("tar"), "no tar on PATH");
    await using folder = await temporaryFolder();
    const file = join(folder.path, "a.tar");
    const paths = ["top/b", "top/a/c", "top/B", "top/a-b"];
    await writeTar(
      file,
      paths.map((path) => entry({ path, mode: 0o644, bytes: Buffer.from(path) })),
    );
    const env = { ...process.env, TZ: "UTC", LC_ALL: "C" };
    const listed = execFileSync("tar", ["-tvf", file, "--full-time"], { encoding: "utf8", env });
    expect(listed.trim().split("\n")).to.deep.equal([
      "-rw-r--r-- 0/0               5 1970-01-01 00:00:00 top/B",
      "-rw-r--r-- 0/0               7 1970-01-01 00:00:00 top/a-b",
      "-rw-r--r-- 0/0               7 1970-01-01 00:00:00 top/a/c",
      "-rw-r--r-- 0/0               5 1970-01-01 00:00:00 top/b",
    ]);
  });

  it("fails where an entry cannot be read, or the file cannot be written", async () => {
    await using folder = await temporaryFolder();
    const unreadable: TarEntry = { path: "top/x", mode: 0o644, read: () => Promise.reject(new Error("gone")) };
    expect((await rejection(writeTar(join(folder.path, "a.tar"), [unreadable]), Error)).message).to.equal("gone");
    const error = await rejection(writeTar(join(folder.path, "no/a.tar"), []), Error);
    expect(error.message).to.include("ENOENT");
  });
});
