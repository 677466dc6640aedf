import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { watermarksCommand } from "../../../../signer/cli/watermarks/index.ts";
import { MAINNET, SOURCE } from "../../../fixtures/payloads.ts";
import { BLOCK_KEY, KEY, rowAt } from "../../../fixtures/watermark-rows.ts";
import { atTerminal } from "../../../harness/fake-terminal.ts";
import { interchange, MARK, WatermarkCommands } from "../../../harness/watermark-commands.ts";

/** What octez-signer and Signatory write of one mark. */
const OCTEZ = { [MAINNET]: { [SOURCE]: { level: 90, round: 1 } } };
const SIGNATORY = { [SOURCE]: { attestation: { level: 100, round: 0 } } };
const HEAD = ["--head", "5000"];

describe("what a watermarks command is given", () => {
  let commands: WatermarkCommands;
  beforeEach(() => {
    commands = new WatermarkCommands();
  });
  afterEach(() => commands[Symbol.dispose]());

  const at = (...names: readonly string[]) => join(commands.folder, ...names);
  const said = (text: string) => text.replaceAll(/\s+/g, " ");

  it("import takes a record from standard input, in each form whose files have any name", async () => {
    const scan = {
      Items: [{ idx: { S: `${MAINNET}/${SOURCE}` }, request: { S: "block" }, lvl: { N: "90" }, round: { N: "0" } }],
    };
    const ours = JSON.stringify(interchange([MARK]));
    expect((await commands.run(["import", "-", ...HEAD], null, ours)).code).to.equal(0);
    const dynamo = ["import", "--from", "signatory-dynamodb", "-", ...HEAD];
    expect((await commands.run(dynamo, null, JSON.stringify(scan))).code).to.equal(0);
    expect(await commands.rowOf(KEY)).to.include({ level: 100 });
    expect(await commands.rowOf(BLOCK_KEY)).to.include({ level: 90 });
  });

  it("import takes what export printed, through a pipe", async () => {
    await commands.stored([KEY, rowAt(100)]);
    const { stdout } = await commands.run(["export"]);
    using other = new WatermarkCommands();
    expect((await other.run(["import", "-"], null, stdout)).code).to.equal(0);
    expect(await other.rowOf(KEY)).to.include({ level: 100, digest: MARK.digest });
  });

  it("import takes octez-signer's folder: the files of its kinds that are there, and no others", async () => {
    commands.file("block_high_watermarks", OCTEZ);
    commands.file("endorsement_high_watermarks", { [MAINNET]: { [SOURCE]: { level: 70, round: 0 } } });
    commands.file("attestation_high_watermarks", { [MAINNET]: { [SOURCE]: { level: 100, round: 0 } } });
    commands.file("secret_keys", "[]");
    mkdirSync(at("preattestation_high_watermarks"));
    const { code, stdout, stderr } = await commands.run(["import", "--from", "octez", commands.folder]);
    expect(code).to.equal(0);
    expect(stdout.trim().split("\n")).to.have.length(2);
    expect(await commands.rowOf(KEY)).to.include({ level: 100 });
    expect(await commands.rowOf(BLOCK_KEY)).to.include({ level: 90, round: 1 });
    expect(said(stderr)).to.include("has no mark for preattestation");
  });

  it("import takes Signatory's folder: a file for each chain", async () => {
    mkdirSync(at("watermark_v2"));
    commands.file(join("watermark_v2", `${MAINNET}.json`), SIGNATORY);
    commands.file(join("watermark_v2", "NetXnHfVqm9iesp.json"), SIGNATORY);
    const { stdout } = await commands.run(["import", "--from", "signatory", at("watermark_v2")]);
    expect(stdout).to.include(`on ${MAINNET} is now at`).and.include("on NetXnHfVqm9iesp is now at");
  });

  for (const [what, args, ...sentences] of [
    ["octez's files through a pipe", ["--from", "octez", "-"], "Standard input has no name", "or their folder"],
    ["Signatory's file through a pipe", ["--from", "signatory", "-"], "Standard input has no name", "NetX….json"],
    ["a pipe with nothing in it", ["-"], "standard input cannot be used", "no JSON"],
    ["a folder for our own file", ["."], "is a folder", "the file that `watermarks export` wrote"],
    ["a folder for a scan", ["--from", "signatory-dynamodb", "."], "is a folder", "aws dynamodb scan"],
    ["a folder without octez's files", ["--from", "octez", "empty"], "without a file of this signer", "block_high"],
    ["the folder above Signatory's", ["--from", "signatory", "."], "without a file of this signer", "watermark_v2"],
    [
      "a kind that was never signed",
      ["--from", "octez", "preattestation_high_watermarks"],
      "no such file",
      "leave it out",
    ],
    ["a chain that was never signed", ["--from", "signatory", "NetXnHfVqm9iesp.json"], "no such file", "leave it out"],
    ["a file that is not there", ["nowhere.json"], "no such file or directory", "`watermarks export` wrote"],
    ["octez's file under another name", ["--from", "octez", "old.json"], "such as block_high_watermarks", "kind"],
    ["Signatory's file under another name", ["--from", "signatory", "old.json"], "NetX….json", "chain"],
    ["another signer's file, not named as such", ["old.json"], "its `format` is not", "say which by --from"],
    ["a path with a file in its middle", ["old.json/marks.json"], "a part of the path is no directory"],
  ] as const) {
    it(`import says what to give instead of ${what}`, async () => {
      mkdirSync(at("empty"));
      commands.file("old.json", OCTEZ);
      const given = args.map((arg) => (/^(-|octez$|signatory)/.test(arg) ? arg : at(arg)));
      const { code, stdout, stderr } = await commands.run(["import", ...given], null, "");
      expect(code).to.equal(4);
      expect(stdout).to.equal("");
      for (const sentence of sentences) expect(said(stderr)).to.include(sentence);
      expect(stderr).not.to.match(/ENOENT|EISDIR|ENOTDIR|Invalid input|Unexpected error/);
    });
  }

  it("import says so where standard input is a person's terminal", async () => {
    const { code, stderr } = await commands.run(["import", "-"], []);
    expect(code).to.equal(2);
    expect(said(stderr)).to.include("through a pipe");
  });

  it("import says what is wrong with a file of a known name, field by field, without a programmer's words", async () => {
    const wrong = { [SOURCE]: { block: { level: "9", round: 0 }, attestation: [], preattestation: {} } };
    const { stderr } = await commands.run(["import", "--from", "signatory", commands.file(`${MAINNET}.json`, wrong)]);
    expect(said(stderr)).to.include(`${SOURCE}.block.level: must be a number`);
    expect(said(stderr)).to.include(`${SOURCE}.attestation: must be an object`);
    expect(said(stderr)).to.include(`${SOURCE}.preattestation.level: is missing`);
  });

  for (const command of ["show", "check", "export", "import", "init", "forget"]) {
    it(`${command} says why settings cannot be read`, async () => {
      const place = ["--chain", MAINNET, "--pkh", SOURCE, "--level", "5"];
      const args =
        { import: [commands.file("a.json", interchange([MARK]))], init: place, forget: place }[command] ?? [];
      for (const [config, message] of [
        [commands.folder, "it is a directory"],
        [at("nowhere.yaml"), "no such file or directory"],
      ] as const) {
        const { code, stderr } = await atTerminal(watermarksCommand, [command, ...args, "--config", config], null);
        expect(code).to.equal(4);
        expect(said(stderr)).to.include(`The settings cannot be read: ${config}: ${message}.`);
      }
    });
  }

  it("export says why a file cannot be written", async () => {
    await commands.stored([KEY, rowAt(100)]);
    for (const [out, code, message] of [
      [commands.folder, 6, "is there already"],
      [at("nowhere", "marks.json"), 4, "no such file or directory"],
    ] as const) {
      const outcome = await commands.run(["export", "--out", out]);
      expect(outcome.code).to.equal(code);
      expect(said(outcome.stderr)).to.include(message);
    }
  });
});
