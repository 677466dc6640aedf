import { TableClient } from "@azure/data-tables";
import { expect } from "chai";
import { type Azurite, azurite, tableCredential } from "./azurite.ts";
import { type ProxyFault, type TableProxy, tableProxy } from "./table-proxy.ts";

let tables = 0;

describe("Azurite's table service behind a proxy, asked by @azure/data-tables", function () {
  this.timeout(60_000);
  let behind: Azurite;
  let proxy: TableProxy;
  let name: string;

  before(async () => {
    behind = await azurite();
    proxy = await tableProxy(behind);
  });

  beforeEach(async () => {
    name = `proxied${process.pid}x${tables++}`;
    proxy.fault = () => undefined;
    await table(behind.endpoint).createTable();
  });

  after(() => proxy?.[Symbol.asyncDispose]());

  function table(endpoint = proxy.endpoint): TableClient {
    return new TableClient(endpoint, name, tableCredential, { retryOptions: { maxRetries: 0 } });
  }

  /** Inserts a row through the proxy. @returns "done", or the status or code of the error */
  async function insert(fault?: ProxyFault, signal?: AbortSignal): Promise<string> {
    proxy.fault = () => fault;
    try {
      await table().createEntity(
        { partitionKey: "p", rowKey: "r" },
        signal === undefined ? {} : { abortSignal: signal },
      );
      return "done";
    } catch (error) {
      const { statusCode, code, name: kind } = error as { statusCode?: number; code?: string; name: string };
      return String(statusCode ?? code ?? kind);
    }
  }

  /** Rows that the service holds, asked without the proxy. */
  async function held(): Promise<number> {
    let count = 0;
    for await (const _ of table(behind.endpoint).listEntities()) count += 1;
    return count;
  }

  it("wants a token", async () => {
    const { status } = await fetch(`${behind.endpoint}/Tables`, { headers: { "x-ms-version": "2019-02-02" } });
    expect(status).to.be.oneOf([401, 403]);
  });

  it("does what it is asked where there is no fault, and refuses a row twice", async () => {
    const before = proxy.count;
    expect(await insert()).to.equal("done");
    expect(await insert()).to.equal("409");
    expect(proxy.count).to.equal(before + 2);
    expect(await held()).to.equal(1);
  });

  for (const [fault, outcome] of [
    ["reset", /ECONNRESET|REQUEST_SEND_ERROR/],
    ["forbidden", /^403$/],
    ["busy", /^503$/],
  ] as const) {
    it(`passes nothing on at the fault "${fault}"`, async () => {
      expect(await insert(fault)).to.match(outcome);
      expect(await held()).to.equal(0);
    });
  }

  it('does the request and loses its answer at the fault "lost-answer"', async () => {
    expect(await insert("lost-answer")).to.match(/ECONNRESET|REQUEST_SEND_ERROR/);
    expect(await held()).to.equal(1);
  });

  it('answers nothing at the fault "silence"', async () => {
    expect(await insert("silence", AbortSignal.timeout(300))).to.equal("AbortError");
    expect(await held()).to.equal(0);
  });

  it("does a delayed request all the same", async () => {
    expect(await insert({ delay: 50 })).to.equal("done");
    expect(await held()).to.equal(1);
  });
});
