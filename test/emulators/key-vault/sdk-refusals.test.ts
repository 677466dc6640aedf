import type { KeyClient } from "@azure/keyvault-keys";
import { expect } from "chai";
import { digest, failure, inner, OPERATOR, raw, SdkVault } from "../../harness/sdk-vault.ts";
import type { Imds } from "../imds/imds.ts";
import type { KeyVaultEmulator } from "./emulator.ts";

describe("what the Key Vault emulator refuses, as @azure/keyvault-keys is told", () => {
  let place: SdkVault;
  let imds: Imds;
  let vault: KeyVaultEmulator;
  let keys: KeyClient;

  beforeEach(async () => {
    place = await SdkVault.start();
    ({ imds, vault, keys } = place);
  });
  afterEach(() => place[Symbol.asyncDispose]());

  it("refuses a caller without the permission, naming it", async () => {
    vault.policies.grant(OPERATOR.objectId, ["get", "list"]);
    vault.createKey("baker");
    const error = await failure(keys.getCryptographyClient("baker").sign("ES256", digest));
    expect(error).to.include({ statusCode: 403, code: "Forbidden" });
    expect(inner(error)).to.deep.include({ code: "ForbiddenByPolicy" });
    expect(String(error)).to.contain("does not have keys sign permission on key vault");
  });

  it("lets a policy change take effect after its delay", async () => {
    vault.createKey("baker");
    // So long that it is over only once this test ends it.
    vault.policies.propagationDelay = 3_600_000;
    vault.policies.grant(OPERATOR.objectId, []);
    await keys.getKey("baker");
    vault.policies.propagationDelay = 60;
    vault.policies.grant(OPERATOR.objectId, []);
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(await failure(keys.getKey("baker"))).to.include({ statusCode: 403 });
  });

  it("refuses an address that the firewall does not name", async () => {
    vault.firewall.allow(["203.0.113.7/32"]);
    const error = await failure(keys.getKey("baker"));
    expect(error).to.include({ statusCode: 403, code: "Forbidden" });
    expect(inner(error)).to.deep.include({ code: "ForbiddenByFirewall" });
    vault.firewall.allow(["127.0.0.0/8"]);
    expect(await failure(keys.getKey("baker"))).to.include({ statusCode: 404 });
  });

  it("refuses to sign by a disabled, expired or not yet valid key, or one without the operation", async () => {
    const now = Math.floor(Date.now() / 1000);
    vault.createKey("disabled", { enabled: false });
    vault.createKey("expired", { exp: now - 10 });
    vault.createKey("early", { nbf: now + 100 });
    vault.createKey("verifier", { ops: ["verify"] });
    const codes: Record<string, unknown> = {};
    for (const name of ["disabled", "expired", "early", "verifier"]) {
      const body = { alg: "ES256", value: digest.toString("base64url") };
      codes[name] = (
        (await raw(vault, imds, "POST", `/keys/${name}/sign`, body)).error as Record<string, unknown>
      ).innererror;
    }
    expect(codes).to.deep.equal({
      disabled: { code: "KeyDisabled" },
      expired: { code: "KeyExpired" },
      early: { code: "KeyNotYetValid" },
      verifier: { code: "ForbiddenByPolicy" },
    });
  });

  it("refuses an unknown API version, a digest of another length, an algorithm of another curve, an absent body", async () => {
    vault.createKey("baker");
    const sign = (body: object | undefined, version?: string) =>
      raw(vault, imds, "POST", "/keys/baker/sign", body, version);
    const value = digest.toString("base64url");
    const messages = await Promise.all([
      sign({ alg: "ES256", value }, "2099-01-01"),
      sign({ alg: "ES256", value: digest.subarray(1).toString("base64url") }),
      sign({ alg: "ES256K", value }),
      sign(undefined),
    ]);
    expect(messages.map(({ error }) => (error as { code: string }).code)).to.deep.equal(Array(4).fill("BadParameter"));
    expect(messages.map(({ error }) => (error as { message: string }).message.split(".")[0])).to.deep.equal([
      "The specified version (2099-01-01) is not recognized",
      "Invalid length of 'value': 31 bytes",
      "Key and signing algorithm are incompatible",
      "Method POST does not allow empty body",
    ]);
  });

  it("refuses a host that is not its own", async () => {
    const answer = await fetch(vault.url.replace("127.0.0.1", "localhost"));
    expect(answer.status).to.equal(400);
    expect(await answer.text()).to.contain("Invalid Hostname");
  });

  it("throttles creations of HSM keys at 10 in 10 seconds, without a Retry-After", async () => {
    const made = [];
    for (let i = 0; i < 10; i += 1) made.push(await keys.createKey(`key-${i}`, "EC-HSM", { curve: "P-256" }));
    const error = await failure(keys.createKey("key-10", "EC-HSM", { curve: "P-256" }));
    expect(error).to.include({ statusCode: 429, code: "Throttled" });
    expect(
      (error as unknown as { response: { headers: Map<string, string> } }).response.headers.has("retry-after"),
    ).to.equal(false);
  });

  it("throttles other operations, and counts none that it refused", async () => {
    vault.throttle.limits = { ...vault.throttle.limits, hsm: 3 };
    vault.createKey("baker");
    const codes: number[] = [];
    for (let i = 0; i < 6; i += 1)
      codes.push(
        await keys.getKey("baker").then(
          () => 200,
          (error) => error.statusCode,
        ),
      );
    expect(codes).to.deep.equal([200, 200, 200, 429, 429, 429]);
  });

  it("answers in the shape that the service's own answers were recorded in", async () => {
    const challenge = await fetch(`${vault.url}/keys/baker/create?api%2Dversion=7.4`, { method: "POST" });
    expect([challenge.status, challenge.headers.get("content-length")]).to.deep.equal([401, "97"]);
    expect(challenge.headers.get("www-authenticate")).to.match(
      /^Bearer authorization="https:\/\/login\.microsoftonline\.com\/[0-9a-f-]{36}", resource="https:\/\/vault\.azure\.net"$/,
    );
    const made = await raw(vault, imds, "POST", "/keys/baker/create", { kty: "EC-HSM", crv: "P-256K" });
    expect(Object.keys(made)).to.deep.equal(["key", "attributes"]);
    expect(Object.keys(made.key as object)).to.deep.equal(["kid", "kty", "key_ops", "crv", "x", "y"]);
    expect(Object.keys(made.attributes as object)).to.include.members([
      "enabled",
      "created",
      "updated",
      "recoveryLevel",
      "recoverableDays",
    ]);
    for (const name of ["region", "service-version", "network-info"]) {
      expect(challenge.headers.get(`x-ms-keyvault-${name}`), name).to.not.equal(null);
    }
  });

  it("refuses an expired token, and one for another audience", async () => {
    const ask = async (token: string) => {
      const answer = await fetch(`${vault.url}/keys?api-version=7.4`, {
        headers: { Authorization: `Bearer ${token}` },
      });
      return [answer.status, ((await answer.json()) as { error: { message: string } }).error.message.slice(0, 8)];
    };
    expect(await ask(imds.tokens.issue(OPERATOR, "https://vault.azure.net", -1).token)).to.deep.equal([
      401,
      "AKV10001",
    ]);
    expect(await ask(imds.tokens.issue(OPERATOR, "https://storage.azure.com", 60).token)).to.deep.equal([
      401,
      "AKV10022",
    ]);
  });

  it("asks for another token once the first is revoked, and the SDK gives it", async () => {
    vault.createKey("baker");
    await keys.getKey("baker");
    vault.faults.script([{ kind: "claims", on: "get" }]);
    expect((await keys.getKey("baker")).name).to.equal("baker");
    expect(vault.calls.unauthorized).to.be.greaterThan(1);
  });
});
