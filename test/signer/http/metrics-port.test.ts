import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { MetricsPort, type MetricsPortSettings } from "../../../signer/http/metrics-port.ts";
import { http, https } from "../../../signer/network/node-http.ts";
import { hasProgram } from "../../emulators/has-program.ts";
import { makeCertificate } from "../../harness/certificates.ts";
import { logLines } from "../../harness/log-lines.ts";
import { requires } from "../../harness/requires.ts";

const TOKEN = "tAZd1bJVrUwT0t9mXg7fHs";
const BEARER = { authorization: `Bearer ${TOKEN}` };
const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString("base64")}` });

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly challenge: string | undefined;
}

describe("the metrics port", () => {
  const folder = mkdtempSync(join(tmpdir(), "metrics-port-"));
  const file = join(folder, "token");
  const { log, lines } = logLines();
  let port: MetricsPort | undefined;
  const watched = {
    ready: () => ({ ready: false, reasons: ["no watermarks"] }),
    metrics: async () => "tezos_signer_ready 0",
    page: async () => ({ html: "<h1>Down</h1>", policy: "default-src 'none'" }),
  };

  beforeEach(() => {
    lines.splice(0);
    writeFileSync(file, `${TOKEN}\n`);
    chmodSync(file, 0o600);
  });
  afterEach(async () => {
    await port?.stop();
    port = undefined;
  });
  after(() => rmSync(folder, { recursive: true }));

  async function open(more: Partial<MetricsPortSettings> = {}): Promise<MetricsPort> {
    port = await MetricsPort.open({ host: "127.0.0.1", port: 0, token: { file }, ...more }, watched, log, 20);
    return port;
  }

  function ask(path: string, headers: Record<string, string> = {}, method = "GET", ca?: Buffer): Promise<Answer> {
    const options = {
      host: "127.0.0.1",
      port: port?.address?.port,
      path,
      method,
      headers,
      ca,
      servername: "signer",
    };
    return new Promise((resolve, reject) => {
      const request = (ca === undefined ? http : https).request({ ...options, agent: false }, (response) => {
        let text = "";
        response.on("data", (chunk) => {
          text += chunk;
        });
        const challenge = response.headers["www-authenticate"];
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text, challenge }));
      });
      request.on("error", reject).end();
    });
  }

  it("shows metrics, readiness and the page to who has the token, to a browser as a password", async () => {
    await open();
    expect((await ask("/metrics", BEARER)).text).to.match(/^tezos_signer_ready 0/);
    expect(await ask("/readyz", BEARER)).to.include({
      status: 503,
      text: '{"ready":false,"reasons":["no watermarks"]}',
    });
    expect(await ask("/", basic(`:${TOKEN}`))).to.include({ status: 200, text: "<h1>Down</h1>" });
    expect((await ask("/", basic(`baker:${TOKEN}`))).status).to.equal(200);
    expect((await ask("/", { authorization: `bearer ${TOKEN}` })).status).to.equal(200);
  });

  for (const [title, headers] of [
    ["nothing", {}],
    ["another token", { authorization: "Bearer tAZd1bJVrUwT0t9mXg7fHt" }],
    ["the beginning of the token", { authorization: `Bearer ${TOKEN.slice(0, -1)}` }],
    ["more than the token", { authorization: `Bearer ${TOKEN}x` }],
    ["the token twice", { authorization: `Bearer ${TOKEN}, Bearer ${TOKEN}` }],
    ["the token as a user's name", basic(`${TOKEN}:`)],
    ["the token without a colon", basic(TOKEN)],
    ["another scheme", { authorization: `Digest ${TOKEN}` }],
    ["an empty token", { authorization: "Bearer " }],
    ["the token elsewhere", { cookie: `token=${TOKEN}`, "x-token": TOKEN }],
  ] as const) {
    it(`shows nothing to who sends ${title}, whatever is asked for`, async () => {
      await open();
      for (const path of ["/metrics", "/readyz", "/", "/status", "/nowhere", `/metrics?token=${TOKEN}`]) {
        const { status, text, challenge } = await ask(path, headers);
        expect(status, path).to.equal(401);
        expect(text).to.include("This port answers to who has its token").and.not.include(TOKEN);
        expect(challenge).to.match(/^Bearer .*Basic /);
      }
      expect(JSON.stringify(lines)).not.to.include(TOKEN);
    });
  }

  it("has nothing else of the admin port, and nothing that changes anything, also with the token", async () => {
    await open();
    for (const path of [
      "/status",
      "/healthz",
      "/confirm",
      "/confirmations",
      "/keys/tz3",
      "/authorized_keys",
      "/readyz/",
    ]) {
      expect((await ask(path, BEARER)).status, path).to.equal(404);
    }
    for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE"]) {
      for (const path of ["/metrics", "/readyz", "/"]) {
        expect((await ask(path, BEARER, method)).status, `${method} ${path}`).to.equal(405);
      }
    }
  });

  for (const [title, status, headers] of [
    ["under a name that was made to lead here", 421, { host: "rebound.example.com:9584" }],
    ["by a proxy that was asked under such a name", 421, { "x-forwarded-host": "rebound.example.com" }],
    ["of another site, with its origin", 403, { origin: "https://evil.example" }],
    ["of no origin", 403, { origin: "null" }],
    ["of another site, by a picture", 403, { "sec-fetch-site": "cross-site", "sec-fetch-dest": "image" }],
    ["of a neighbour's site", 403, { "sec-fetch-site": "same-site" }],
  ] as const) {
    it(`answers no page ${title}, though its browser adds the password that it remembers`, async () => {
      await open();
      for (const path of ["/metrics", "/readyz", "/"]) {
        expect((await ask(path, { ...basic(`:${TOKEN}`), ...headers })).status, path).to.equal(status);
      }
    });
  }

  it("answers under a name of the settings", async () => {
    await open({ names: ["signer.example.org"] });
    expect((await ask("/readyz", { ...BEARER, host: "signer.example.org:9584" })).status).to.equal(503);
  });

  it("answers the addresses of the settings alone", async () => {
    await open({ allowedAddresses: ["198.51.100.4", "203.0.113.0/28"] });
    const { status, text } = await ask("/metrics", BEARER);
    expect([status, text]).to.deep.equal([403, text]);
    expect(text).to.include("127.0.0.1 is not among metrics.allowedAddresses");
    await port?.stop();
    await open({ allowedAddresses: ["127.0.0.0/8"] });
    expect((await ask("/metrics", BEARER)).status).to.equal(200);
  });

  it("takes up another token at once, and answers nobody while the file cannot be used, saying once why", async () => {
    await open();
    writeFileSync(file, "another-token-of-the-file");
    expect((await ask("/readyz", BEARER)).status).to.equal(401);
    expect((await ask("/readyz", { authorization: "Bearer another-token-of-the-file" })).status).to.equal(503);
    const faults: readonly (readonly [what: () => void, said: RegExp])[] = [
      [() => chmodSync(file, 0o644), /may be read by everybody.*\(mode 644\): chmod 600/],
      [() => writeFileSync(file, ""), /must hold the token alone/],
      [() => writeFileSync(file, `${TOKEN}\n${TOKEN}\n`), /must hold the token alone/],
      [() => writeFileSync(file, "short"), /20 letters and digits or more/],
      [() => writeFileSync(file, "a".repeat(2_000)), /is too large/],
      [() => rmSync(file), /no such file or directory/],
    ];
    for (const [fault, said] of faults) {
      writeFileSync(file, TOKEN);
      chmodSync(file, 0o640);
      expect((await ask("/readyz", BEARER)).status).to.equal(503);
      lines.splice(0);
      fault();
      for (const headers of [BEARER, { authorization: "Bearer " }, {}]) {
        const answer = await ask("/metrics", headers);
        expect(answer).to.include({ status: 401, challenge: undefined });
        expect(answer.text).to.include("its log says why");
      }
      const errors = lines.filter(({ severity }) => severity === "error").map(({ msg }) => msg);
      expect(errors).to.have.length(1);
      expect(errors[0])
        .to.match(said)
        .and.match(/The metrics port answers nobody\.$/)
        .and.not.include(folder);
    }
  });

  it("is opened once it can be, and holds up nothing until then", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((listening) => other.once("listening", listening));
    const taken = (other.address() as { port: number }).port;
    const { address } = await open({ port: taken });
    expect(address).to.equal(undefined);
    await new Promise((closed) => other.close(closed));
    while (port?.address === undefined) await new Promise((later) => setTimeout(later, 5));
    expect((await ask("/metrics", BEARER)).status).to.equal(200);
    const told = lines.filter(({ severity }) => severity === "warn").map(({ msg }) => msg);
    expect(told).to.have.length(1);
    expect(told[0]).to.match(
      /^The metrics port is not open: .*the port is in use.*metrics\.port.* It is tried again\.$/,
    );
  });

  it("speaks TLS where there is a certificate, and waits for one that is not there yet", async function () {
    requires(this, hasProgram("openssl"), "no openssl on PATH");
    const tls = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem") };
    await open({ tls });
    expect(port?.address).to.equal(undefined);
    makeCertificate(tls, 30);
    while (port?.address === undefined) await new Promise((later) => setTimeout(later, 5));
    const { readFileSync } = await import("node:fs");
    expect((await ask("/metrics", BEARER, "GET", readFileSync(tls.cert))).status).to.equal(200);
    const plain = await ask("/metrics", BEARER).catch((error: Error) => error.message);
    expect(plain).to.match(/socket hang up|ECONNRESET/);
    expect(lines.find(({ severity }) => severity === "warn")?.msg).to.match(/metrics\.tls\.\w+ cannot be read/);
  });

  it("ends while it is not open", async () => {
    await open({ tls: { cert: join(folder, "no.pem"), key: join(folder, "no.pem") } });
    await port?.stop();
    expect(port?.address).to.equal(undefined);
  });
});
