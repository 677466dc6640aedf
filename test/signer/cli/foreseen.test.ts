import { readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect } from "chai";
import type { Command } from "commander";
import { EXIT_CODES } from "../../../signer/cli/exit-codes.ts";
import { keysCommand } from "../../../signer/cli/keys/index.ts";
import { program } from "../../../signer/cli/program.ts";
import { nameOf } from "../../../signer/cli/run.ts";
import { settingsCommand } from "../../../signer/cli/settings/index.ts";
import { readSettingsFile } from "../../../signer/cli/settings-source.ts";
import type { Io } from "../../../signer/cli/terminal.ts";
import { watermarksCommand } from "../../../signer/cli/watermarks/index.ts";
import { PROGRAM } from "../../../signer/own-command.ts";
import {
  ENTRY,
  expectWords,
  keysAt,
  makeStore,
  place,
  ROOT,
  run,
  sentence,
  storeAt,
  tls,
} from "../../harness/command-place.ts";
import { CommandProcess } from "../../harness/command-process.ts";
import { atTerminal } from "../../harness/fake-terminal.ts";
import { OUT_COMMANDS } from "../../harness/out-commands.ts";

/** Longer than any file system takes. */
const LONG = "n".repeat(300);

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
  [
    "serve --config settings.yaml",
    keysAt("file/keys"),
    /key directory file\/keys cannot be read: a part of the path is no/,
  ],
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
  ["serve --config settings.yaml", storeAt("folder"), /folder is a folder, and no file\. Name the file in it/],
  ["serve --config settings.yaml", storeAt("file"), /file is no SQLite database\. Mend the path/],
  [
    "serve --config settings.yaml",
    storeAt("other.sqlite"),
    /is another program's SQLite database, and no watermark store/,
  ],
  ["serve --config settings.yaml", storeAt("file/x"), /file\/x cannot be made: \S*file is no folder\. Mend the path/],
  [
    "serve --config settings.yaml",
    storeAt("none/x"),
    /none\/x cannot be made: there is no folder .*none\. Is its disk/,
  ],
  ["serve --config settings.yaml", storeAt(LONG), /cannot be the watermark store: its name is too long/],
  ["serve --config settings.yaml", keysAt(LONG), /key directory n+ cannot be read: its name is too long/],
  ["serve --config settings.yaml", tls(LONG, LONG), /cannot be read: n+: its name is too long/],
  [`serve --config ${LONG}`, {}, /n+: its name is too long/],
  ["watermarks show --config settings.yaml", storeAt("folder"), /folder is a folder/],
  ["watermarks show --config settings.yaml", storeAt("file/x"), /file\/x cannot be made: \S*file is no folder/],
  [`watermarks import ${LONG} --config settings.yaml`, {}, /n+ cannot be read: its name is too long/],
  [`keys show ${LONG}`, {}, /n+ cannot be read: its name is too long/],
  ["watermarks import none --config settings.yaml", {}, /none cannot be read: no such file or directory/],
  ["watermarks import file/x --config settings.yaml", {}, /file\/x cannot be read: a part of the path/],
  ["watermarks import folder --config settings.yaml", {}, /folder is a folder/],
  ["keys show none", {}, /none cannot be read: no such file/],
  ["keys show folder", {}, /folder cannot be read: it is a directory/],
  ["keys check file/x", {}, /file\/x cannot be read: a part of the path/],
];

describe("what can be wrong with a file", () => {
  let commands: CommandProcess;
  before(() => {
    commands = new CommandProcess();
  });
  after(() => commands[Symbol.dispose]());

  for (const [command, changes, said] of FAULTS) {
    it(`is told in words by ${command} with ${JSON.stringify(changes)}`.replaceAll(LONG, "NAME"), async () => {
      await using folder = await place(changes);
      new DatabaseSync(join(folder.path, "other.sqlite")).exec("CREATE TABLE other (name TEXT)");
      const { code, errors } = await commands.run(command.split(" "), folder.path);
      expect(sentence(errors)).to.match(said);
      expectWords(errors);
      expect(code).to.equal(EXIT_CODES[/there already/.test(said.source) ? "exists" : "unusable"].code);
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

/** Where no new file can be written, and what is said. */
const NO_PLACES: readonly (readonly [out: string, said: RegExp])[] = [
  [LONG, /n+ cannot be written: its name is too long/],
  ["none/x", /none\/x cannot be written: no such file or directory/],
  ["file/x", /file\/x cannot be written: a part of the path is no directory/],
  ["folder", /folder is there already and is never written over/],
  ["file", /file is there already and is never written over/],
];

function leaves(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}

/** The commands below `tezos-signer`, by the first word. */
const GROUPS: Readonly<Record<string, (io: Io) => Command>> = {
  keys: (io) => keysCommand(io),
  settings: settingsCommand,
  watermarks: watermarksCommand,
};

describe("a place where a new file is to be written, and cannot be", () => {
  for (const command of OUT_COMMANDS) {
    it(`is told in words by ${command}, before anything is asked`, async () => {
      await using folder = await place({});
      await makeStore(folder.path);
      for (const [out, said] of NO_PLACES) {
        const words = command.replace("settings.yaml", join(folder.path, "settings.yaml")).split(" ");
        const make = GROUPS[words[0] ?? ""];
        const { code, stderr } = await atTerminal(make ?? keysCommand, [
          ...words.slice(1),
          "--out",
          join(folder.path, out),
        ]);
        expect(sentence(stderr)).to.match(said);
        expect(stderr).not.to.match(/\?|: $/);
        expectWords(stderr);
        expect(code).to.equal(EXIT_CODES[/there already/.test(said.source) ? "exists" : "unusable"].code);
      }
    });
  }

  it("is told by every command that takes --out: the table has them all", async () => {
    const io = { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, env: {} };
    const taking = leaves(await program(io, "", PROGRAM)).filter(({ options }) =>
      options.some(({ long }) => long === "--out"),
    );
    const names = taking.map((command) => nameOf(command).split(" ").slice(1).join(" "));
    expect(names).to.have.length(OUT_COMMANDS.length);
    for (const name of names)
      expect(
        OUT_COMMANDS.some((command) => command.startsWith(name)),
        name,
      ).to.equal(true);
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
    expect(sentence(errors)).to.match(/keys\.path: begins at the folder of the settings file.*write \.\.\/keys/);
    expect(code).to.equal(EXIT_CODES.unusable.code);
  });
});

describe("what a command prints", () => {
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
