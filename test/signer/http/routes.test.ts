import { once } from "node:events";
import { Agent, type ClientRequest, type IncomingMessage, type RequestOptions, request } from "node:http";
import { InMemorySigner } from "@taquito/signer";
import { b58Encode, PrefixV2, verifySignature } from "@taquito/utils";
import { expect } from "chai";
import { ERRORS, type ErrorCode, SignerError } from "../../../signer/errors.ts";
import { MAX_BODY } from "../../../signer/http/limits.ts";
import type { Policy } from "../../../signer/policy/policy.ts";
import { authenticationBytes, sign } from "../../emulators/octez-client.ts";
import { FakeSigner, testKey } from "../../harness/fake-signer.ts";
import { fakeTimers } from "../../harness/fake-timers.ts";
import { requestSettings } from "../../harness/request-settings.ts";
import { openSigningPort, type SigningPort, type SigningPortOptions } from "../../harness/signing-port.ts";

const PAYLOAD = "11abcdef";

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

async function ask(url: string, method: string, body?: string, options: RequestOptions = {}): Promise<Answer> {
  const asked = request(url, { method, agent: false, ...options });
  asked.end(body);
  return answer(asked);
}

async function answer(asked: ClientRequest): Promise<Answer> {
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, headers: response.headers, text };
}

/** An error of the table, in the exact form that octez decodes. */
function expectRefusal({ status, headers, text }: Answer, code: ErrorCode): void {
  expect(text).to.include(ERRORS[code].text);
  expect(status).to.equal(ERRORS[code].status);
  expect(headers["content-type"]).to.equal("application/json");
  const trace = JSON.parse(text);
  expect(trace).to.have.length(1);
  expect(Object.keys(trace[0])).to.deep.equal(["kind", "id", "msg"]);
  expect(trace[0]).to.include({ kind: "temporary", id: "failure" });
}

describe("signing port", () => {
  let signer: FakeSigner;
  let port: SigningPort;
  let keys: string;

  async function open(options: SigningPortOptions = {}): Promise<void> {
    await port?.server.stop();
    port = await openSigningPort(signer, options);
    keys = `${port.url}/keys/${signer.address}`;
  }

  beforeEach(async () => {
    signer = await FakeSigner.with(testKey("tz3").sk);
    await open();
  });
  afterEach(() => port.server.stop());

  describe("answers", () => {
    it("answers a signature that verifies, as JSON without a charset", async () => {
      const { status, headers, text } = await ask(keys, "POST", `"${PAYLOAD}"`);
      expect(status).to.equal(200);
      expect(headers["content-type"]).to.equal("application/json");
      const { signature, ...rest } = JSON.parse(text);
      expect(rest).to.deep.equal({});
      expect(verifySignature(PAYLOAD, testKey("tz3").pk, signature)).to.equal(true);
    });

    it("answers the public key", async () => {
      const { status, text } = await ask(keys, "GET");
      expect([status, text]).to.deep.equal([200, JSON.stringify({ public_key: testKey("tz3").pk })]);
    });

    it("answers the known keys where listing is allowed", async () => {
      await open({ settings: { listKnownKeys: true } });
      const { status, text } = await ask(`${port.url}/known_keys`, "GET");
      expect([status, text]).to.deep.equal([200, JSON.stringify({ known_keys: [signer.address] })]);
    });

    it("answers {} for the authorized keys while authentication is off, and never an empty list", async () => {
      expect((await ask(`${port.url}/authorized_keys`, "GET")).text).to.equal("{}");
      await open({ settings: { authentication: { keys: [] } } });
      expect((await ask(`${port.url}/authorized_keys`, "GET")).text).to.equal("{}");
    });

    it("answers under any path that a proxy may put before octez's own", async () => {
      for (const prefix of ["", "/signer", "/any/prefix", "/keys", "/keys/authorized_keys"]) {
        const base = `${port.url}${prefix}`;
        expect((await ask(`${base}/authorized_keys`, "GET")).status, prefix).to.equal(200);
        expect((await ask(`${base}/keys/${signer.address}?version=3`, "POST", `"${PAYLOAD}"`)).status).to.equal(200);
      }
    });

    it("answers whatever types a client names that no web page can", async () => {
      for (const type of [
        "application/json",
        "application/octet-stream",
        "application/json; charset=utf-8",
        undefined,
      ]) {
        const headers = { accept: "application/bson;q=0.5, */*", ...(type !== undefined && { "content-type": type }) };
        expect((await ask(keys, "POST", `"${PAYLOAD}"\n`, { headers })).status).to.equal(200);
      }
    });

    // octez 25 has versions 0 to 3; a newer one will have more.
    const VERSIONS = ["0", "1", "2", "3", "4", "17", "03", "18446744073709551616"];
    for (const kind of ["tz2", "tz3"] as const) {
      it(`answers the same for any number of version, with the same payload asked of a ${kind} key`, async () => {
        signer = await FakeSigner.with(testKey(kind).sk);
        await open();
        for (const version of VERSIONS) {
          expect((await ask(`${keys}?version=${version}`, "POST", `"${PAYLOAD}"`)).status, version).to.equal(200);
        }
        expect(signer.asked.map(({ payload }) => payload)).to.deep.equal(VERSIONS.map(() => PAYLOAD));
      });
    }

    it("answers with query parameters that it does not know", async () => {
      expect((await ask(`${keys}?version=3&trace=1`, "POST", `"${PAYLOAD}"`)).status).to.equal(200);
    });
  });

  describe("refuses", () => {
    it("refuses a key that is not here", async () => {
      expectRefusal(await ask(`${port.url}/keys/${testKey("tz2").pkh}`, "GET"), "unknown-key");
      expectRefusal(await ask(`${port.url}/keys/${testKey("tz2").pkh}`, "POST", `"${PAYLOAD}"`), "unknown-key");
    });

    it("refuses an address that is none", async () => {
      const mistyped = `${signer.address.slice(0, -1)}1`;
      for (const address of ["tz3", mistyped, "KT1PWx2mnDueood7fEmfbBDKx1D9BAnnXitn", testKey("tz3").pk, "%00", "%"]) {
        expectRefusal(await ask(`${port.url}/keys/${address}`, "GET"), "malformed-request");
        expectRefusal(await ask(`${port.url}/keys/${address}`, "POST", `"${PAYLOAD}"`), "malformed-request");
      }
    });

    it("refuses a body that is no hex string", async () => {
      for (const body of ["", "{", '"0x11"', '"111"', '"zz"', '""', PAYLOAD]) {
        expectRefusal(await ask(keys, "POST", body), "malformed-request");
      }
      expect(signer.asked).to.deep.equal([]);
    });

    it("refuses a version that is no number, in a sentence, and parameters given twice", async () => {
      for (const version of ["-1", "", "v3", "3.0", "0x3", "3%00", "%EF%BC%93"]) {
        const answered = await ask(`${keys}?version=${version}`, "POST", `"${PAYLOAD}"`);
        expectRefusal(answered, "malformed-request");
        expect(answered.text).to.include("the parameter version must be a number");
      }
      expectRefusal(await ask(`${keys}?version=1&version=1`, "POST", `"${PAYLOAD}"`), "malformed-request");
      expectRefusal(
        await ask(`${keys}?authentication=a&authentication=b`, "POST", `"${PAYLOAD}"`),
        "malformed-request",
      );
      expect(signer.asked).to.deep.equal([]);
    });

    it("refuses a body above the limit, announced or chunked, and keeps the connection in order", async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const long = `"${"a".repeat(4 * MAX_BODY)}"`;
      const chunked = { agent, headers: { "transfer-encoding": "chunked" } };
      expectRefusal(await ask(keys, "POST", long, { agent }), "body-too-large");
      expectRefusal(await ask(keys, "POST", long, chunked), "body-too-large");
      expect((await ask(keys, "POST", `"${PAYLOAD}"`, { agent })).status).to.equal(200);
      agent.destroy();
    });

    it("refuses listing, unless it is allowed", async () => {
      expectRefusal(await ask(`${port.url}/known_keys`, "GET"), "listing-not-allowed");
    });

    it("refuses proofs of possession", async () => {
      expectRefusal(await ask(`${port.url}/bls_prove_possession/${signer.address}`, "GET"), "proof-of-possession");
    });

    it("refuses other paths", async () => {
      for (const path of ["/", "/keys", "/keys/", `/keys/${signer.address}/`, `/KEYS/${signer.address}`, "/login"]) {
        expectRefusal(await ask(`${port.url}${path}`, "GET"), "unknown-path");
      }
    });

    it("refuses other methods, and names those that the path takes", async () => {
      for (const method of ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"]) {
        const answered = await ask(keys, method);
        expectRefusal(answered, "method-not-allowed");
        expect(answered.headers.allow).to.equal("GET, POST");
      }
      const answered = await ask(`${port.url}/authorized_keys`, "POST");
      expectRefusal(answered, "method-not-allowed");
      expect(answered.headers.allow).to.equal("GET");
    });

    it("refuses HEAD, without a body", async () => {
      const { status, text } = await ask(keys, "HEAD");
      expect([status, text]).to.deep.equal([405, ""]);
    });

    it("refuses what a web page has a browser send", async () => {
      const headers = { origin: "https://example.org", "content-type": "text/plain" };
      expectRefusal(await ask(keys, "POST", `"${PAYLOAD}"`, { headers }), "origin-not-allowed");
      expect(signer.asked).to.deep.equal([]);
    });

    it("refuses an expectation that it does not know", async () => {
      const headers = { expect: "200-maybe" };
      expectRefusal(await ask(keys, "POST", `"${PAYLOAD}"`, { headers }), "malformed-request");
    });

    for (const code of Object.keys(ERRORS) as ErrorCode[]) {
      it(`refuses with the status and text of ${code} when the signer says so`, async () => {
        signer.before = () => {
          throw new SignerError(code, "level 7");
        };
        const answered = await ask(keys, "POST", `"${PAYLOAD}"`);
        expectRefusal(answered, code);
        expect(JSON.parse(answered.text)[0].msg).to.equal(`${ERRORS[code].text}: level 7`);
      });
    }

    it("refuses an unexpected exception without a word of it, and logs it without its fields", async () => {
      signer.before = () => {
        throw Object.assign(new Error("disk on fire"), { request: { headers: { authorization: "Bearer sesame" } } });
      };
      const answered = await ask(keys, "POST", `"${PAYLOAD}"`);
      expectRefusal(answered, "internal-error");
      expect(answered.text).to.not.include("fire");
      const [line] = port.lines;
      expect(line).to.include({ verdict: "internal-error", error: "disk on fire" });
      expect(JSON.stringify(port.lines)).to.not.include("sesame");
    });

    it("refuses something thrown that is no Error", async () => {
      signer.before = () => Promise.reject("oops");
      expectRefusal(await ask(keys, "POST", `"${PAYLOAD}"`), "internal-error");
      expect(port.lines[0]).to.include({ msg: "unexpected error", error: "oops" });
    });

    it("logs every cause of a fault of its own, and shows none", async () => {
      signer.before = () => {
        const cause = new Error("middle", { cause: new AggregateError([new Error("the real reason")]) });
        throw new SignerError("vault-unavailable", "ask again", { cause });
      };
      const answered = await ask(keys, "POST", `"${PAYLOAD}"`);
      expectRefusal(answered, "vault-unavailable");
      expect(answered.text).to.not.include("reason");
      expect(port.lines[0]).to.include({ verdict: "vault-unavailable", cause: "middle: the real reason" });
      expect(port.lines[0]).to.not.have.property("stack");
    });

    it("logs what caused an unexpected exception, and where it was thrown", async () => {
      signer.before = () => {
        throw new Error("outer", { cause: new Error("the real reason") });
      };
      const answered = await ask(keys, "POST", `"${PAYLOAD}"`);
      expectRefusal(answered, "internal-error");
      expect(answered.text).to.not.include("reason");
      expect(port.lines[0]).to.include({ msg: "unexpected error", error: "outer: the real reason" });
      expect(port.lines[0]?.stack).to.match(/routes\.test\.ts/);
    });
  });

  describe("lets in by address", () => {
    it("lets in the peer itself, whatever X-Forwarded-For says", async () => {
      await open({ settings: { allowedAddresses: ["203.0.113.7"] } });
      const headers = { "x-forwarded-for": "203.0.113.7" };
      for (const path of ["/authorized_keys", "/known_keys", "/nowhere", `/keys/${signer.address}`]) {
        expectRefusal(await ask(`${port.url}${path}`, "GET", undefined, { headers }), "address-not-allowed");
      }
      await open({ settings: { allowedAddresses: ["127.0.0.0/8"] } });
      expect((await ask(keys, "POST", `"${PAYLOAD}"`)).status).to.equal(200);
    });

    it("lets in an IPv4 client of a dual-stack port, which the signer sees as IPv4", async () => {
      await open({ host: "::", settings: { allowedAddresses: ["127.0.0.1"] } });
      expect((await ask(keys, "POST", `"${PAYLOAD}"`)).status).to.equal(200);
      expect(signer.asked[0]?.client).to.equal("127.0.0.1");
      expectRefusal(await ask(`http://[::1]:${port.port}/authorized_keys`, "GET"), "address-not-allowed");
    });

    it("lets in by the settings as they are at each request", async () => {
      const settings = { current: requestSettings({ allowedAddresses: ["203.0.113.7"], listKnownKeys: true }) };
      await open({ settings });
      expectRefusal(await ask(`${port.url}/known_keys`, "GET"), "address-not-allowed");
      settings.current = requestSettings({ allowedAddresses: ["127.0.0.1"], listKnownKeys: true });
      expect((await ask(`${port.url}/known_keys`, "GET")).status).to.equal(200);
      settings.current = requestSettings({ allowedAddresses: ["127.0.0.1"], listKnownKeys: false });
      expectRefusal(await ask(`${port.url}/known_keys`, "GET"), "listing-not-allowed");
    });

    it("judges by one version of the settings, however they change while the request comes", async () => {
      const later = requestSettings({
        allowedAddresses: ["203.0.113.7"],
        authentication: { keys: [testKey("tz2").pk] },
        policy: { default: { allow: ["pack"] }, keys: new Map() },
      });
      // The connection is judged, and then the request: they change as soon as these have looked at them.
      const versions = [requestSettings(), requestSettings()];
      const settings = {
        get current() {
          return versions.shift() ?? later;
        },
      };
      await open({ settings });
      const body = `"${PAYLOAD}"`;
      expect((await ask(keys, "POST", body)).status).to.equal(200);
      expect(signer.asked).to.have.length(1);
      expectRefusal(await ask(keys, "POST", body), "address-not-allowed");
    });
    it("lets in nobody when an entry is no address, rather than everybody", async () => {
      await open({ settings: { allowedAddresses: ["127.0.0.1", "example.org"] } });
      expectRefusal(await ask(keys, "POST", `"${PAYLOAD}"`), "internal-error");
      expect(signer.asked).to.deep.equal([]);
    });
  });

  describe("authentication", () => {
    const clients: Record<string, () => InMemorySigner> = {
      tz1: () => new InMemorySigner(b58Encode("07".repeat(32), PrefixV2.Ed25519Seed)),
      tz2: () => new InMemorySigner(testKey("tz2").sk),
      tz3: () => new InMemorySigner(testKey("tz3").sk),
    };

    for (const [kind, client] of Object.entries(clients)) {
      it(`lets a ${kind} client sign, by Taquito's signature of octez's bytes`, async () => {
        await open({ settings: { authentication: { keys: [await client().publicKey()] } } });
        const listed = await ask(`${port.url}/authorized_keys`, "GET");
        expect(JSON.parse(listed.text)).to.deep.equal({ authorized_keys: [await client().publicKeyHash()] });
        const result = await sign(port.url, signer.address, PAYLOAD, { authenticate: client() });
        expect(verifySignature(PAYLOAD, testKey("tz3").pk, result.signature ?? "")).to.equal(true);
      });
    }

    it("accepts any of several keys", async () => {
      const all = Object.values(clients).map((client) => client());
      await open({
        settings: { authentication: { keys: await Promise.all(all.map((client) => client.publicKey())) } },
      });
      for (const authenticate of all) {
        expect((await sign(port.url, signer.address, PAYLOAD, { authenticate })).status).to.equal(200);
      }
    });

    it("missing: 401 before the body is looked at", async () => {
      await open({ settings: { authentication: { keys: [testKey("tz2").pk] } } });
      expectRefusal(await ask(keys, "POST", "not even JSON"), "authentication-missing");
      await open({ settings: { authentication: { keys: [] } } });
      expectRefusal(await ask(keys, "POST", `"${PAYLOAD}"`), "authentication-missing");
      expect(signer.asked).to.deep.equal([]);
    });

    it("refuses a signature by another key, or of another payload or address, with 403, and asks nothing of the signer", async () => {
      await open({ settings: { authentication: { keys: [testKey("tz2").pk] } } });
      const own = authenticationBytes(signer.address, PAYLOAD);
      const tz2 = new InMemorySigner(testKey("tz2").sk);
      const tz3 = new InMemorySigner(testKey("tz3").sk);
      const wrong = {
        "another key": (await tz3.sign(own)).prefixSig,
        "another payload": (await tz2.sign(`${own}00`)).prefixSig,
        "another address": (await tz2.sign(own.replace("040102", "040101"))).prefixSig,
        "no signature": "sigh",
        empty: "",
      };
      for (const [name, signature] of Object.entries(wrong)) {
        const answered = await ask(`${keys}?authentication=${signature}`, "POST", `"${PAYLOAD}"`);
        expectRefusal(answered, "authentication-invalid");
        if (signature !== "") expect(JSON.stringify(port.lines), name).to.not.include(signature);
      }
      expect(signer.asked).to.deep.equal([]);
      const right = (await tz2.sign(own)).prefixSig;
      expect((await ask(`${keys}?authentication=${right}`, "POST", `"${PAYLOAD}"`)).status).to.equal(200);
    });

    it("is not asked for a key whose policy does not want it, and octez is told so when no key does", async () => {
      const authentication = { keys: [testKey("tz2").pk] };
      /** Whether requests for the key served need authentication, and for others. */
      const policy = (own: boolean, others: boolean): Policy => ({
        default: { allow: [], authentication: others },
        keys: new Map([[signer.address, { allow: [], authentication: own }]]),
      });
      await open({ settings: { authentication, policy: policy(false, true) } });
      expect((await ask(keys, "POST", `"${PAYLOAD}"`)).status).to.equal(200);
      expect((await ask(`${port.url}/authorized_keys`, "GET")).text).to.equal("{}");
      const other = `${port.url}/keys/${testKey("tz2").pkh}`;
      expectRefusal(await ask(other, "POST", `"${PAYLOAD}"`), "authentication-missing");
      await open({ settings: { authentication, policy: policy(true, false) } });
      expectRefusal(await ask(keys, "POST", `"${PAYLOAD}"`), "authentication-missing");
      expect((await ask(`${port.url}/authorized_keys`, "GET")).text).to.contain("tz2");
    });

    it("is not looked at while it is off", async () => {
      expect((await ask(`${keys}?authentication=whatever`, "POST", `"${PAYLOAD}"`)).status).to.equal(200);
    });
  });

  describe("log", () => {
    it("has one line a minute for refusals made here that repeat, with the client and no bodies", async () => {
      using timers = fakeTimers();
      for (let flood = 0; flood < 20; flood += 1) await ask(keys, "POST", '"c0ffee00z"');
      expect(port.lines).to.have.length(1);
      await timers.tick(60_000);
      expect(port.lines).to.have.length(2);
      expect(port.lines[1]).to.include({ repeated: 19 });
      expect(port.lines[0]).to.include({ code: "malformed-request", client: "127.0.0.1", msg: "refused" });
      expect(JSON.stringify(port.lines)).to.not.include("c0ffee");
    });

    it("has one line for a request that the signer refused, with the key and what was decided", async () => {
      signer.before = () => {
        throw new SignerError("position-already-signed", "level 7");
      };
      await ask(keys, "POST", `"${PAYLOAD}"`);
      expect(port.lines).to.have.length(1);
      expect(port.lines[0]).to.include({
        key: signer.address,
        client: "127.0.0.1",
        verdict: "position-already-signed",
      });
    });
  });
});
