import { utimesSync } from "node:fs";
import { expect } from "chai";
import type { ConsensusKind } from "../../../../signer/tezos/payload/payload.ts";
import { MAINNET, SOURCE } from "../../../fixtures/payloads.ts";
import { BLOCK_KEY, KEY, rowAt } from "../../../fixtures/watermark-rows.ts";
import { GuardedSigner } from "../../../harness/guarded-signer.ts";
import { interchange, MARK, WatermarkCommands } from "../../../harness/watermark-commands.ts";

const HOUR = 3_600_000;
const SIGNED = /^[0-9a-f]{128}$/;
const OTHER_CHAIN = "NetXnHfVqm9iesp";
const ANSWER = [[/last six characters/, SOURCE.slice(-6)]] as const;

/** One record of a baker whose last block is 28,800 levels below its last vote, as each signer writes it. */
const RECORDS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "tezos-signer": {
    "marks.json": interchange([
      { ...MARK, kind: "block", level: 9_000_000 },
      { ...MARK, level: 9_028_800 },
    ]),
  },
  signatory: {
    [`${MAINNET}.json`]: {
      [SOURCE]: { block: { level: 9_000_000, round: 0 }, attestation: { level: 9_028_800, round: 0 } },
    },
  },
  "signatory-dynamodb": {
    "scan.json": {
      Items: [
        ["block", "9000000"],
        ["attestation", "9028800"],
      ].map(([kind, level]) => ({
        idx: { S: `${MAINNET}/${SOURCE}` },
        request: { S: kind },
        lvl: { N: level },
        round: { N: "0" },
      })),
    },
  },
  octez: {
    block_high_watermarks: { [MAINNET]: { [SOURCE]: { level: 9_000_000, round: 0 } } },
    attestation_high_watermarks: { [MAINNET]: { [SOURCE]: { level: 9_028_800, round: 0 } } },
  },
};

describe("what a mark that a command made lets through", () => {
  let commands: WatermarkCommands;
  beforeEach(() => {
    commands = new WatermarkCommands();
  });
  afterEach(() => commands[Symbol.dispose]());

  /** What a signer with the default `maxStep` answers now. */
  function signs(level: number, kind: ConsensusKind = "attestation"): Promise<string> {
    return commands.open((store) => new GuardedSigner(store, { maxStep: 100 }).outcome({ level, kind }));
  }

  /** A file of our format, last changed so many hours ago. */
  function aged(hours: number, ...marks: readonly object[]): string {
    const file = commands.file("marks.json", interchange(marks));
    const time = new Date(Date.now() - hours * HOUR);
    utimesSync(file, time, time);
    return file;
  }

  for (const [from, files] of Object.entries(RECORDS)) {
    it(`import from ${from}: the chain's next block, though the key's last one is a day old`, async () => {
      const paths = Object.entries(files).map(([name, content]) => commands.file(name, content));
      expect((await commands.run(["import", "--from", from, ...paths])).code).to.equal(0);
      expect(await signs(9_028_801)).to.match(SIGNED);
      expect(await signs(9_028_801, "block")).to.match(SIGNED);
    });
  }

  it("import: every level that the chain can have reached since the file was written, and no more", async () => {
    await commands.run(["import", aged(10, { ...MARK, level: 9_000_000 })]);
    expect(await signs(9_000_000 + 2 * 36_000)).to.equal("level-implausible");
    expect(await signs(9_000_000 + 36_000)).to.match(SIGNED);
  });

  it("import: the file's own date goes before its time on the disk", async () => {
    const exportedAt = new Date(Date.now() - 10 * HOUR).toISOString();
    await commands.run(["import", commands.file("marks.json", interchange([MARK], { exportedAt }))]);
    expect(await signs(36_100)).to.match(SIGNED);
  });

  for (const [what, args] of [
    ["comes through a pipe without a date", () => ["-"]],
    ["is older than 30 days", () => [aged(31 * 24, MARK)]],
    ["is of the future", () => [aged(-1, MARK)]],
  ] as const) {
    it(`import writes nothing where a record ${what}, and asks for --head`, async () => {
      const input = JSON.stringify(interchange([MARK]));
      const { code, stderr } = await commands.run(["import", ...args()], null, input);
      expect(code).to.equal(4);
      expect(stderr.replaceAll(/\s+/g, " ")).to.include("give it: --head LEVEL. Nothing was changed.");
      expect((await commands.run(["show"])).code, "there is no store").to.equal(10);
      const told = await commands.run(["import", ...args(), "--head", "5000"], null, input);
      expect(told.code).to.equal(0);
      expect(await signs(5_050)).to.match(SIGNED);
    });
  }

  it("import --head: levels about the head, also where the mark itself stays", async () => {
    await commands.stored([KEY, rowAt(9_000_000, { anchor: { level: 9_000_000, at: Date.now() } })]);
    const file = aged(0, { ...MARK, level: 8_000_000 });
    const said = await commands.run(["import", file]);
    expect(said.stderr.replaceAll(/\s+/g, " ")).to.include("import again with --head LEVEL");
    expect(await signs(9_028_801)).to.equal("level-implausible");
    const { stdout, stderr } = await commands.run(["import", file, "--head", "9028800"]);
    expect(stderr).not.to.include("--head");
    expect(stdout).to.match(/ stays at level 9000000 round 0, .*; up to level 90289\d\d now\n/);
    expect(await signs(9_028_801)).to.match(SIGNED);
  });

  it("import never lets less through than before, whatever head is given", async () => {
    await commands.stored([KEY, rowAt(9_000_000, { anchor: { level: 9_000_000, at: Date.now() - 24 * HOUR } })]);
    await commands.run(["import", aged(0, { ...MARK, level: 9_000_010 }), "--head", "9000020"]);
    expect(await commands.rowOf(KEY)).to.include({ level: 9_000_010 });
    expect(await signs(9_000_000 + 86_400)).to.match(SIGNED);
  });

  it("import asks which chain --head is of where the marks are of several, and takes each", async () => {
    const file = commands.file("marks.json", interchange([MARK, { ...MARK, chainId: OTHER_CHAIN }]));
    const { code, stderr } = await commands.run(["import", file, "--head", "5000"]);
    expect(code).to.equal(2);
    const said = stderr.replaceAll(/\s+/g, " ");
    expect(said).to.include(`--head ${MAINNET}=LEVEL --head ${OTHER_CHAIN}=LEVEL`);
    const each = ["--head", `${MAINNET}=5000`, "--head", `${OTHER_CHAIN}=70`];
    const { stdout } = await commands.run(["import", file, ...each]);
    expect(stdout)
      .to.include(`on ${MAINNET} is now at`)
      .and.match(/up to level 51\d\d now\n/);
    expect(stdout)
      .to.include(`on ${OTHER_CHAIN} is now at`)
      .and.match(/up to level 2\d\d now\n/);
  });

  it("import refuses the head of a chain that the marks do not name, and what is no level", async () => {
    const file = commands.file("marks.json", interchange([MARK]));
    for (const [head, message] of [
      [`${OTHER_CHAIN}=5`, "There is no mark of"],
      ["0", "a whole number from 1"],
      ["ten", "a whole number from 1"],
      ["mainet=5", "the chain's id"],
    ] as const) {
      const { code, stderr } = await commands.run(["import", file, "--head", head]);
      expect(code, head).to.equal(2);
      expect(stderr.replaceAll(/\s+/g, " ")).to.include(message);
    }
  });

  it("init and forget: levels about the head that was told, and below the floor nothing", async () => {
    const place = ["--chain", MAINNET, "--pkh", SOURCE, "--level", "1000", "--head", "30000"];
    const { stdout } = await commands.run(["init", ...place], ANSWER);
    expect(stdout).to.match(/block of .* starts at level 1000; up to level 301\d\d now\n/);
    expect(await signs(30_050, "block")).to.match(SIGNED);
    expect(await signs(999)).to.equal("position-below-watermark");
    await commands.run(["forget", ...place], ANSWER);
    expect(await signs(30_050, "block")).to.match(SIGNED);
  });

  it("every command says how far: maxStep off, and a mark that was there", async () => {
    commands.settings({ maxStep: "off" });
    const place = ["--chain", MAINNET, "--pkh", SOURCE, "--level", "1000"];
    await commands.stored([BLOCK_KEY, rowAt(5_000)]);
    const init = await commands.run(["init", ...place], ANSWER);
    expect(init.stdout).to.match(/block of .* stays as it is; up to any level now\n/);
    const { stdout } = await commands.run(["show"]);
    expect(stdout).to.match(/block +level 5000 round 0, by aaaaaaaaaaaaaaaa…; up to any level now\n/);
    expect(stdout).to.match(/attestation +the floor below level 1000; up to any level now\n/);
  });

  it("import names the kinds that have no mark yet, and how to make one", async () => {
    const { stderr } = await commands.run(["import", commands.file("a.json", interchange([MARK]))]);
    const said = stderr.replaceAll(/\s+/g, " ");
    expect(said).to.include(`${SOURCE} on ${MAINNET} has no mark for block and preattestation`);
    expect(said).to.include("`watermarks init` makes it").and.include("raises those that are lower");
  });
});
