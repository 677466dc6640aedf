import { expect } from "chai";
import { Counter, Registry } from "prom-client";
import { type Admin, createAdminApp } from "../../../signer/http/admin.ts";
import { listen, type RunningServer } from "../../../signer/http/server.ts";
import { logLines } from "../../harness/log-lines.ts";

describe("admin port", () => {
  const registry = new Registry();
  new Counter({ name: "signatures_total", help: "Signatures released", registers: [registry] }).inc(3);
  let admin: Admin;
  let server: RunningServer;
  let url: string;
  const { log, lines } = logLines();

  beforeEach(async () => {
    admin = {
      ready: () => ({ ready: true, reasons: [] }),
      status: () => ({ keys: ["tz3"] }),
      metrics: () => registry.metrics(),
      page: async () => ({ html: "<h1>Good</h1>", policy: "default-src 'none'" }),
    };
    const handler = createAdminApp(
      {
        ready: () => admin.ready(),
        status: () => admin.status(),
        metrics: () => admin.metrics(),
        page: () => admin.page(),
      },
      log,
    ).callback();
    server = await listen({ handler, host: "127.0.0.1", port: 0, log });
    url = `http://127.0.0.1:${server.address.port}`;
  });
  afterEach(() => server.stop());

  async function ask(path: string, method = "GET"): Promise<[number, string | null, string]> {
    const response = await fetch(`${url}${path}`, { method });
    return [response.status, response.headers.get("content-type"), await response.text()];
  }

  it("says that the process lives, ready or not", async () => {
    admin.ready = () => ({ ready: false, reasons: ["no watermarks"] });
    expect(await ask("/healthz")).to.deep.equal([200, "application/json", '{"alive":true}']);
  });

  it("says that the signer is ready", async () => {
    expect(await ask("/readyz")).to.deep.equal([200, "application/json", '{"ready":true,"reasons":[]}']);
  });

  it("says why the signer is not ready", async () => {
    admin.ready = () => ({ ready: false, reasons: ["the watermark table is missing"] });
    const body = '{"ready":false,"reasons":["the watermark table is missing"]}';
    expect(await ask("/readyz")).to.deep.equal([503, "application/json", body]);
  });

  it("shows metrics in Prometheus's text format", async () => {
    const [status, type, text] = await ask("/metrics");
    expect([status, type]).to.deep.equal([200, "text/plain; version=0.0.4; charset=utf-8"]);
    expect(text).to.include("signatures_total 3");
  });

  it("shows the status as JSON", async () => {
    expect(await ask("/status")).to.deep.equal([200, "application/json", '{"keys":["tz3"]}']);
  });

  it("shows the page for people, which no browser keeps and nothing is added to", async () => {
    const { status, headers } = await fetch(`${url}/`);
    expect(status).to.equal(200);
    expect(Object.fromEntries(headers)).to.include({
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": "default-src 'none'",
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
    });
    expect((await ask("/"))[2]).to.equal("<h1>Good</h1>");
    expect((await ask("/", "POST"))[0]).to.equal(405);
  });

  it("refuses other paths and methods", async () => {
    expect((await ask("/keys/tz3"))[0]).to.equal(404);
    expect((await ask("/readyz", "POST"))[0]).to.equal(405);
    expect((await ask("/readyz", "HEAD"))[0]).to.equal(405);
  });

  it("answers and logs a fault of its own", async () => {
    admin.metrics = () => Promise.reject(new Error("no registry"));
    const [status, type, text] = await ask("/metrics");
    expect([status, type]).to.deep.equal([500, "application/json"]);
    expect(text).to.not.include("registry");
    expect(lines.at(-1)).to.include({ error: "no registry" });
  });
});
