import { TableClient } from "@azure/data-tables";
import { expect } from "chai";
import { type MachineNote, TableNotes } from "../../../signer/pair/machine-notes.ts";
import { AzureTableStore } from "../../../signer/watermark/stores/azure-table.ts";
import { entityOf } from "../../../signer/watermark/stores/table-entity.ts";
import { azurite, tableCredential } from "../../emulators/azurite.ts";
import { KEY, NEVER, rowAt } from "../../fixtures/watermark-rows.ts";
import { tableName } from "../../harness/watermark-stores.ts";

const NOTE: MachineNote = {
  ...{ machine: "signer", ready: true, release: "6b1f0a", settings: "ed95cf", waiting: 1 },
  signedAt: "2026-11-29T19:59:58.000Z",
};

describe("notes in the table of the watermarks", () => {
  it("are read as they were left, the last one of each machine, and are no watermarks", async () => {
    const { endpoint } = await azurite();
    const place = { endpoint, table: tableName(), credential: tableCredential };
    const store = new AzureTableStore(place);
    const client = new TableClient(endpoint, place.table, tableCredential);
    await client.createTable();
    await client.createEntity(entityOf(KEY, rowAt(9)));
    const before = Date.now();
    const notes = new TableNotes(place);
    await notes.write({ ...NOTE, ready: false }, NEVER);
    await notes.write(NOTE, NEVER);
    await notes.write({ ...NOTE, machine: "signer-2", signedAt: null }, NEVER);
    const found = await notes.read(NEVER);
    expect(found.map(({ at: _, ...note }) => note)).to.have.deep.members([
      NOTE,
      { ...NOTE, machine: "signer-2", signedAt: null },
    ]);
    for (const { at } of found) expect(at).to.be.within(before - 1_000, Date.now() + 1_000);
    expect((await store.list(NEVER)).map(({ key }) => key)).to.deep.equal([KEY]);
  });

  it("of a form that no signer writes are passed over, whatever they say", async () => {
    const { endpoint } = await azurite();
    const place = { endpoint, table: tableName(), credential: tableCredential };
    const client = new TableClient(endpoint, place.table, tableCredential);
    await client.createTable();
    const partitionKey = "machines";
    const { machine: _, ...columns } = NOTE;
    await client.createEntity({ partitionKey, rowKey: "signer-2", ready: "yes" });
    for (const [rowKey, hostile] of [
      ["signer\u202e2", {}],
      ["<b>signer", {}],
      ["x".repeat(65), {}],
      ["signer-3", { signedAt: "yesterday" }],
      ["signer-4", { waiting: -1 }],
      ["signer-5", { waiting: 0.5 }],
      ["signer-6", { release: "c".repeat(30_000) }],
      ["signer-7", { settings: 7 }],
    ] as const) {
      await client.createEntity({ partitionKey, rowKey, ...columns, ...hostile });
    }
    const notes = new TableNotes(place);
    await notes.write(NOTE, NEVER);
    expect((await notes.read(NEVER)).map(({ machine }) => machine)).to.deep.equal(["signer"]);
  });
});
