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

  it("of a form that is not known here are passed over", async () => {
    const { endpoint } = await azurite();
    const place = { endpoint, table: tableName(), credential: tableCredential };
    const client = new TableClient(endpoint, place.table, tableCredential);
    await client.createTable();
    await client.createEntity({ partitionKey: "machines", rowKey: "signer-2", ready: "yes" });
    const notes = new TableNotes(place);
    await notes.write(NOTE, NEVER);
    expect((await notes.read(NEVER)).map(({ machine }) => machine)).to.deep.equal(["signer"]);
  });
});
