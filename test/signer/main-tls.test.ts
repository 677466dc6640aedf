import { X509Certificate } from "node:crypto";
import { copyFileSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { mock } from "node:test";
import { connect } from "node:tls";
import { expect } from "chai";
import { TlsCertificate } from "../../signer/http/tls-certificate.ts";
import { hasProgram } from "../emulators/has-program.ts";
import { sign } from "../emulators/octez-client.ts";
import { attestation } from "../fixtures/payloads.ts";
import { makeCertificate } from "../harness/certificates.ts";
import { logLines } from "../harness/log-lines.ts";
import { requires } from "../harness/requires.ts";
import { WiredSigner } from "../harness/wired-signer.ts";

const METRIC = /^tezos_signer_tls_certificate_expiry_timestamp_seconds (\d+)$/m;

describe("the TLS certificate of a signer that runs", () => {
  let signer: WiredSigner;
  let files: { readonly cert: string; readonly key: string };
  let next: typeof files;
  before(async function () {
    requires(this, hasProgram("openssl"), "openssl makes the certificates");
    signer = await WiredSigner.make();
    files = { cert: signer.file("cert.pem"), key: signer.file("cert-key.pem") };
    next = { cert: signer.file("next.pem"), key: signer.file("next-key.pem") };
  });
  after(() => signer?.[Symbol.asyncDispose]());
  beforeEach(() => {
    signer.renewStore();
    makeCertificate(files);
    makeCertificate(next, 30);
  });
  afterEach(() => signer.stop());

  const start = () => signer.start({ listen: { port: 0, tls: files } });
  const renew = () => {
    copyFileSync(next.cert, files.cert);
    copyFileSync(next.key, files.key);
  };
  const fingerprint = (file: string) => new X509Certificate(readFileSync(file)).fingerprint256;
  /** What a client is shown that connects now. */
  const shown = () =>
    new Promise((resolve, reject) => {
      const socket = connect({ port: Number(new URL(signer.running.url).port), rejectUnauthorized: false }, () => {
        resolve(socket.getPeerX509Certificate()?.fingerprint256);
        socket.destroy();
      });
      socket.once("error", reject);
    });

  it("is taken up once it is renewed, without a restart, and its end is told", async () => {
    const { url, renewCertificate } = await start();
    expect(await shown()).to.equal(fingerprint(files.cert));
    renew();
    await renewCertificate();
    expect(await shown()).to.equal(fingerprint(next.cert));
    const ca = readFileSync(next.cert, "utf8");
    expect(await sign(url, signer.tz3, attestation({ level: 5 }).toString("hex"), { ca })).to.include({ status: 200 });
    const { validToDate } = new X509Certificate(readFileSync(next.cert));
    expect(Number(METRIC.exec(await signer.metrics())?.[1])).to.equal(validToDate.getTime() / 1_000);
    expect((await signer.admin("status")).body.tls).to.deep.equal({ until: validToDate.toISOString(), problem: null });
  });

  for (const [title, spoil, reason] of [
    ["cannot be read", () => rmSync(files.key), "listen.tls.key cannot be read: "],
    ["is cut off", () => truncateSync(files.cert, 100), "are no certificate and its key in PEM"],
    ["belongs to another key", () => copyFileSync(next.cert, files.cert), "are no certificate and its key in PEM"],
  ] as const) {
    it(`stays the one before where the new one ${title}, and log, /status and /readyz say so until it is mended`, async () => {
      const { renewCertificate } = await start();
      const before = fingerprint(files.cert);
      spoil();
      for (let look = 0; look < 2; look += 1) await renewCertificate();
      expect(await shown()).to.equal(before);
      const told = signer.lines.filter(({ msg }) => String(msg).includes(reason));
      expect(told.map(({ level }) => level)).to.have.length(1);
      const { status, body } = await signer.admin("readyz");
      expect({ status, ready: body.ready }, "it signs on").to.deep.equal({ status: 200, ready: true });
      expect(String(body.reasons)).to.include(reason).and.to.include("The certificate before is in use");
      expect(JSON.stringify((await signer.admin("status")).body.tls)).to.include(reason);
      renew();
      await renewCertificate();
      expect(await shown()).to.equal(fingerprint(next.cert));
      expect((await signer.admin("readyz")).body).to.deep.equal({ ready: true, reasons: [] });
    });
  }

  it("is looked at without being asked", async () => {
    const { log } = logLines();
    const certificate = await TlsCertificate.open(files, log, 10);
    const taken = new Promise((resolve) => certificate.follow(({ cert }) => resolve(cert.toString())));
    renew();
    expect(await taken).to.equal(readFileSync(next.cert, "utf8"));
    certificate.stop();
  });

  it("is told of once it has ended", async () => {
    const certificate = await TlsCertificate.open(files, logLines().log);
    expect(certificate.problem).to.equal(undefined);
    mock.timers.enable({ apis: ["Date"], now: certificate.expiresAt.getTime() });
    try {
      expect(certificate.problem).to.match(/^The certificate of listen\.tls\.cert ended at 20.*Renew it\.$/);
    } finally {
      mock.timers.reset();
    }
  });

  it("stays the one before where the new one has ended already, as one from a backup has", async () => {
    const old = { cert: signer.file("old.pem"), key: signer.file("old-key.pem") };
    for (const name of ["cert", "key"] as const) copyFileSync(files[name], old[name]);
    renew();
    const { log, lines } = logLines();
    const certificate = await TlsCertificate.open(files, log);
    for (const name of ["cert", "key"] as const) copyFileSync(old[name], files[name]);
    const { validToDate } = new X509Certificate(readFileSync(old.cert));
    mock.timers.enable({ apis: ["Date"], now: validToDate.getTime() });
    try {
      for (let look = 0; look < 2; look += 1) await certificate.look();
      expect(new X509Certificate(certificate.pair.cert).fingerprint256).to.equal(fingerprint(next.cert));
      const ended = `The new certificate of listen.tls.cert ended at ${validToDate.toISOString()}.`;
      expect(certificate.problem).to.equal(`${ended} The certificate before is in use.`);
      expect(lines.map(({ msg }) => msg)).to.deep.equal([certificate.problem]);
      mock.timers.setTime(certificate.expiresAt.getTime());
      await certificate.look();
      expect(fingerprint(files.cert), "both have ended, so the newer file is as good").to.equal(
        new X509Certificate(certificate.pair.cert).fingerprint256,
      );
      expect(certificate.problem).to.match(/^The certificate of listen\.tls\.cert ended at/);
    } finally {
      mock.timers.reset();
    }
  });

  it("has no end where there is none", async () => {
    await signer.start();
    expect(await signer.metrics()).not.to.match(METRIC);
    expect((await signer.admin("status")).body.tls).to.equal(null);
  });
});
