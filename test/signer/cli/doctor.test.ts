import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer as createHttp, type RequestListener } from "node:http";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { expect } from "chai";
import { Command } from "commander";
import { doctorCommand } from "../../../signer/cli/doctor.ts";
import { EXIT_CODES, type ExitReason } from "../../../signer/cli/exit-codes.ts";
import { makeCertificate } from "../../harness/certificates.ts";
import { FakeSigner } from "../../harness/fake-signer.ts";
import { atTerminal } from "../../harness/fake-terminal.ts";
import { openSigningPort } from "../../harness/signing-port.ts";

const SECRET = "p2sk2obfVMEuPUnadAConLWk7Tf4Dt3n4svSgJwrgpamRqJXvaYcg1";
const CLIENT = "edpkuBknW28nW72KG6RoHtYW7p12T6GKc7nAbwYX5m8Wd9sDVC9yav";
const OTHER = "tz3ZbCsUveF3Q6WUNkThT1wyJyhPunanaAXK";

/** Ends as a person sees it: the exit code, and what was printed, unwrapped. */
async function doctor(url: string, options: { json?: true; patience?: number } = {}) {
  const { json, patience = 5_000 } = options;
  const make = (io: Parameters<typeof doctorCommand>[0]) =>
    new Command("tezos-signer").addCommand(doctorCommand(io, patience));
  const { code, stdout, stderr } = await atTerminal(make, ["doctor", url, ...(json ? ["--json"] : [])], null);
  return { code, stdout, told: stderr.replaceAll(/\s+/g, " ").trim() };
}

/** What listens, for as long as it is asked. */
async function listening(server: Server): Promise<AsyncDisposable & { readonly port: number }> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { port, [Symbol.asyncDispose]: async () => void (await new Promise((done) => server.close(done))) };
}

const http = (answer: RequestListener) => listening(createHttp(answer));

/** A server that says what it is told, as a signer would. */
function saying(answers: Readonly<Record<string, readonly [status: number, body: unknown]>>) {
  return http(({ url = "" }, response) => {
    const [status, body] = answers[url] ?? [404, "no"];
    response.writeHead(status).end(JSON.stringify(body));
  });
}

/**
 * A port whose queue is full: nobody accepts there, so Linux drops what asks for a connection, and answers nothing. The
 * queue holds one more than it was told (tcp(7)).
 */
async function takingNoMore(): Promise<AsyncDisposable & { readonly port: number }> {
  const code = `
    const server = require("node:net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
      require("node:worker_threads").parentPort.postMessage(server.address().port);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const worker = new Worker(code, { eval: true });
  const [port] = (await once(worker, "message")) as [number];
  const queued = [connect(port, "127.0.0.1"), connect(port, "127.0.0.1")];
  for (const socket of queued) socket.on("error", () => undefined);
  await Promise.all(queued.map((socket) => once(socket, "connect")));
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of queued) socket.destroy();
      await worker.terminate();
    },
  };
}

describe("doctor", () => {
  let signer: FakeSigner;
  before(async () => {
    signer = await FakeSigner.with(SECRET);
  });

  it("says whose key is served, how long a round trip takes, that no client must sign, and asks for no signature", async () => {
    const port = await openSigningPort(signer, { settings: { listKnownKeys: true } });
    try {
      const { code, stdout } = await doctor(port.url);
      expect(code).to.equal(0);
      expect(stdout)
        .to.match(/^round trip +[\d.]+ ms \([\d.]+ ms to [\d.]+ ms for 5 new connections\)/m)
        .and.match(new RegExp(`^key +${signer.address}`, "m"))
        .and.match(/^client's signature +not wanted/m)
        .and.match(/^version +not told/m)
        .and.match(/Nothing was signed, and nothing was asked to be\.\n$/);
      for (const line of stdout.split("\n")) expect(line.length, line).to.be.at.most(80);
      expect(signer.asked).to.deep.equal([]);
      expect(port.refused).to.deep.equal([]);
    } finally {
      await port.server.stop();
    }
  });

  it("takes octez's URI of a key, and says as JSON what it found: the clients' keys, and the key, also where none are listed", async () => {
    const port = await openSigningPort(signer, { settings: { authentication: { keys: [CLIENT] } } });
    try {
      const { code, stdout } = await doctor(`${port.url}/below/${signer.address}`, { json: true });
      expect(code).to.equal(0);
      const said = JSON.parse(stdout);
      expect(said).to.deep.include({ ok: true, address: signer.address, version: null });
      expect(said.keys).to.deep.equal([{ address: signer.address, publicKey: signer.publicKey(signer.address) }]);
      expect(said.authorizedKeys[0]).to.match(/^tz1/);
      expect(said.roundTrips).to.have.length(5);
      expect((await doctor(port.url)).stdout)
        .to.match(/^keys +not listed: /m)
        .and.match(/^client's signature +wanted: /m);
    } finally {
      await port.server.stop();
    }
  });

  it("tells what is wrong, and what to do, where the signer refuses this address or has no such key", async () => {
    const refusing = await openSigningPort(signer, { settings: { allowedAddresses: ["203.0.113.7"] } });
    const other = await openSigningPort(signer);
    try {
      await ends(
        refusing.url,
        "refused",
        /127\.0\.0\.1 is not among allowedAddresses\. The signer is reached and refuses this computer/,
      );
      await ends(`${other.url}/${OTHER}`, "not-found", /has no key tz3ZbCs.*Without an address, this command shows/);
    } finally {
      await Promise.all([refusing.server.stop(), other.server.stop()]);
    }
  });

  async function ends(url: string, exit: ExitReason, told: RegExp, patience?: number): Promise<void> {
    const found = await doctor(url, { ...(patience && { patience }) });
    expect(found.told, url).to.match(told);
    expect(found.code, url).to.equal(EXIT_CODES[exit].code);
    expect(found.stdout).to.equal("");
  }

  it("tells a name that leads nowhere, a port where nobody listens, silence and a connection that is cut", async () => {
    await ends("http://signer.invalid:6732", "unavailable", /The name signer\.invalid leads nowhere from here/);
    const closed = await listening(createServer());
    await closed[Symbol.asyncDispose]();
    await ends(`http://127.0.0.1:${closed.port}`, "unavailable", /ECONNREFUSED.* nothing listens at that port/);
    await using cutting = await listening(createServer((socket) => socket.destroy()));
    await ends(`http://127.0.0.1:${cutting.port}`, "unavailable", /Does it speak https: where http: was asked\?/);
    const held: AsyncDisposable[] = [];
    const silent = createServer((socket) => {
      socket.on("error", () => undefined);
      held.push({ [Symbol.asyncDispose]: async () => void socket.destroy() });
    });
    const hanging = await listening(silent);
    await ends(
      `http://127.0.0.1:${hanging.port}`,
      "unavailable",
      /A connection, and no answer in 0\.2 s\. Something listens and hangs/,
      200,
    );
    for (const socket of held) await socket[Symbol.asyncDispose]();
    await hanging[Symbol.asyncDispose]();
  });

  it("tells a way on which packets are dropped, as a firewall does, with the command that lets this computer in", async () => {
    await using full = await takingNoMore();
    const { code, told } = await doctor(`http://127.0.0.1:${full.port}`, { patience: 300 });
    expect(code).to.equal(EXIT_CODES.unavailable.code);
    expect(told)
      .to.include("No connection in 0.3 s.")
      .and.include("pulumi config set bakerIp ADDRESS")
      .and.include("curl -4 https://api.ipify.org");
  });

  it("takes no answer of something else for a signer's, nor a public key that is not the address's", async () => {
    await using page = await http((_, response) => response.end("<html>hello"));
    await ends(`http://127.0.0.1:${page.port}`, "mismatch", /answers 200, and not as a signer does/);
    await using admin = await http((_, response) => response.writeHead(404).end("[]"));
    await ends(`http://127.0.0.1:${admin.port}`, "mismatch", /6732 is a signer's own/);
    await using liar = await saying({
      "/authorized_keys": [200, {}],
      [`/keys/${OTHER}`]: [200, { public_key: signer.publicKey(signer.address) }],
    });
    await ends(`http://127.0.0.1:${liar.port}/${OTHER}`, "mismatch", /which is not that key's\. Do not use it/);
  });

  it("tells a certificate that is not known here, and TLS where there is none", async () => {
    const folder = mkdtempSync(join(tmpdir(), "doctor-"));
    const files = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem") };
    makeCertificate(files);
    const pair = { cert: readFileSync(files.cert, "utf8"), key: readFileSync(files.key, "utf8") };
    const port = await openSigningPort(signer, { tls: pair });
    await using plain = await saying({});
    try {
      await ends(port.url, "unavailable", /self-signed certificate.*NODE_EXTRA_CA_CERTS/);
      await ends(`https://127.0.0.1:${plain.port}`, "unavailable", /A stack's signer speaks http:/);
    } finally {
      await port.server.stop();
      rmSync(folder, { recursive: true });
    }
  });

  it("says as JSON which step failed, and wants a URL", async () => {
    const closed = await listening(createServer());
    await closed[Symbol.asyncDispose]();
    const { code, stdout } = await doctor(`http://127.0.0.1:${closed.port}`, { json: true });
    expect(code).to.equal(EXIT_CODES.unavailable.code);
    expect(JSON.parse(stdout)).to.include({ ok: false, problem: "refused" });
    expect((await doctor("203.0.113.9:6732")).code).to.equal(EXIT_CODES.usage.code);
  });
});
