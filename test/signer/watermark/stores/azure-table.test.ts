import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { TableClient } from "@azure/data-tables";
import { expect } from "chai";
import { encode } from "../../../../signer/tezos/crypto/base58.ts";
import { AzureTableStore } from "../../../../signer/watermark/stores/azure-table.ts";
import { StoreError, type WatermarkStore } from "../../../../signer/watermark/stores/store.ts";
import { azurite, tableCredential } from "../../../emulators/azurite.ts";
import { type TableProxy, tableProxy } from "../../../emulators/table-proxy.ts";
import { int32 } from "../../../fixtures/payloads.ts";
import { BLOCK_KEY, KEY, NEVER, rowAt } from "../../../fixtures/watermark-rows.ts";
import { GuardedSigner } from "../../../harness/guarded-signer.ts";
import { heldDeadline } from "../../../harness/held-deadline.ts";
import { rejection } from "../../../harness/rejection.ts";
import { tableName } from "../../../harness/watermark-stores.ts";

const SIGNATURE = /^[0-9a-f]{128}$/;

describe("azure table store behind a network with bad days", () => {
  let proxy: TableProxy;
  let table: string;
  let store: WatermarkStore;
  let direct: AzureTableStore;
  let signer: GuardedSigner;
  before(async () => {
    proxy = await tableProxy(await azurite());
  });
  after(() => proxy[Symbol.asyncDispose]());
  beforeEach(async () => {
    proxy.fault = () => undefined;
    table = tableName();
    store = new AzureTableStore({ endpoint: proxy.endpoint, table, credential: tableCredential });
    direct = new AzureTableStore({ endpoint: (await azurite()).endpoint, table, credential: tableCredential });
    await store.establish("id-1", NEVER);
    signer = new GuardedSigner(store);
    await signer.ask({ level: 9 });
    await signer.ask({ kind: "block", level: 9 });
  });

  /** Does this to the next writes, then nothing. */
  function atNextWrites(...faults: ReturnType<TableProxy["fault"]>[]): void {
    proxy.fault = ({ method }) => (method === "PUT" ? faults.shift() : undefined);
  }

  it("loses nothing where the network swallows one request in twenty, reads and writes alike", async () => {
    store = new AzureTableStore({ endpoint: proxy.endpoint, table, credential: tableCredential, late: 50 });
    let passed = 0;
    proxy.fault = () => (++passed % 20 === 7 ? "silence" : undefined);
    let version = (await store.read(KEY, NEVER))?.version ?? "";
    for (let level = 10; level < 60; level += 1) {
      version = await store.replace(KEY, rowAt(level), version, NEVER);
      expect((await store.read(KEY, NEVER))?.row.level).to.equal(level);
    }
    expect(passed).to.be.at.least(101 + 5);
  });

  it("does not wait for the answer to a write that was done where the second question tells that the row has changed", async () => {
    const found = await store.read(KEY, NEVER);
    atNextWrites("silence-afterwards");
    const write = store.replace(KEY, rowAt(10), found?.version ?? "", NEVER);
    expect(await rejection(write, StoreError)).to.include({ fault: "conflict" });
    expect((await store.read(KEY, NEVER))?.row.level).to.equal(10);
  });

  it("asks the table once for a vote and twice for a block", async () => {
    // However busy this computer is, no answer is late.
    store = new AzureTableStore({ endpoint: proxy.endpoint, table, credential: tableCredential, late: 60_000 });
    signer = new GuardedSigner(store);
    await signer.ask({ level: 9 });
    await signer.ask({ kind: "block", level: 9 });
    let before = proxy.count;
    await signer.ask({ level: 10 });
    expect(proxy.count - before).to.equal(1);
    before = proxy.count;
    await signer.ask({ kind: "block", level: 10 });
    expect(proxy.count - before).to.equal(2);
    before = proxy.count;
    await signer.ask({ kind: "block", level: 10 });
    await signer.ask({ level: 10 });
    expect(proxy.count - before).to.equal(0);
  });

  it("recognises its own reservation where the write was done and its answer lost", async () => {
    atNextWrites("lost-answer");
    expect(await signer.outcome({ level: 10 })).to.match(SIGNATURE);
    expect(signer.signed).to.equal(3);
  });

  it("recognises its own insert where the write was done and its answer lost", async () => {
    let lost = false;
    proxy.fault = ({ method }) => {
      if (method !== "POST" || lost) return undefined;
      lost = true;
      return "lost-answer";
    };
    expect(await signer.outcome({ level: 10, address: "tz2other" })).to.match(SIGNATURE);
    expect(lost).to.equal(true);
  });

  it("releases the block's one signature where the answer to storing it was lost", async () => {
    atNextWrites(undefined, "lost-answer");
    const { signature } = await signer.ask({ kind: "block", level: 10 });
    expect((await direct.read(BLOCK_KEY, NEVER))?.row.signature).to.equal(signature);
  });

  for (const fault of ["reset", "busy"] as const) {
    it(`signs within the deadline through ${fault === "reset" ? "a reset connection" : "a busy answer"}`, async () => {
      atNextWrites(fault);
      expect(await signer.outcome({ level: 10 })).to.match(SIGNATURE);
    });
  }

  it("answers `unavailable`, not `already signed`, while the firewall or a role refuses, and signs as soon as it does not", async () => {
    proxy.fault = () => "forbidden";
    const { message } = await rejection(store.read(KEY, NEVER), StoreError);
    expect(message).to.include("403 AuthorizationPermissionMismatch").and.include("check the role");
    using deadline = heldDeadline();
    const waiting = new GuardedSigner(store, { deadline: deadline.milliseconds });
    const before = proxy.count;
    const late = waiting.outcome({ level: 10 });
    while (proxy.count < before + 3) await sleep(5);
    deadline.end();
    expect(await late).to.equal("watermark-unavailable");
    proxy.fault = () => undefined;
    expect(await waiting.outcome({ level: 10 })).to.match(SIGNATURE);
    expect(waiting.trusted.stops.size).to.equal(0);
  });

  it("waits within one request for a refusal to end", async () => {
    proxy.fault = () => "forbidden";
    setTimeout(() => {
      proxy.fault = () => undefined;
    }, 300);
    expect(await signer.outcome({ level: 10 })).to.match(SIGNATURE);
  });

  it("ends at the deadline where the table never answers", async () => {
    proxy.fault = () => "silence";
    using deadline = heldDeadline();
    const before = proxy.count;
    const late = new GuardedSigner(store, { deadline: deadline.milliseconds }).outcome({ level: 10 });
    while (proxy.count === before) await sleep(5);
    deadline.end();
    expect(await late).to.equal("watermark-unavailable");
  });

  it("asks again within the deadline where one connection is stuck", async () => {
    atNextWrites("silence");
    expect(await signer.outcome({ level: 10 })).to.match(SIGNATURE);
  });

  it("drops a reservation that reaches the table after its attempt was closed, if others were first", async () => {
    const { promise: passed, resolve: letGo } = Promise.withResolvers<void>();
    atNextWrites({ once: passed });
    using deadline = heldDeadline();
    const hasty = new GuardedSigner(store, { deadline: deadline.milliseconds });
    const before = proxy.count;
    const late = hasty.outcome({ level: 10, bytes: "a" });
    while (proxy.count < before + 2 || hasty.signed === 0) await sleep(5);
    deadline.end();
    expect(await late).to.equal("watermark-unavailable");
    const { signature } = await signer.ask({ level: 10, bytes: "b" });
    letGo();
    await sleep(200);
    expect(await signer.outcome({ level: 10, bytes: "a" })).to.equal("position-already-signed");
    expect(await signer.outcome({ level: 10, bytes: "b" })).to.equal(signature);
  });

  it("sends the ETag that it has read with every update, never `*`", async () => {
    await direct.replace(KEY, rowAt(50), (await direct.read(KEY, NEVER))?.version ?? "", NEVER);
    expect(await signer.outcome({ level: 40 })).to.equal("position-below-watermark");
    expect((await direct.read(KEY, NEVER))?.row.level).to.equal(50);
  });

  it("stops hard where a row comes without its version, by which alone it may be written", async () => {
    const fresh = new GuardedSigner(store);
    proxy.fault = ({ method }) => (method === "GET" ? "without-etag" : undefined);
    expect(await fresh.outcome({ level: 10 })).to.equal("watermark-untrusted");
    expect([...fresh.trusted.stops.values()].join()).to.include("without an ETag");
    expect((await direct.read(KEY, NEVER))?.row.level).to.equal(9);
  });

  it("reads what is there where the answer to a write comes without its version", async () => {
    atNextWrites("without-etag");
    expect(await signer.outcome({ level: 10 })).to.match(SIGNATURE);
    expect(await signer.outcome({ level: 11 })).to.match(SIGNATURE);
  });

  for (const version of ["", "*", "undefined", '"'])
    it(`writes nothing with ${JSON.stringify(version)} for a version`, async () => {
      const error = await rejection(store.replace(KEY, rowAt(50), version, NEVER), StoreError);
      expect(error.fault).to.equal("untrusted");
      expect((await direct.read(KEY, NEVER))?.row.level).to.equal(9);
    });

  it("stops hard where a row that it has seen is gone", async () => {
    const client = new TableClient((await azurite()).endpoint, table, tableCredential);
    await client.deleteEntity(KEY.address, `${KEY.chainId}_${KEY.kind}`);
    expect(await signer.outcome({ level: 10 })).to.equal("watermark-untrusted");
  });

  it("stops hard where the whole table is gone", async () => {
    const client = new TableClient((await azurite()).endpoint, table, tableCredential);
    await client.deleteTable();
    expect(await signer.outcome({ level: 10 })).to.equal("watermark-untrusted");
  });

  for (const [what, broken] of [
    ["a level that is text", { level: "100" }],
    ["a level that is no whole number", { level: 1.5 }],
    ["a level below 0", { level: -1 }],
    ["a round below 0", { round: -1 }],
    ["no round", { round: null }],
    ["a digest that is not hex", { digest: "xyz" }],
    ["a signature that is a number", { signature: 7 }],
    ["no time of its anchor", { anchorAt: null }],
  ] as const) {
    it(`stops hard on a row with ${what}`, async () => {
      const client = new TableClient((await azurite()).endpoint, table, tableCredential);
      const entity = await client.getEntity<Record<string, unknown>>(KEY.address, `${KEY.chainId}_${KEY.kind}`);
      const changed = Object.fromEntries(
        Object.entries({ ...entity, ...broken }).filter(([, value]) => value !== null),
      );
      await client.updateEntity(changed as Parameters<typeof client.updateEntity>[0], "Replace");
      const error = await rejection(direct.read(KEY, NEVER), StoreError);
      expect(error.fault).to.equal("untrusted");
      expect(await new GuardedSigner(store).outcome({ level: 10 })).to.equal("watermark-untrusted");
    });
  }

  it("tells what a store that is not there is: unavailable, not empty", async () => {
    const nowhere = new AzureTableStore({ endpoint: "https://127.0.0.1:1/x", table, credential: tableCredential });
    expect((await rejection(nowhere.identity(NEVER), StoreError)).fault).to.equal("unavailable");
  });

  it("lists the keys' rows alone: a note that somebody left in the table stops no key", async () => {
    const client = new TableClient((await azurite()).endpoint, table, tableCredential);
    const before = await store.list(NEVER);
    await client.createEntity({ partitionKey: "note", rowKey: "of the operator", text: "do not delete" });
    expect(await store.list(NEVER)).to.deep.equal(before);
    await client.deleteEntity("note", "of the operator");
  });

  it("lists every row through all its pages, each in a time of its own", async () => {
    const client = new TableClient((await azurite()).endpoint, table, tableCredential);
    const { etag: _, timestamp: __, ...entity } = await client.getEntity(KEY.address, `${KEY.chainId}_${KEY.kind}`);
    for (let from = 0; from < 1_100; from += 100) {
      const rows = Array.from({ length: 100 }, (_, index) => ({
        ...entity,
        partitionKey: KEY.address,
        rowKey: `${encode("Net", int32(from + index))}_block`,
      }));
      await client.submitTransaction(rows.map((row) => ["create", row]));
    }
    using times = endedTimes();
    let pages = 0;
    proxy.fault = () => {
      pages += 1;
      // What the first page was given is over.
      if (pages === 2) times.endAllButTheLast();
      return undefined;
    };
    expect(await store.list(NEVER)).to.have.length(1_102);
    expect(pages).to.equal(2);
  });

  it("asks for another token where the table refuses the one that it has", async () => {
    const { certificate } = await azurite();
    const server = createServer(certificate, ({ headers }, response) =>
      response.writeHead(headers.authorization === "Bearer revoked" ? 401 : 404).end(),
    ).listen(0, "127.0.0.1");
    await once(server, "listening");
    const endpoint = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const tokens = ["revoked", "good"];
    let asked = 0;
    const credential = {
      getToken: async () => ({ token: tokens[asked++] ?? "", expiresOnTimestamp: Date.now() + 3_600_000 }),
    };
    const store = new AzureTableStore({ endpoint, table: "watermarks", credential });
    expect((await rejection(store.identity(NEVER), StoreError)).message).to.include("refused (401");
    await sleep(1_100);
    const answers = [];
    for (let tries = 0; tries < 2; tries += 1) answers.push(await store.identity(NEVER).catch(() => "refused"));
    expect(answers.at(-1), "there is no store").to.equal(undefined);
    expect(asked).to.equal(2);
    server.close();
    server.closeAllConnections();
  });

  it("takes no answer without its time for one that tells the time", async () => {
    const { certificate } = await azurite();
    const server = createServer(certificate, (_, response) => {
      response.sendDate = false;
      response.writeHead(404).end();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const endpoint = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const store = new AzureTableStore({ endpoint, table: "watermarks", credential: tableCredential });
    expect(await rejection(store.now(NEVER), StoreError)).to.include({ fault: "unavailable" });
    server.close();
    server.closeAllConnections();
  });

  it("passes over what only begins like a row of a key's", async () => {
    const { endpoint } = await azurite();
    const table = tableName();
    const store = new AzureTableStore({ endpoint, table, credential: tableCredential });
    await store.establish("id-1", NEVER);
    await store.insert(KEY, rowAt(100), NEVER);
    const client = new TableClient(endpoint, table, tableCredential);
    const rowKey = `${KEY.chainId}_${KEY.kind}_note`;
    await client.createEntity({ partitionKey: KEY.address, rowKey, text: "of somebody's" });
    expect((await store.list(NEVER)).map(({ row }) => row.level)).to.deep.equal([100]);
  });
});

/** Until it is disposed of, AbortSignal.timeout gives signals that end here, and by no clock. */
function endedTimes() {
  const { timeout } = AbortSignal;
  const begun: AbortController[] = [];
  AbortSignal.timeout = () => {
    const controller = new AbortController();
    begun.push(controller);
    return controller.signal;
  };
  return {
    /** Ends each that was begun before the newest call, and the only one where all calls share it. */
    endAllButTheLast() {
      for (const controller of begun.splice(0, Math.max(1, begun.length - 1))) controller.abort();
    },
    [Symbol.dispose]: () => {
      AbortSignal.timeout = timeout;
    },
  };
}
