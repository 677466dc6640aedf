import { writeFileSync } from "node:fs";
import { TableClient } from "@azure/data-tables";
import { expect } from "chai";
import { AzureTableStore } from "../../../../signer/watermark/stores/azure-table.ts";
import type { Row, RowKey } from "../../../../signer/watermark/stores/store.ts";
import { azurite, tableCredential } from "../../../emulators/azurite.ts";
import { type TableProxy, tableProxy } from "../../../emulators/table-proxy.ts";
import { MAINNET, SOURCE } from "../../../fixtures/payloads.ts";
import { BLOCK_KEY, KEY, NEVER, rowAt } from "../../../fixtures/watermark-rows.ts";
import { GuardedSigner } from "../../../harness/guarded-signer.ts";
import { machineIdentity } from "../../../harness/key-backends.ts";
import { WatermarkCommands } from "../../../harness/watermark-commands.ts";
import { tableName } from "../../../harness/watermark-stores.ts";

const SIGNED = /^[0-9a-f]{128}$/;
const LEVEL = 9_000_020;
/** A key that this signer cannot serve: its marks came along with an import. */
const TZ1 = "tz1VSUr8wwNhLAzempoch5d6hLRiTh8Cjcjb";

describe("`watermarks forget` on a table", () => {
  let commands: WatermarkCommands;
  let machine: Awaited<ReturnType<typeof machineIdentity>>;
  let authority: string | undefined;
  let proxy: TableProxy;
  let client: TableClient;
  let store: AzureTableStore;

  before(async () => {
    machine = await machineIdentity();
    ({ AZURE_POD_IDENTITY_AUTHORITY_HOST: authority } = process.env);
    process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST = machine.env.AZURE_POD_IDENTITY_AUTHORITY_HOST;
    proxy = await tableProxy(await azurite());
  });
  after(async () => {
    if (authority === undefined) delete process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST;
    else process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST = authority;
    await proxy[Symbol.asyncDispose]();
    await machine.stop();
  });

  beforeEach(async () => {
    const { endpoint } = await azurite();
    const table = tableName();
    client = new TableClient(endpoint, table, tableCredential);
    store = new AzureTableStore({ endpoint, table, credential: tableCredential });
    await store.establish("id-1", NEVER);
    proxy.fault = () => undefined;
    commands = new WatermarkCommands();
    const keys = {
      kind: "azure-key-vault",
      vault: "https://name.vault.azure.net",
      clientId: machine.env.AZURE_CLIENT_ID,
    };
    const watermarks = { kind: "azure-table", endpoint: proxy.endpoint, table };
    writeFileSync(commands.config, JSON.stringify({ keys, watermarks }));
  });
  afterEach(() => commands[Symbol.dispose]());

  async function stored(...rows: readonly [RowKey, Row][]): Promise<void> {
    for (const [key, row] of rows) await store.insert(key, row, NEVER);
  }

  /** Makes a row one that nobody can read. */
  async function spoil({ address, chainId, kind }: RowKey): Promise<void> {
    await client.updateEntity({ partitionKey: address, rowKey: `${chainId}_${kind}`, level: "many" }, "Replace");
  }

  async function forget(address = SOURCE) {
    const place = ["--chain", MAINNET, "--pkh", address, "--level", String(LEVEL)];
    const { stderr, ...rest } = await commands.run(["forget", ...place], [[/last six characters/, address.slice(-6)]]);
    return { ...rest, stderr: stderr.replaceAll(/\s+/g, " ") };
  }

  const levelOf = async (key: RowKey) => (await store.read(key, NEVER))?.row.level;

  it("lowers the marks that are there, and a signer that is started anew goes on from the floor", async () => {
    await stored([KEY, rowAt(9_900_000)], [BLOCK_KEY, rowAt(9_900_000)]);
    const { code, stdout, stderr } = await forget();
    expect(code, stderr).to.equal(0);
    expect(stdout).to.include("(it was at level 9900000 round 0");
    const signer = new GuardedSigner(store);
    expect(await signer.outcome({ kind: "block", level: LEVEL - 1 })).to.equal("position-below-watermark");
    expect(await signer.outcome({ kind: "block", level: LEVEL })).to.match(SIGNED);
  });

  it("replaces a row that cannot be read, and leaves the key's other marks", async () => {
    await stored([KEY, rowAt(9_900_000)], [BLOCK_KEY, rowAt(100)]);
    await spoil(BLOCK_KEY);
    const { code, stderr } = await forget();
    expect(code, stderr).to.equal(0);
    expect(stderr).to.include('"level":"many"');
    expect([await levelOf(BLOCK_KEY), await levelOf(KEY)]).to.deep.equal([LEVEL - 1, 9_900_000]);
  });

  it("takes the row of a key that no signer here can serve, which stops them all", async () => {
    const foreign = { ...BLOCK_KEY, address: TZ1 };
    await stored([KEY, rowAt(100)], [foreign, rowAt(100)]);
    await spoil(foreign);
    const stopped = await commands.run(["check"]);
    expect(stopped.code).to.equal(4);
    expect(stopped.stderr).to.include(TZ1);
    const { code, stderr } = await forget(TZ1);
    expect(code, stderr).to.equal(0);
    expect((await commands.run(["check"])).stdout).to.include("is whole: 2 marks");
  });

  /** Loses answers to writes. @param most so many */
  function loseAnswers(most: number): void {
    let lost = 0;
    proxy.fault = ({ method }) => (method === "PUT" && lost++ < most ? "lost-answer" : undefined);
  }

  for (const [what, most] of [
    ["one answer, so that the write is sent again and comes second to itself", 1],
    ["every answer", Number.POSITIVE_INFINITY],
  ] as const) {
    it(`knows its own write where the network loses ${what}`, async () => {
      await stored([KEY, rowAt(9_900_000)], [BLOCK_KEY, rowAt(100)]);
      await spoil(BLOCK_KEY);
      loseAnswers(most);
      const { code, stdout, stderr } = await forget();
      expect(code, stderr).to.equal(0);
      expect(stdout).to.include(`block of ${SOURCE} on ${MAINNET} starts at level ${LEVEL}`);
      expect([await levelOf(BLOCK_KEY), await levelOf(KEY)]).to.deep.equal([LEVEL - 1, 9_900_000]);
    });
  }

  it("says that it does not know, and when not to be run again, where the table is away after the write", async () => {
    await stored([KEY, rowAt(9_900_000)], [BLOCK_KEY, rowAt(100)]);
    await spoil(BLOCK_KEY);
    let isAway = false;
    proxy.fault = ({ method }) => {
      const fault = method === "PUT" ? "lost-answer" : isAway ? "busy" : undefined;
      isAway ||= method === "PUT";
      return fault;
    };
    const { code, stderr } = await forget();
    expect(code).to.equal(11);
    expect(stderr).to.include("is not known").and.include("run this again only if it cannot");
  });

  it("changes nothing where the table refused the write", async () => {
    await stored([BLOCK_KEY, rowAt(100)]);
    await spoil(BLOCK_KEY);
    proxy.fault = ({ method }) => (method === "PUT" ? "busy" : undefined);
    const { code, stderr } = await forget();
    expect(code).to.equal(11);
    expect(stderr).to.include("Nothing is known to have changed");
    proxy.fault = () => undefined;
    expect((await commands.run(["check"])).code).to.equal(4);
  });

  it("stops at a store id that cannot be read, and says how to go on", async () => {
    await stored([KEY, rowAt(100)]);
    const identity = { partitionKey: "store", rowKey: "identity" };
    for (const wrong of [{}, { id: "" }, { id: 5 }]) {
      await client.updateEntity({ ...identity, ...wrong }, "Replace");
      const { code, stderr } = await forget();
      expect(code).to.equal(4);
      expect(stderr).to.include("holds a store id that cannot be read").and.include('"A store without its id"');
      expect(await new GuardedSigner(store).outcome({ level: 101 })).to.equal("watermark-untrusted");
    }
    await client.updateEntity({ ...identity, id: "id-1" }, "Replace");
    expect((await commands.run(["check"])).stdout).to.include("The store id-1 is whole: 1 marks");
    expect(await new GuardedSigner(store).outcome({ level: 101 })).to.match(SIGNED);
  });
});
