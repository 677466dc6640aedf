import { writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect } from "chai";
import { MetricsPort } from "../../signer/http/metrics-port.ts";
import { hasProgram } from "../emulators/has-program.ts";
import { temporaryFolder } from "../emulators/signer-process.ts";
import { logLines } from "../harness/log-lines.ts";
import { requires } from "../harness/requires.ts";
import { BROWSER, Browser } from "./browser.ts";

const TOKEN = "0123456789abcdefghijklmnop";
const SECRET = "tezos_signer_ready 1";

/** Part of `npm run test:metrics`. */
describe("a page in a browser that may reach the metrics port", function () {
  this.timeout(120_000);
  const stack = new AsyncDisposableStack();
  let browser: Browser;
  let port: MetricsPort;
  let site: Server;
  const asked: string[] = [];

  before(async function () {
    requires(this, hasProgram(BROWSER), "no chromium on PATH");
    const { path } = stack.use(await temporaryFolder());
    writeFileSync(join(path, "token"), TOKEN, { mode: 0o600 });
    const watched = {
      ready: () => ({ ready: true, reasons: [] }),
      metrics: async () => SECRET,
      page: async () => ({ html: `<h1>${SECRET}</h1>`, policy: "default-src 'none'; frame-ancestors 'none'" }),
    };
    const settings = { host: "127.0.0.1", port: 0, token: { file: join(path, "token") } };
    port = await MetricsPort.open(settings, watched, logLines().log);
    stack.defer(() => port.stop());
    site = createServer((request, response) => {
      asked.push(request.url ?? "");
      response.setHeader("Content-Type", "text/html").end("<!doctype html><title>a site</title>");
    });
    await new Promise<void>((listening) => site.listen(0, "127.0.0.1", listening));
    stack.defer(() => void site.close());
    stack.defer(() => site.closeAllConnections());
    browser = stack.use(await Browser.start({ "rebound.example": "127.0.0.1", "evil.example": "127.0.0.1" }));
  });
  after(() => stack.disposeAsync());

  const own = () => `127.0.0.1:${port.address?.port}`;
  const other = () => `http://evil.example:${(site.address() as AddressInfo).port}/`;

  /** What a page's script gets of an address: its text, or that it got none. */
  const reading = (url: string, options = "{}") =>
    `fetch(${JSON.stringify(url)}, ${options}).then((answer) => answer.text()).catch((error) => "nothing: " + error.name)`;

  it("is shown the page where a person gives the password", async () => {
    expect(await browser.onPageOf(`http://baker:${TOKEN}@${own()}/`, "document.body.innerText")).to.equal(SECRET);
  });

  it("reads nothing from another site, though this browser has the password by now", async () => {
    for (const path of ["/metrics", "/readyz", "/"]) {
      const url = `http://${own()}${path}`;
      for (const options of ['{ credentials: "include" }', '{ credentials: "include", mode: "no-cors" }']) {
        const text = await browser.onPageOf<string>(other(), reading(url, options));
        expect(text, `${path} ${options}`).to.match(/^(nothing: TypeError)?$/);
      }
      const authorized = `{ headers: { authorization: "Bearer ${TOKEN}" } }`;
      expect(await browser.onPageOf<string>(other(), reading(url, authorized)), path).to.equal("nothing: TypeError");
    }
  });

  it("gets no picture, script or frame of it for its own", async () => {
    const loads = (tag: string, attribute: string) =>
      `new Promise((told) => { const element = document.createElement("${tag}");
        element.onload = () => told("loaded"); element.onerror = () => told("refused");
        element.${attribute} = "http://${own()}/metrics"; document.body.append(element); })`;
    expect(await browser.onPageOf(other(), loads("img", "src"))).to.equal("refused");
    expect(await browser.onPageOf(other(), loads("script", "src"))).to.equal("refused");
    const framed = `new Promise((told) => { const frame = document.createElement("iframe");
      frame.onload = () => { try { told(frame.contentDocument === null ? "nothing" : frame.contentDocument.body.innerText); } catch { told("nothing"); } };
      frame.src = "http://${own()}/"; document.body.append(frame); })`;
    expect(await browser.onPageOf(other(), framed)).to.equal("nothing");
  });

  it("reads nothing as a page whose name was made to lead here: by that name nobody is answered", async () => {
    const rebound = `http://rebound.example:${port.address?.port}`;
    const authorized = `{ headers: { authorization: "Bearer ${TOKEN}" } }`;
    const first = await browser.onPageOf<string>(`${rebound}/`, "document.body.innerText");
    expect(first).to.include("This port does not answer to that name").and.not.include(SECRET);
    for (const path of ["/metrics", "/readyz", "/"]) {
      const text = await browser.onPageOf<string>(`${rebound}/`, reading(`${rebound}${path}`, authorized));
      expect(text, path).to.include("does not answer to that name").and.not.include(SECRET);
    }
  });

  it("came from the other site each time", () => {
    expect(asked.length).to.be.above(10);
  });
});
