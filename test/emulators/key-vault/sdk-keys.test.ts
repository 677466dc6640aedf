import { generateKeyPairSync } from "node:crypto";
import type { KeyClient } from "@azure/keyvault-keys";
import { expect } from "chai";
import {
  ALL,
  client,
  DELETE_DELAY,
  digest,
  failure,
  good,
  inner,
  OPERATOR,
  raw,
  SdkVault,
} from "../../harness/sdk-vault.ts";
import type { Imds } from "../imds/imds.ts";
import { KeyVaultEmulator } from "./emulator.ts";
import { transferBlob } from "./transfer-blob.ts";

describe("the Key Vault emulator's keys, asked for by @azure/keyvault-keys", () => {
  let place: SdkVault;
  let imds: Imds;
  let vault: KeyVaultEmulator;
  let keys: KeyClient;

  beforeEach(async () => {
    place = await SdkVault.start();
    ({ imds, vault, keys } = place);
  });
  afterEach(() => place[Symbol.asyncDispose]());

  it("challenges the first request and no other", async () => {
    vault.createKey("baker");
    await keys.getKey("baker");
    await keys.getKey("baker");
    expect(vault.calls).to.include({ unauthorized: 1, get: 2 });
  });

  it("answers over TLS by its own authority", async () => {
    const tls = await KeyVaultEmulator.start({
      tls: true,
      tokens: imds.tokens,
      policies: { [OPERATOR.objectId]: ALL },
    });
    try {
      tls.createKey("baker");
      expect((await client(tls, imds).getKey("baker")).id).to.match(
        /^https:\/\/localhost:\d+\/keys\/baker\/[0-9a-f]{32}$/,
      );
    } finally {
      await tls.stop();
    }
  });

  for (const [curve, algorithm] of [
    ["P-256", "ES256"],
    ["P-256K", "ES256K"],
  ] as const) {
    it(`creates an EC-HSM key on ${curve} and signs a digest with ${algorithm}`, async () => {
      const key = await keys.createKey("baker", "EC-HSM", {
        curve,
        keyOps: ["sign", "verify"],
        tags: { use: "baking" },
      });
      expect(key.keyType).to.equal("EC-HSM");
      expect(key.properties).to.deep.include({
        name: "baker",
        enabled: true,
        hsmPlatform: "2",
        tags: { use: "baking" },
      });
      const crypto = keys.getCryptographyClient("baker", { keyVersion: key.properties.version ?? "" });
      const { result } = await crypto.sign(algorithm, digest);
      expect(result).to.have.length(64);
      expect(good(key, result)).to.equal(true);
    });
  }

  // What the service answered to others: azure-sdk-for-node #4603, azure-cli #18462, celo-monorepo #5703.
  const FOR: Record<string, readonly string[]> = {
    "P-256": ["ES256", "ECDSA256"],
    "P-256K": ["ES256K"],
    SECP256K1: ["ECDSA256"],
  };
  const CAN: Record<string, string> = {
    ES256: "curve 'P-256'",
    ES256K: "curve 'P-256K'",
    ECDSA256: "curve 'P-256' or 'SECP256K1'",
  };
  for (const [curve, algorithms] of Object.entries(FOR)) {
    it(`signs by a key whose curve is named ${curve} with ${algorithms.join(" and ")}, and with no other algorithm`, async () => {
      const { key } = vault.createKey("baker", { crv: curve as "P-256" | "P-256K" | "SECP256K1" });
      for (const algorithm of Object.keys(CAN)) {
        const signed = keys.getCryptographyClient("baker").sign(algorithm, digest);
        if (algorithms.includes(algorithm)) {
          expect(good(await keys.getKey("baker"), (await signed).result), algorithm).to.equal(true);
          continue;
        }
        const error = await failure(signed);
        expect(error, algorithm).to.include({ statusCode: 400, code: "BadParameter" });
        expect((error as unknown as Error).message).to.equal(
          `Key and signing algorithm are incompatible. Key ${key.kid} uses curve '${curve}', and algorithm '${algorithm}' can only be used with ${CAN[algorithm]}.`,
        );
      }
    });
  }

  it("keeps the name of the curve that an import gives", async () => {
    const jwk = generateKeyPairSync("ec", { namedCurve: "secp256k1" }).privateKey.export({ format: "jwk" });
    for (const crv of ["P-256K", "SECP256K1"]) {
      await raw(vault, imds, "PUT", `/keys/${crv}`, { key: { ...jwk, kty: "EC", crv }, Hsm: true });
      const { key } = await keys.getKey(crv);
      expect([key?.crv, key?.kty, Buffer.from(key?.x ?? []).toString("base64url")]).to.deep.equal([
        crv,
        "EC-HSM",
        jwk.x,
      ]);
    }
  });

  it("signs without a version, at the double slash that the SDK then sends", async () => {
    const key = await keys.createKey("baker", "EC-HSM", { curve: "P-256" });
    expect(good(key, (await keys.getCryptographyClient("baker").sign("ES256", digest)).result)).to.equal(true);
  });

  it("gives signatures with S in both halves, on both curves", async () => {
    for (const [curve, algorithm, half] of [
      ["P-256", "ES256", 0x7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8n],
      ["P-256K", "ES256K", 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n],
    ] as const) {
      await keys.createKey(`key-${algorithm}`, "EC-HSM", { curve });
      const crypto = keys.getCryptographyClient(`key-${algorithm}`);
      const halves = new Set<boolean>();
      for (let i = 0; i < 20; i += 1) {
        const { result } = await crypto.sign(algorithm, digest);
        halves.add(BigInt(`0x${Buffer.from(result.subarray(32)).toString("hex")}`) > half);
      }
      expect(halves.size, curve).to.equal(2);
    }
  });

  it("verifies good signatures and not others", async () => {
    await keys.createKey("baker", "EC", { curve: "P-256" });
    vault.updateKey("baker", { keyOps: ["sign", "verify"] });
    const { kid, value } = await raw(vault, imds, "POST", "/keys/baker/sign", {
      alg: "ES256",
      value: digest.toString("base64url"),
    });
    expect(kid).to.match(/^http:\/\/127\.0\.0\.1:\d+\/keys\/baker\/[0-9a-f]{32}$/);
    const verify = (signature: string) =>
      raw(vault, imds, "POST", "/keys/baker/verify", {
        alg: "ES256",
        digest: digest.toString("base64url"),
        value: signature,
      });
    expect(await verify(String(value))).to.deep.equal({ value: true });
    expect(await verify(Buffer.alloc(64, 1).toString("base64url"))).to.deep.equal({ value: false });
  });

  it("lists in pages of maxresults, with an empty page in between", async () => {
    for (let i = 0; i < 5; i += 1) vault.createKey(`key-${i}`);
    const pages: string[][] = [];
    for await (const page of keys.listPropertiesOfKeys().byPage({ maxPageSize: 2 }))
      pages.push(page.map((key) => key.name));
    expect(pages).to.deep.equal([["key-0", "key-1"], [], ["key-2", "key-3"], [], ["key-4"]]);
  });

  it("lists every version of a key, each with its own id", async () => {
    const made = [vault.createKey("baker"), vault.createKey("baker"), vault.createKey("baker")].map(
      (each) => each.key.kid,
    );
    const listed: string[] = [];
    for await (const version of keys.listPropertiesOfKeyVersions("baker")) listed.push(version.id ?? "");
    expect(listed).to.have.members(made);
    expect((await keys.getKey("baker")).id).to.equal(made.at(-1));
  });

  it("lists the versions in pages of 25 at most, each with its own tags and whether it is enabled", async () => {
    const secret = Buffer.alloc(32, 5);
    const made: [string, object | undefined, boolean][] = [];
    for (let i = 0; i < 30; i += 1) {
      const tags: Record<string, string> = i % 3 === 0 ? {} : { store: `${i}` };
      const { key, attributes } = vault.createKey("baker", { secret, enabled: i % 2 === 0, tags });
      made.push([key.kid, i % 3 === 0 ? undefined : tags, attributes.enabled]);
    }
    const pages: [string, object | undefined, boolean][][] = [];
    for await (const page of keys.listPropertiesOfKeyVersions("baker").byPage())
      pages.push(page.map(({ id = "", tags, enabled = true }) => [id, tags, enabled]));
    expect(pages.map((page) => page.length)).to.deep.equal([25, 0, 5]);
    expect(pages.flat()).to.have.deep.members(made);
    expect(pages.flat().map(([id]) => id)).to.deep.equal(made.map(([id]) => id).sort());
  });

  it("holds one key material under several names and versions, and changes the tags of one version alone", async () => {
    const secret = Buffer.alloc(32, 5);
    const made = ["baker", "baker", "copy"].map((name) => vault.createKey(name, { secret }).key);
    expect(new Set(made.map(({ kid }) => kid)).size).to.equal(3);
    const [old] = made;
    await keys.updateKeyProperties("baker", old?.kid.split("/").at(-1) ?? "", { tags: { store: "5f0c" } });
    const tagged: string[] = [];
    for await (const { id = "", tags } of keys.listPropertiesOfKeyVersions("baker"))
      if (tags?.store === "5f0c") tagged.push(id);
    expect(tagged).to.deep.equal([old?.kid]);
    expect((await keys.getKey("baker")).properties.tags).to.equal(undefined);
    const x = async (name: string, version: string) => (await keys.getKey(name, { version })).key?.x;
    const xs = await Promise.all(made.map(({ kid }) => x(kid.split("/").at(-2) ?? "", kid.split("/").at(-1) ?? "")));
    expect(new Set(xs.map((each) => Buffer.from(each ?? []).toString("hex"))).size).to.equal(1);
  });

  it("shows a disabled key, or refuses it where it is told to, as the service does with secrets", async () => {
    vault.createKey("baker", { enabled: false });
    expect((await keys.getKey("baker")).properties.enabled).to.equal(false);
    vault.showDisabledKeys(false);
    expect(inner(await failure(keys.getKey("baker")))).to.deep.include({ code: "KeyDisabled" });
  });

  it("updates tags and attributes of a version", async () => {
    const key = await keys.createKey("baker", "EC-HSM", { curve: "P-256" });
    const version = key.properties.version ?? "";
    await keys.updateKeyProperties("baker", version, { tags: { "tezos-signer-watermarks": "5f0c" }, enabled: false });
    const { properties } = await keys.getKey("baker");
    expect(properties).to.deep.include({ enabled: false, tags: { "tezos-signer-watermarks": "5f0c" } });
  });

  it("shows the attestation of an HSM key", async () => {
    await keys.createKey("baker", "EC-HSM", { curve: "P-256" });
    const { properties } = await keys.getKeyAttestation("baker");
    expect(properties.attestation).to.have.property("privateKeyAttestation");
  });

  it("imports a key in the clear", async () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "secp256k1" });
    const jwk = privateKey.export({ format: "jwk" });
    const bytes = (part: string | undefined) => Buffer.from(part ?? "", "base64url");
    const key = {
      kty: "EC",
      crv: "P-256K",
      x: bytes(jwk.x),
      y: bytes(jwk.y),
      d: bytes(jwk.d),
      keyOps: ["sign", "verify"],
    };
    const imported = await keys.importKey("baker", key, { hardwareProtected: true });
    expect(imported.keyType).to.equal("EC-HSM");
    expect(Buffer.from(imported.key?.x ?? [])).to.deep.equal(bytes(jwk.x));
  });

  for (const [curve, namedCurve] of [
    ["P-256", "prime256v1"],
    ["P-256K", "secp256k1"],
  ] as const) {
    it(`imports a transfer blob (BYOK) of a key on ${curve}`, async () => {
      const kek = await keys.createRsaKey("kek", { hsm: true, keySize: 2048, keyOps: ["import"] });
      const { privateKey } = generateKeyPairSync("ec", { namedCurve });
      const blob = transferBlob(kek, privateKey);
      const imported = await keys.importKey("baker", {
        kty: "EC-HSM",
        crv: curve,
        keyOps: ["sign", "verify"],
        t: blob,
      });
      expect(Buffer.from(imported.key?.x ?? []).toString("base64url")).to.equal(privateKey.export({ format: "jwk" }).x);
    });
  }

  it("refuses a transfer blob for another key exchange key, or cut short, or by a key that may do more than import", async () => {
    const kek = await keys.createRsaKey("kek", { hsm: true, keySize: 2048, keyOps: ["import"] });
    const other = await keys.createRsaKey("other", { hsm: true, keySize: 2048, keyOps: ["import"] });
    const wide = await keys.createRsaKey("wide", { hsm: true, keySize: 2048, keyOps: ["wrapKey", "unwrapKey"] });
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    const good = JSON.parse(transferBlob(kek, privateKey).toString());
    const blobs = {
      "named for another": { ...good, header: { ...good.header, kid: other.id } },
      "of another vault": { ...good, header: { ...good.header, kid: "https://other.vault.azure.net/keys/kek/00" } },
      "cut short": { ...good, ciphertext: good.ciphertext.slice(0, -20) },
      "of another schema": { ...good, schema_version: "2.0.0" },
      "wide key": JSON.parse(transferBlob(wide, privateKey).toString()),
    };
    for (const [what, blob] of Object.entries(blobs)) {
      const error = await failure(
        keys.importKey("baker", {
          kty: "EC-HSM",
          crv: "P-256",
          keyOps: ["sign"],
          t: Buffer.from(JSON.stringify(blob)),
        }),
      );
      expect(error, what).to.include({ statusCode: 400, code: "BadParameter" });
    }
  });

  it("deletes softly: hidden, then recoverable, then back; purged, the name is free again", async () => {
    const key = await keys.createKey("baker", "EC-HSM", { curve: "P-256" });
    const poller = await keys.beginDeleteKey("baker", { intervalInMs: 20 });
    expect(await failure(keys.getDeletedKey("baker"))).to.include({ statusCode: 404, code: "KeyNotFound" });
    const early = await failure(keys.createKey("baker", "EC-HSM"));
    expect(early).to.include({ statusCode: 409, code: "Conflict" });
    expect(inner(early)).to.deep.include({ code: "ObjectIsBeingDeleted" });
    expect((await poller.pollUntilDone()).properties.recoveryId).to.equal(`${vault.url}/deletedkeys/baker`);
    expect(await failure(keys.getKey("baker"))).to.include({ statusCode: 404, code: "KeyNotFound" });
    const taken = await failure(keys.createKey("baker", "EC-HSM"));
    expect(inner(taken)).to.deep.include({ code: "ObjectIsDeletedButRecoverable" });
    const recovered = await (await keys.beginRecoverDeletedKey("baker", { intervalInMs: 20 })).pollUntilDone();
    expect(recovered.id).to.equal(key.id);
    await (await keys.beginDeleteKey("baker", { intervalInMs: 20 })).pollUntilDone();
    await keys.purgeDeletedKey("baker");
    expect(inner(await failure(keys.createKey("baker", "EC-HSM")))).to.deep.include({ code: "ObjectIsBeingDeleted" });
    await new Promise((resolve) => setTimeout(resolve, DELETE_DELAY + 100));
    expect((await keys.createKey("baker", "EC-HSM")).id).to.not.equal(key.id);
  });
});
