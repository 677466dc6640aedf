import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { EXIT_CODES } from "../../../signer/cli/exit-codes.ts";
import { readSettingsFile } from "../../../signer/cli/settings-source.ts";
import { temporaryFolder } from "../../emulators/signer-process.ts";
import { writeLocalKey } from "../../harness/local-key.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
const ENTRY = join(ROOT, "signer/tezos-signer.js");

/** A program in a process of its own. @param sink where its standard output goes; a closed one has no reader */
async function run(args: readonly string[], cwd: string, sink: "read" | "closed" | "/dev/full" = "read") {
  const command =
    sink === "read" ? '"$@"' : sink === "closed" ? '("$@"; echo "code $?" >&2) | true' : '"$@" > /dev/full';
  const child = spawn("bash", ["-c", command, "bash", process.execPath, ...args], {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let errors = "";
  child.stdout.on("data", (chunk) => (out += chunk));
  child.stderr.on("data", (chunk) => (errors += chunk));
  const [code] = await once(child, "close");
  return { code, out, errors };
}

/** A folder with everything that a fault needs, and settings that are right but for what a test changes. */
async function place(changes: object) {
  const folder = await temporaryFolder();
  await writeLocalKey(join(folder.path, "keys"));
  await mkdir(join(folder.path, "folder"));
  await writeFile(join(folder.path, "file"), "no settings\n");
  await writeFile(join(folder.path, "keys.sqlite"), "SQLite format 3\0and more");
  const settings = {
    listen: { port: 0 },
    admin: { port: 0 },
    keys: { kind: "local", path: "keys" },
    watermarks: { kind: "sqlite", path: "watermarks.sqlite", initialise: "always" },
    ...changes,
  };
  await writeFile(join(folder.path, "settings.yaml"), JSON.stringify(settings));
  return folder;
}

const keysAt = (path: string) => ({ keys: { kind: "local", path } });
const storeAt = (path: string) => ({ watermarks: { kind: "sqlite", path, initialise: "always" } });
const tls = (cert: string, key: string) => ({ listen: { port: 0, tls: { cert, key } } });

/** Commands, what is wrong with a file that they read or write, and what is said. */
const FAULTS: readonly (readonly [command: string, changes: object, said: RegExp])[] = [
  ["serve --config none.yaml", {}, /none\.yaml: no such file or directory/],
  ["serve --config folder", {}, /folder: it is a directory/],
  ["serve --config file/x", {}, /file\/x: a part of the path is no directory/],
  [
    "serve --config settings.yaml",
    keysAt("file"),
    /key directory file cannot be read: a part of the path is no directory/,
  ],
  ["serve --config settings.yaml", keysAt("file/keys"), /There is no key directory file\/keys\. Is `keys\.path` right/],
  ["serve --config settings.yaml", keysAt("nowhere"), /There is no key directory nowhere\. Is `keys\.path` right/],
  [
    "watermarks import keys.sqlite --config settings.yaml",
    {},
    /keys\.sqlite is a SQLite database, .* `watermarks export/,
  ],
  ["serve --config settings.yaml", keysAt("folder"), /There is no key/],
  [
    "serve --config settings.yaml",
    tls("none.pem", "none.pem"),
    /listen\.tls\.(cert|key) cannot be read: none\.pem: no such/,
  ],
  [
    "serve --config settings.yaml",
    tls("folder", "folder"),
    /listen\.tls\.(cert|key) cannot be read: folder: it is a dir/,
  ],
  ["serve --config settings.yaml", tls("file/x", "file/x"), /file\/x: a part of the path is no directory/],
  ["watermarks show --config none.yaml", {}, /none\.yaml: no such file or directory/],
  ["watermarks show --config folder", {}, /folder: it is a directory/],
  ["watermarks show --config settings.yaml", storeAt("folder"), /folder is a folder/],
  ["watermarks import none --config settings.yaml", {}, /none cannot be read: no such file or directory/],
  ["watermarks import file/x --config settings.yaml", {}, /file\/x cannot be read: a part of the path/],
  ["watermarks import folder --config settings.yaml", {}, /folder is a folder/],
  ["keys show none", {}, /none cannot be read: no such file/],
  ["keys show folder", {}, /folder cannot be read: it is a directory/],
  ["keys check file/x", {}, /file\/x cannot be read: a part of the path/],
];

/** Neither a stack trace, nor the system's word for the fault in place of ours. */
function expectWords(errors: string): void {
  expect(errors).to.not.match(/^\s+at /m);
  expect(errors).to.not.match(/Unexpected error|not foreseen|^(Error: )?E[A-Z]{4,}\b/m);
}

describe("what can be wrong with a file", () => {
  for (const [command, changes, said] of FAULTS) {
    it(`is told in words by ${command} with ${JSON.stringify(changes)}`, async () => {
      await using folder = await place(changes);
      const { code, errors } = await run([ENTRY, ...command.split(" ")], folder.path);
      const sentence = errors.replaceAll(/\s*\n\s*/g, " ");
      expect(sentence).to.match(said);
      expectWords(errors);
      expect(code).to.equal(EXIT_CODES.unusable.code);
    });
  }

  it("is told of a passphrase that is missing beside keys, and no other is made", async () => {
    await using folder = await place({});
    await rm(join(folder.path, "keys/passphrase"));
    const { code, errors } = await run([ENTRY, "serve", "--config", "settings.yaml"], folder.path);
    expect(errors).to.match(/keys\/passphrase is missing: the file with the passphrase of the keys beside it/);
    expect(code).to.equal(EXIT_CODES.unusable.code);
    expect(await readFile(join(folder.path, "keys/passphrase")).catch(({ code }) => code)).to.equal("ENOENT");
  });
});

describe("paths in a settings file", () => {
  it("begin at its folder, wherever a command is started", async () => {
    await using folder = await place(tls("cert.pem", "/etc/key.pem"));
    const { keys, watermarks, listen } = (await readSettingsFile(join(folder.path, "settings.yaml"))).current;
    const paths = [keys, watermarks].map((part) => "path" in part && resolve(part.path));
    expect(paths).to.deep.equal([join(folder.path, "keys"), join(folder.path, "watermarks.sqlite")]);
    expect(resolve(listen.tls?.cert ?? "")).to.equal(join(folder.path, "cert.pem"));
    expect(resolve(listen.tls?.key ?? "")).to.equal("/etc/key.pem");
  });

  it("are refused where a store or keys lie at the current folder, as paths began there before", async () => {
    await using folder = await place({});
    await writeFile(join(folder.path, "folder/settings.yaml"), await readFile(join(folder.path, "settings.yaml")));
    const { code, errors } = await run([ENTRY, "serve", "--config", "folder/settings.yaml"], folder.path);
    expect(errors.replaceAll(/\s*\n\s*/g, " ")).to.match(
      /keys\.path: begins at the folder of the settings file.*write \.\.\/keys/,
    );
    expect(code).to.equal(EXIT_CODES.unusable.code);
  });
});

describe("a program whose output nobody reads on", () => {
  for (const words of [
    [ENTRY, "help"],
    [ENTRY, "keys", "--help"],
    [join(ROOT, "infra/plan/main.ts"), "--help"],
    [join(ROOT, "release/main.ts"), "--help"],
    [join(ROOT, "demo/demo.ts"), "--help"],
    [join(ROOT, "demo/demo.ts")],
  ]) {
    const name = words.map((word) => word.replace(`${ROOT}/`, "")).join(" ");
    it(`ends as it would, without a stack trace: ${name}`, async () => {
      const { errors } = await run(words, ROOT, "closed");
      expectWords(errors);
      expect(errors).to.match(/^code 0$/m);
    });
  }

  it("says so where the disk is full", async () => {
    const { code, errors } = await run([ENTRY, "help"], ROOT, "/dev/full");
    expect(errors).to.equal("What was to be printed could not be written: the disk is full.\n");
    expect(code).to.equal(EXIT_CODES.failed.code);
  });
});

describe("npm test", () => {
  it("tells its options, and refuses one that is mistyped", async () => {
    const help = await run([join(ROOT, "test/run.ts"), "--help"], ROOT);
    expect([help.code, help.out.split("\n")[0]]).to.deep.equal([0, "Usage: npm run test -- [options]"]);
    const mistyped = await run([join(ROOT, "test/run.ts"), "--mispelt"], ROOT);
    expect(mistyped.code).to.equal(2);
    expect(mistyped.errors).to.match(/^error: unknown option '--mispelt'/);
  });
});
