import { spawnSync } from "node:child_process";
import { chmod, chown, readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { EXIT_CODES } from "../../../signer/cli/exit-codes.ts";
import {
  BOUND,
  ENTRY,
  expectWords,
  finished,
  keysAt,
  makeStore,
  place,
  ROOT,
  run,
  sentence,
  storeAt,
  tls,
} from "../../harness/command-place.ts";
import { OUT_COMMANDS } from "../../harness/out-commands.ts";
import { requires } from "../../harness/requires.ts";

/** Root may do everything, so its tests run commands as another user. */
const OTHER = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

/** Gives all of a folder to the user that commands are run as. */
async function giveAway(folder: string): Promise<void> {
  if (OTHER.uid === undefined) return;
  const names = await readdir(folder, { recursive: true });
  for (const name of ["", ...names]) await chown(join(folder, name), OTHER.uid, OTHER.gid);
}

/** Commands, what has no rights, and what is said. */
const FAULTS: readonly (readonly [command: string, changes: object, locked: string, said: RegExp])[] = [
  ["serve --config settings.yaml", {}, "settings.yaml", /settings\.yaml: permission denied/],
  ["serve --config settings.yaml", {}, "keys", /keys\S* cannot be (read|written): permission denied/],
  ["serve --config settings.yaml", {}, "keys/passphrase", /keys\/passphrase cannot be read: permission denied/],
  ["serve --config settings.yaml", {}, "keys/tz3.pem", /keys\/tz3\.pem cannot be read: permission denied/],
  ["serve --config settings.yaml", keysAt("folder/keys"), "folder", /folder\/keys cannot be read: permission denied/],
  ["serve --config settings.yaml", tls("file", "file"), "file", /listen\.tls\.\w+ cannot be read: file: permission/],
  ["serve --config settings.yaml", {}, "watermarks.sqlite", /cannot be the watermark store: permission denied/],
  ["serve --config settings.yaml", storeAt("folder/w"), "folder", /cannot be the watermark store: permission denied/],
  ["watermarks show --config settings.yaml", {}, "watermarks.sqlite", /watermark store: permission denied/],
  ["watermarks import file --config settings.yaml", {}, "file", /file cannot be read: permission denied/],
  ...OUT_COMMANDS.map((command): (typeof FAULTS)[number] => [
    `${command} --out folder/x`,
    {},
    "folder",
    /folder\/x cannot be written: permission denied/,
  ]),
  ["keys show keys/tz3.pem", {}, "keys/tz3.pem", /keys\/tz3\.pem cannot be read: permission denied/],
];

describe("what a user has no rights to", () => {
  before(async function () {
    const { code } = await run([ENTRY, "--version"], "/", "read", OTHER).catch(() => ({ code: 1 }));
    requires(this, code === 0, "this checkout or its Node.js may be read by root alone");
  });

  for (const [command, changes, locked, said] of FAULTS) {
    it(`is told in words by ${command}, of ${locked}`, async () => {
      await using folder = await place(changes);
      await makeStore(folder.path);
      await giveAway(folder.path);
      await chmod(join(folder.path, locked), 0);
      const { code, errors } = await run([ENTRY, ...command.split(" ")], folder.path, "read", OTHER);
      await chmod(join(folder.path, locked), 0o700);
      expect(sentence(errors)).to.match(said);
      expectWords(errors);
      expect(code).to.equal(EXIT_CODES.unusable.code);
    });
  }
});

/** Commands beside a disk, and what is said of it. */
const DISKS: readonly (readonly [state: "full" | "read-only", command: string, changes: object, said: RegExp])[] = [
  ...OUT_COMMANDS.flatMap((command): (typeof DISKS)[number][] => [
    ["full", `${command} --out disk/x`, {}, /^disk\/x cannot be written: the disk is full $/],
    ["read-only", `${command} --out disk/x`, {}, /^disk\/x cannot be written: the disk is read-only $/],
  ]),
  ["read-only", "serve --config settings.yaml", storeAt("disk/w"), /watermark store: the disk is read-only/],
];

/** Runs a script in which a disk may be mounted, at `disk`; it goes with the script. */
function withDisk(script: string, words: readonly string[], cwd: string) {
  return finished(["unshare", "--map-root-user", "--mount", "sh", "-ec", script, "sh", ...words], cwd);
}

const MOUNT = "mount -t tmpfs -o size=64k none disk";
const STATES = {
  full: `${MOUNT}; cat /dev/zero > disk/other 2> /dev/null || true`,
  "read-only": `${MOUNT}; mount -o remount,ro disk`,
};

describe("a disk that takes nothing", () => {
  before(function () {
    const { status } = spawnSync("unshare", ["--map-root-user", "--mount", "true"]);
    requires(this, status === 0, "no file system may be mounted here (unshare)");
  });

  for (const [state, command, changes, said] of DISKS) {
    it(`is told in words by ${command}, where it is ${state}: ${JSON.stringify(changes)}`, async () => {
      await using folder = await place(changes);
      await makeStore(folder.path);
      await finished(["mkdir", "disk"], folder.path);
      const words = [process.execPath, ENTRY, ...command.split(" ")];
      const { code, errors } = await withDisk(`${STATES[state]}; exec ${BOUND} "$@"`, words, folder.path);
      expect(sentence(errors)).to.match(said);
      expectWords(errors);
      expect(code).to.equal(EXIT_CODES.unusable.code);
    });
  }

  it("has no half of a file where it gets full while one is written", async () => {
    await using folder = await place({});
    await finished(["mkdir", "disk"], folder.path);
    const write = `
      import { existsSync } from "node:fs";
      import { writeNewFile } from ${JSON.stringify(join(ROOT, "signer/key-files/key-file.ts"))};
      const said = await writeNewFile("disk/x", "x".repeat(100_000)).catch(({ message }) => message);
      console.log(said, existsSync("disk/x"));`;
    const words = [process.execPath, "--input-type=module", "--eval", write];
    const { out } = await withDisk(`${MOUNT}; exec "$@"`, words, folder.path);
    expect(out).to.equal("disk/x could not be written whole and was removed again: the disk is full false\n");
  });

  it("ends no signer where it is full: it listens, and says what is wrong", async () => {
    await using folder = await place(storeAt("disk/watermarks.sqlite"));
    await finished(["mkdir", "disk"], folder.path);
    // It is stopped once it listens: the lines of its log are read until then.
    const script = `${STATES.full}; (${BOUND} "$@" 2>&1 & echo "pid $!"; wait $!; echo "code $?") | while read -r line; do
      case "$line" in pid*) pid=\${line#pid };; *listening*) kill "$pid";; esac; echo "$line"; done`;
    const words = [process.execPath, ENTRY, "serve", "--config", "settings.yaml"];
    const { out } = await withDisk(script, words, folder.path);
    expect(out).to.match(/watermarks\.sqlite failed \(.*disk is full\)/);
    expect(out).to.include('"msg":"listening"');
    expect(out).to.match(/^code 0$/m);
  });
});
