import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { Agent, get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { verifySignature } from "@taquito/utils";
import { expect } from "chai";
import { ERRORS, StartError } from "../../../signer/errors.ts";
import { LIMITS } from "../../../signer/http/limits.ts";
import { listen } from "../../../signer/http/server.ts";
import { hasProgram } from "../../emulators/has-program.ts";
import { sign } from "../../emulators/octez-client.ts";
import { FakeSigner, testKey } from "../../harness/fake-signer.ts";
import { fakeTimers } from "../../harness/fake-timers.ts";
import { logLines } from "../../harness/log-lines.ts";
import { rejection } from "../../harness/rejection.ts";
import { requires } from "../../harness/requires.ts";
import {
  exchange,
  idleConnection,
  openSigningPort,
  readToEnd,
  type SigningPort,
  type SigningPortOptions,
} from "../../harness/signing-port.ts";

const PAYLOAD = "12abcdef";

/** A request as text, for raw sockets. */
function post(address: string, payload: string, ...headers: string[]): string {
  const body = `"${payload}"`;
  const lines = [`POST /keys/${address} HTTP/1.1`, "Host: signer", `Content-Length: ${body.length}`, ...headers];
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}

function statuses(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((match) => Number(match[1]));
}

/** A promise, and the function that fulfils it. */
function gate(): { readonly opened: Promise<void>; open: () => void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await sleep(2);
  }
}

describe("server", () => {
  let signer: FakeSigner;
  let ports: SigningPort[];

  async function open(options?: SigningPortOptions): Promise<SigningPort> {
    const port = await openSigningPort(signer, options);
    ports.push(port);
    return port;
  }

  beforeEach(async () => {
    ports = [];
    signer = await FakeSigner.with(testKey("tz2").sk);
  });
  afterEach(async () => {
    await Promise.all(ports.map(({ server }) => server.stop()));
  });

  describe("limits", () => {
    const quick = { headersTimeout: 100, requestTimeout: 150, checkInterval: 20 };

    it("end headers that come too slowly with 408", async () => {
      const { port } = await open({ limits: quick });
      const text = await exchange(port, "POST /keys/tz3 HTTP/1.1\r\nHost: ", 30, "sig", 30, "ner\r\n");
      expect(statuses(text)).to.deep.equal([408]);
      expect(text).to.include("Content-Type: application/json\r\n");
      expect(JSON.parse(text.split("\r\n\r\n")[1] ?? "")[0].msg).to.include(ERRORS["request-timeout"].text);
    });

    it("end a connection on which nothing comes", async () => {
      const { port } = await open({ limits: quick });
      expect(statuses(await exchange(port))).to.deep.equal([408]);
    });

    it("end a body that comes too slowly with 408, and ask nothing of the signer", async () => {
      const { port } = await open({ limits: quick });
      const whole = post(signer.address, PAYLOAD);
      const text = await exchange(port, whole.slice(0, -3), 30, whole.slice(-3, -1));
      expect(statuses(text)).to.deep.equal([408]);
      expect(signer.asked).to.deep.equal([]);
    });

    it("do not hurry the signer", async () => {
      const { url } = await open({ limits: { ...quick, headersTimeout: 1_000, requestTimeout: 1_000 } });
      signer.before = () => sleep(1_200);
      expect((await sign(url, signer.address, PAYLOAD)).status).to.equal(200);
    });

    it("refuse headers that are too large with 431", async () => {
      const { port } = await open();
      const text = await exchange(
        port,
        `GET /authorized_keys HTTP/1.1\r\nHost: x\r\nX-Long: ${"a".repeat(9_000)}\r\n\r\n`,
      );
      expect(statuses(text)).to.deep.equal([431]);
    });

    it("refuse what is not HTTP with 400", async () => {
      const { port } = await open();
      for (const text of ["hello\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\u0016\u0003\u0001\r\n\r\n"]) {
        const answer = await exchange(port, text);
        expect(statuses(answer)).to.deep.equal([400]);
        expect(answer).to.include(ERRORS["malformed-request"].text);
      }
    });

    it("refuse both kinds of length at once, so that no proxy can see another request than the signer", async () => {
      const { port } = await open();
      const text = await exchange(port, post(signer.address, PAYLOAD, "Transfer-Encoding: chunked"));
      expect(statuses(text)).to.deep.equal([400]);
      expect(signer.asked).to.deep.equal([]);
    });

    it("drop connections above the cap, sum up the lines of it, and serve again once one is closed", async () => {
      const { port, server, url, lines } = await open({ limits: { maxConnections: 3 } });
      const open3 = await Promise.all([1, 2, 3].map(() => idleConnection(port)));
      expect(await exchange(port, "GET /authorized_keys HTTP/1.1\r\nHost: x\r\n\r\n")).to.equal("");
      expect(lines[0]).to.include({ msg: "connection refused: too many are open" });
      for (let more = 0; more < 3; more += 1) await exchange(port, "GET / HTTP/1.1\r\n\r\n");
      for (const socket of open3) socket.destroy();
      await sleep(20);
      expect((await sign(url, signer.address, PAYLOAD)).status).to.equal(200);
      await server.stop();
      expect(lines.filter(({ msg }) => msg === lines[0]?.msg).map(({ repeated }) => repeated)).to.deep.equal([
        undefined,
        3,
      ]);
    });

    it("keep strangers from crowding out the baker", async () => {
      const { port } = await open({
        settings: { allowedAddresses: ["127.0.0.2"] },
        limits: { maxConnections: 4, maxUnlistedConnections: 2 },
      });
      const strangers = await Promise.all([1, 2].map(() => idleConnection(port)));
      expect(await readToEnd(await idleConnection(port))).to.equal("");
      const baker = await idleConnection(port, "127.0.0.2");
      baker.write(post(signer.address, PAYLOAD, "Connection: close"));
      expect(statuses(await readToEnd(baker))).to.deep.equal([200]);
      const [stranger] = strangers;
      stranger?.write("GET /authorized_keys HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      expect(stranger && statuses(await readToEnd(stranger))).to.deep.equal([403]);
      for (const socket of strangers) socket.destroy();
    });
  });

  describe("connections", () => {
    it("stay open for longer than a block", async () => {
      const { port } = await open();
      const agent = new Agent({ keepAlive: true });
      const [response] = await once(get({ port, path: "/authorized_keys", agent }), "response");
      expect(response.headers["keep-alive"]).to.equal("timeout=65");
      agent.destroy();
    });

    it("may come without a Host header, by HTTP/1.0, or with the whole URI as a proxy sends it", async () => {
      const { port } = await open();
      for (const line of ["GET /authorized_keys HTTP/1.0", "GET http://signer:6732/prefix/authorized_keys HTTP/1.1"]) {
        const text = await exchange(port, `${line}\r\nConnection: close\r\n\r\n`);
        expect(statuses(text), line).to.deep.equal([200]);
      }
    });

    it("tell their client that they end once the signer stops", async () => {
      const { port, server } = await open();
      const signing = gate();
      signer.before = () => signing.opened;
      const answered = exchange(port, post(signer.address, PAYLOAD));
      await until(() => signer.asked.length === 1);
      const stopped = server.stop();
      signing.open();
      expect(await answered).to.match(/^HTTP\/1\.1 200 [\s\S]*Connection: close/);
      await stopped;
    });

    it("answer pipelined requests in their order", async () => {
      const { port } = await open();
      const first = gate();
      signer.before = (payload) => (payload[3] === 1 ? first.opened : undefined);
      const requests = [1, 2, 3].map((id) => post(signer.address, `0000000${id}`));
      const answered = exchange(port, requests.join(""), post(signer.address, "zz", "Connection: close"));
      await until(() => signer.signed === 2);
      first.open();
      const text = await answered;
      expect(statuses(text)).to.deep.equal([200, 200, 200, 400]);
      const signatures = [...text.matchAll(/"signature":"(\w+)"/g)].map((match) => match[1] ?? "");
      for (const [index, signature] of signatures.entries()) {
        expect(verifySignature(`0000000${index + 1}`, testKey("tz2").pk, signature)).to.equal(true);
      }
    });

    it("never answer bad HTTP where the answer to an earlier request is due", async () => {
      const { port } = await open();
      const signing = gate();
      signer.before = () => signing.opened;
      const text = await exchange(port, post(signer.address, PAYLOAD), 20, "rubbish\r\n\r\n");
      expect(text).to.equal("");
      expect(signer.asked[0]?.gone.aborted).to.equal(true);
      signing.open();
      await until(() => signer.signed === 1);
    });

    it("serve 64 clients at once, each with its own answer", async () => {
      const { url } = await open();
      signer.before = () => sleep(Math.random() * 20);
      const payloads = Array.from({ length: 64 }, (_, id) => `12${id.toString(16).padStart(8, "0")}`);
      const results = await Promise.all(payloads.map((payload) => sign(url, signer.address, payload)));
      for (const [index, { status, signature }] of results.entries()) {
        expect(status).to.equal(200);
        expect(verifySignature(payloads[index] ?? "", testKey("tz2").pk, signature ?? "")).to.equal(true);
      }
    });
  });

  describe("a client that hangs up", () => {
    it("is told to the signer, which goes on", async () => {
      const { url } = await open();
      const signing = gate();
      signer.before = () => signing.opened;
      const stopped = new AbortController();
      const asked = sign(url, signer.address, PAYLOAD, { signal: stopped.signal }).catch((error) => error.name);
      await until(() => signer.asked.length === 1);
      const gone = signer.asked[0]?.gone;
      expect(gone?.aborted).to.equal(false);
      stopped.abort();
      expect(await asked).to.equal("AbortError");
      await until(() => gone?.aborted === true);
      signing.open();
      await until(() => signer.signed === 1);
    });

    it("is not told when it has its answer first", async () => {
      const { port } = await open();
      expect(statuses(await exchange(port, post(signer.address, PAYLOAD, "Connection: close")))).to.deep.equal([200]);
      await sleep(10);
      expect(signer.asked[0]?.gone.aborted).to.equal(false);
    });

    it("asks nothing of the signer where its body was cut off, and is no error in the log", async () => {
      const { port, lines, url } = await open();
      for (let round = 0; round < 5; round += 1) {
        const socket = await idleConnection(port);
        socket.write(post(signer.address, PAYLOAD).slice(0, -3));
        await sleep(5);
        if (round % 2 === 0) socket.resetAndDestroy();
        else socket.end();
      }
      await until(() => lines.length > 0);
      expect((await sign(url, signer.address, PAYLOAD)).status).to.equal(200);
      expect(signer.asked).to.have.length(1);
      expect(lines.filter(({ code }) => code === "internal-error")).to.deep.equal([]);
    });

    it("leaves nothing behind of the requests still in its pipeline", async () => {
      const { port, server, lines } = await open();
      const signing = gate();
      signer.before = () => signing.opened;
      const socket = await idleConnection(port);
      socket.write(Array(20).fill(post(signer.address, PAYLOAD)).join(""));
      await until(() => signer.asked.length === 20);
      socket.destroy();
      await until(() => signer.asked.every(({ gone }) => gone.aborted));
      signing.open();
      await server.stop();
      expect(lines.filter(({ requests }) => requests !== undefined)).to.deep.equal([]);
      expect(signer.signed).to.equal(20);
    });
  });

  describe("stop", () => {
    it("lets signatures in flight finish, and takes no new connection", async () => {
      const { url, port, server } = await open();
      const signing = gate();
      signer.before = () => signing.opened;
      const inFlight = Array.from({ length: 8 }, () => sign(url, signer.address, PAYLOAD));
      await until(() => signer.asked.length === 8);
      const stopped = server.stop();
      expect(await idleConnection(port).catch((error) => error.code)).to.equal("ECONNREFUSED");
      signing.open();
      expect((await Promise.all(inFlight)).map(({ status }) => status)).to.deep.equal(Array(8).fill(200));
      await stopped;
    });

    it("serves what still comes on kept connections, and says that they end", async () => {
      const { port, server } = await open();
      const kept = await idleConnection(port);
      const answers = readToEnd(kept);
      kept.write(post(signer.address, PAYLOAD));
      await until(() => signer.signed === 1);
      using clock = fakeTimers();
      const stopped = server.stop();
      await clock.tick(100);
      kept.write(post(signer.address, "12ff"));
      const [, first, second] = (await answers).split("HTTP/1.1 200 OK");
      expect(first).to.include("Connection: keep-alive");
      expect(second).to.include("Connection: close");
      await stopped;
      expect(signer.signed).to.equal(2);
    });

    it("waits for a request that is on its way, as long as more of it comes", async () => {
      const { port, server } = await open();
      const slow = await idleConnection(port);
      const answers = readToEnd(slow);
      const whole = post(signer.address, PAYLOAD);
      slow.write(whole.slice(0, 10));
      await sleep(20);
      using clock = fakeTimers();
      const stopped = server.stop();
      for (const part of [whole.slice(10, 20), whole.slice(20, 30), whole.slice(30)]) {
        slow.write(part);
        await clock.tick(LIMITS.quietTimeout);
      }
      expect(statuses(await answers)).to.deep.equal([200]);
      await stopped;
    });

    it("closes what asks nothing for quietTimeout, and the port, and may be asked twice", async () => {
      const { port, server } = await open();
      const kept = await idleConnection(port);
      kept.write("GET /authorized_keys HTTP/1.1\r\nHost: x\r\n\r\n");
      const silent = await idleConnection(port);
      const ended = [readToEnd(kept), readToEnd(silent)];
      await sleep(20);
      using clock = fakeTimers();
      const stopped = Promise.all([server.stop(), server.stop()]);
      await clock.tick(LIMITS.quietTimeout - 1);
      expect([kept.destroyed, silent.destroyed]).to.deep.equal([false, false]);
      await clock.tick(1);
      await stopped;
      expect(statuses((await Promise.all(ended)).join(""))).to.deep.equal([200]);
      expect(await idleConnection(port).catch((error) => error.code)).to.equal("ECONNREFUSED");
    });

    it("waits for the signature of a client that is gone", async () => {
      const { url, server } = await open();
      const signing = gate();
      signer.before = () => signing.opened;
      const left = new AbortController();
      const asked = sign(url, signer.address, PAYLOAD, { signal: left.signal }).catch(() => undefined);
      await until(() => signer.asked.length === 1);
      left.abort();
      await asked;
      const stopped = server.stop();
      expect(await Promise.race([stopped.then(() => "stopped"), sleep(50, "waiting")])).to.equal("waiting");
      signing.open();
      await stopped;
      expect(signer.signed).to.equal(1);
    });

    it("does not wait for ever, and says what it left", async () => {
      const { url, server, lines } = await open({ limits: { drainTimeout: 50, closeTimeout: 10 } });
      const signing = gate();
      signer.before = () => signing.opened;
      const asked = sign(url, signer.address, PAYLOAD).catch((error) => error.code);
      await until(() => signer.asked.length === 1);
      await server.stop();
      expect(await asked).to.equal("ECONNRESET");
      expect(lines.at(-1)).to.include({ requests: 1, msg: "stopped before these were answered" });
      signing.open();
    });
  });

  describe("a server that is left", () => {
    it("serves on and closes each connection after its answer, and an idle one once that is asked for", async () => {
      const held = gate();
      let closes = false;
      const server = await listen({
        ...{ host: "127.0.0.1", port: 0, log: logLines().log, limits: { ...LIMITS, quietTimeout: 20 } },
        closes: () => closes,
        handler: async (request, response) => {
          if (request.url === "/held") await held.opened;
          response.end("served");
        },
      });
      try {
        const agent = new Agent({ keepAlive: true });
        const ask = async (path: string) => {
          const [response] = await once(get({ host: "127.0.0.1", port: server.address.port, path, agent }), "response");
          response.resume();
          await once(response, "end");
          return response.headers.connection;
        };
        expect(await ask("/")).to.equal("keep-alive");
        const idle = readToEnd(await idleConnection(server.address.port));
        const waiting = ask("/held");
        closes = true;
        expect(await ask("/")).to.equal("close");
        await Promise.all([server.closeQuiet(), idle]);
        held.open();
        expect(await waiting).to.be.oneOf(["keep-alive", "close"]);
        agent.destroy();
      } finally {
        await server.stop();
      }
    });
  });

  describe("an address that cannot be had", () => {
    const handler = async () => undefined;
    const { log } = logLines();

    const refused = (address: { host: string; port: number; tls?: { cert: string; key: string } }) =>
      rejection(listen({ handler, log, ...address }), StartError);

    it("is refused with the reason", async () => {
      const { port } = await open();
      const taken = await refused({ host: "127.0.0.1", port });
      expect(taken.problem).to.equal("in-use");
      expect(taken.message).to.match(
        /^Cannot listen on 127.0.0.1, port \d+: the port is in use. Stop the other program/,
      );
      const foreign = await refused({ host: "192.0.2.1", port: 0 });
      expect(foreign.problem).to.equal("unusable");
      expect(foreign.message).to.match(
        /^Cannot listen on 192.0.2.1, port 0: this computer has no such address. Set one/,
      );
    });

    it("is refused where its certificate and key are none, and quotes nothing of them", async () => {
      const { problem, message } = await refused({
        host: "127.0.0.1",
        port: 0,
        tls: { cert: "sesame", key: "sesame" },
      });
      expect(problem).to.equal("unusable");
      expect(message)
        .to.match(
          /^listen\.tls\.cert and listen\.tls\.key are no certificate and its key in PEM \(.*no start line\)\.$/,
        )
        .and.not.include("sesame");
    });
  });

  describe("TLS", () => {
    let folder: string;
    let tls: { cert: string; key: string };

    before(function () {
      requires(this, hasProgram("openssl"), "openssl makes the certificate");
      folder = mkdtempSync(join(tmpdir(), "tezos-signer-tls-"));
      const file = (name: string) => join(folder, name);
      const subject = ["-subj", "/CN=signer", "-addext", "subjectAltName=IP:127.0.0.1"];
      const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"];
      const out = ["-keyout", file("key.pem"), "-out", file("cert.pem")];
      execFileSync("openssl", ["req", "-x509", ...curve, ...subject, ...out], { stdio: "pipe" });
      tls = { cert: readFileSync(file("cert.pem"), "utf8"), key: readFileSync(file("key.pem"), "utf8") };
    });
    after(() => {
      if (folder !== undefined) rmSync(folder, { recursive: true });
    });

    it("signs over https", async () => {
      const { url } = await open({ tls });
      const { status, signature } = await sign(url, signer.address, PAYLOAD, { ca: tls.cert });
      expect(status).to.equal(200);
      expect(verifySignature(PAYLOAD, testKey("tz2").pk, signature ?? "")).to.equal(true);
    });

    it("says nothing to a client that speaks plain HTTP", async () => {
      const { port } = await open({ tls });
      expect(await exchange(port, post(signer.address, PAYLOAD))).to.not.include("HTTP");
      expect(signer.asked).to.deep.equal([]);
    });

    it("refuses versions older than 1.2", async () => {
      const { port } = await open({ tls });
      const old = connectTls({ port, ca: tls.cert, minVersion: "TLSv1.1", maxVersion: "TLSv1.1" });
      const [error] = await once(old, "error");
      expect(error).to.be.an("error");
    });

    it("ends a handshake that does not come, and stops with one pending", async () => {
      const { port } = await open({ tls, limits: { handshakeTimeout: 50 } });
      expect(await exchange(port)).to.equal("");
      const patient = await open({ tls, limits: { handshakeTimeout: 600_000, closeTimeout: 10 } });
      const pending = readToEnd(await idleConnection(patient.port));
      await patient.server.stop();
      expect(await pending).to.equal("");
    });
  });
});
