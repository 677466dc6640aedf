import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { PassThrough } from "node:stream";
import { TableClient } from "@azure/data-tables";
import { expect } from "chai";
import { replaceUnreadable, unreadableRows } from "../../../../signer/cli/marks/unreadable.ts";
import { Terminal } from "../../../../signer/cli/terminal.ts";
import type { Settings } from "../../../../signer/settings/schema.ts";
import { AzureTableStore } from "../../../../signer/watermark/stores/azure-table.ts";
import { StoreError } from "../../../../signer/watermark/stores/store.ts";
import { azurite, tableCredential } from "../../../emulators/azurite.ts";
import { MAINNET, SOURCE } from "../../../fixtures/payloads.ts";
import { BLOCK_KEY, KEY, NEVER, rowAt } from "../../../fixtures/watermark-rows.ts";
import { GuardedSigner } from "../../../harness/guarded-signer.ts";
import { rejection } from "../../../harness/rejection.ts";
import { WatermarkCommands } from "../../../harness/watermark-commands.ts";
import { tableName } from "../../../harness/watermark-stores.ts";

const SIGNED = /^[0-9a-f]{128}$/;
const LEVEL = 9_000_020;

/** The commands of docs/recover.md, "A row that cannot be read", in the page's order. */
const [forget = "", check = ""] = (() => {
  const page = readFileSync(new URL("../../../../docs/recover.md", import.meta.url), "utf8");
  const section = /^## A row that cannot be read\n([\s\S]*?)(?=^## )/m.exec(page)?.[1] ?? "";
  return [...section.matchAll(/^ *```sh\n([\s\S]*?)^ *```$/gm)].map(([, code = ""]) => code.trim());
})();

describe("the way back from a row that nobody can read, by the commands of docs/recover.md", () => {
  let commands: WatermarkCommands;
  beforeEach(() => {
    commands = new WatermarkCommands();
  });
  afterEach(() => commands[Symbol.dispose]());

  function run(command: string, answer = SOURCE.slice(-6)) {
    const words = command
      .replace("tz3…", SOURCE)
      .replace("LEVEL", String(LEVEL))
      .replace(" --config settings.yaml", "")
      .split(" ");
    expect(words.slice(0, 2)).to.deep.equal(["tezos-signer", "watermarks"]);
    return commands.run(words.slice(2), [[/last six characters/, answer]]);
  }

  function byHand(sql: string): void {
    const database = new DatabaseSync(commands.path);
    database.exec(sql);
    database.close();
  }

  const outcomes = (levels: readonly number[]) =>
    commands.open(async (store) => {
      const signer = new GuardedSigner(store);
      const found: string[] = [];
      for (const level of levels) found.push(await signer.outcome({ kind: "block", level }));
      return found;
    });

  for (const [what, change] of Object.entries({
    "a level that is no number of JavaScript": "level = 9223372036854775807",
    "a level below 0": "level = -1",
    "a digest that is no hex": "digest = 'none' || char(27) || '[2J'",
    "a digest of a megabyte": "digest = hex(zeroblob(500000))",
    "a version that has no next": "version = 9223372036854775807",
    "a version that no signer wrote": "version = -3",
  })) {
    it(`replaces ${what} by a floor, and signs from there`, async () => {
      await commands.stored([BLOCK_KEY, rowAt(100)], [KEY, rowAt(9_000_500)]);
      byHand(`UPDATE watermarks SET ${change} WHERE kind = 'block'`);
      expect(await outcomes([LEVEL])).to.deep.equal(["watermark-untrusted"]);
      expect((await run(check)).code).to.equal(4);

      const { code, stdout, stderr } = await run(forget);
      expect(code, stderr).to.equal(0);
      expect(stderr.length).to.be.below(4_000);
      expect(stderr).not.to.include("\u001b");
      expect(stderr).to.include(change.split(" ")[0]).and.include("Restart every signer");
      expect(stdout).to.include(`block of ${SOURCE} on ${MAINNET} starts at level ${LEVEL}`).and.not.include("attest");

      expect((await run(check)).code).to.equal(0);
      expect(await outcomes([LEVEL - 1, LEVEL])).to.satisfy(
        ([below, at = ""]: string[]) => below === "position-below-watermark" && SIGNED.test(at),
      );
      expect(await commands.rowOf(KEY), "the other marks stay").to.include({ level: 9_000_500 });
    });
  }

  it("changes nothing after another answer", async () => {
    await commands.stored([BLOCK_KEY, rowAt(100)]);
    byHand("UPDATE watermarks SET level = -1");
    expect((await run(forget, "yes")).code).to.equal(3);
    expect(await outcomes([LEVEL])).to.deep.equal(["watermark-untrusted"]);
  });

  it("keeps what the witness has seen of it until then, so that an older file is noticed", async () => {
    await commands.stored([BLOCK_KEY, rowAt(100)]);
    byHand("UPDATE watermarks SET level = -1");
    await outcomes([101]);
    byHand("UPDATE watermarks SET level = 99");
    expect((await run(check)).stderr.replaceAll(/\s+/g, " ")).to.include("was at level 100 round 0");
  });

  it("passes over what is no key's", async () => {
    await commands.stored([KEY, rowAt(100)]);
    byHand("INSERT INTO watermarks SELECT chain_id, address, 'note', -1, 0, 'x', NULL, 0, 0, 1 FROM watermarks");
    expect((await run(check)).stdout).to.include("is whole: 1 marks");
  });
});

describe("the way back from a store without its id, by the command of docs/recover.md", () => {
  it("is the one row of its table, and then the store is the one that it was", async () => {
    const page = readFileSync(new URL("../../../../docs/recover.md", import.meta.url), "utf8");
    const section = /^## A store without its id\n([\s\S]*?)(?=^## )/m.exec(page)?.[1] ?? "";
    const [, sql = ""] = /sqlite3 watermarks\.sqlite "([^"]+)"/.exec(section) ?? [];
    using commands = new WatermarkCommands();
    await commands.stored([KEY, rowAt(100)]);
    const byHand = (text: string) => {
      const database = new DatabaseSync(commands.path);
      database.exec(text);
      database.close();
    };
    byHand("UPDATE store SET id = ''");
    const { code, stderr } = await commands.run(["check"]);
    expect(code).to.equal(4);
    expect(stderr.replaceAll(/\s+/g, " ")).to.include('"A store without its id"');
    byHand(sql.replace("ID", "another"));
    expect((await commands.run(["check"])).stderr, "the witness knows it").to.include("store-1");
    byHand(sql.replace("ID", "store-1"));
    expect((await commands.run(["check"])).stdout).to.include("The store store-1 is whole: 1 marks");
  });
});

describe("a row of the table that nobody can read", () => {
  it("is replaced over exactly what was shown, by its ETag", async () => {
    const { endpoint } = await azurite();
    const table = tableName();
    const store = new AzureTableStore({ endpoint, table, credential: tableCredential });
    await store.establish("id-1", NEVER);
    await store.insert(BLOCK_KEY, rowAt(100), NEVER);
    const client = new TableClient(endpoint, table, tableCredential);
    const entity = { partitionKey: SOURCE, rowKey: `${MAINNET}_block` };
    await client.updateEntity({ ...entity, level: "many\u001b[2J" }, "Replace");
    await client.createEntity({ partitionKey: SOURCE, rowKey: "note", text: "of somebody's" });
    const asked = async (level: number) => new GuardedSigner(store).outcome({ kind: "block", level });
    expect(await asked(LEVEL)).to.equal("watermark-untrusted");
    expect((await rejection(store.list(NEVER), StoreError)).message).to.include("A row that cannot be read");

    const settings = { watermarks: { maxStep: "off" } } as Settings;
    const opened = { store, settings, deadline: () => NEVER };
    const options = { chain: MAINNET, pkh: SOURCE, level: LEVEL };
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
    using terminal = new Terminal({ stdin, stdout, stderr, env: {} });
    const shown = await unreadableRows(opened, options);
    expect(shown.map(({ found }) => found.content)).to.have.length(1);
    expect(shown[0]?.found.content).to.include('"level":"many\\u001b[2J"');
    await client.updateEntity({ ...entity, level: "other" }, "Replace");
    const { message } = await rejection(replaceUnreadable(terminal, opened, shown, options), Error);
    expect(message).to.include("since it was shown");
    expect(await asked(LEVEL), "left as it is").to.equal("watermark-untrusted");

    await replaceUnreadable(terminal, opened, await unreadableRows(opened, options), options);
    expect(await asked(LEVEL - 1)).to.equal("position-below-watermark");
    expect(await asked(LEVEL)).to.match(SIGNED);
    expect(await store.list(NEVER)).to.have.length(1);
  });
});
