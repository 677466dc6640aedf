import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { expect } from "chai";
import { openAzureKeyVaultKeyring } from "../../../../signer/keys/azure-key-vault/keyring.ts";
import { signVerified } from "../../../../signer/keys/verified-signature.ts";
import { publicKeyFromJwk } from "../../../../signer/tezos/crypto/public-key.ts";
import type { KeyVaultEmulator } from "../../../emulators/key-vault/emulator.ts";
import { vectors } from "../../../fixtures/vectors.ts";
import { logLines } from "../../../harness/log-lines.ts";
import { closeRig, type Rig, type RigOptions, SIGNER, startRig, until } from "./vault-rig.ts";

const run = promisify(execFile);
const digest = Buffer.alloc(32, 7);

/** The address of a key that the emulator made. */
function addressOf({ key }: ReturnType<KeyVaultEmulator["createKey"]>): string {
  const { crv, x, y } = key as { crv?: string; x?: string; y?: string };
  return publicKeyFromJwk({ crv, x, y }).address;
}

async function listening(server: Server): Promise<string> {
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
}

describe("Key Vault keyring", () => {
  let rig: Rig;
  const start = async (options: RigOptions = {}) => {
    rig = await startRig(options);
    return rig;
  };
  const served = () => [...rig.keyring.keys.values()].map(({ location }) => location.replace(rig.vault.url, ""));
  const messages = () => rig.lines.map(({ msg }) => String(msg));

  afterEach(async () => {
    rig.restore();
    await closeRig(rig);
  });

  it("serves P-256 as tz3 and P-256K as tz2, each under the address of its public key", async () => {
    const made: string[] = [];
    await start({ before: ({ vault }) => made.push(addressOf(vault.createKey("second", { crv: "P-256K" }))) });
    const addresses = [...rig.keyring.keys.keys()];
    expect(addresses.map((address) => address.slice(0, 3))).to.deep.equal(["tz3", "tz2"]);
    expect(addresses[1]).to.equal(made[0]);
  });

  for (const [crv, algorithm] of [
    ["P-256", "ES256"],
    ["P-256K", "ES256K"],
    ["SECP256K1", "ECDSA256"],
  ] as const) {
    it(`signs by a key whose curve is named ${crv}, which the vault does with ${algorithm} alone`, async () => {
      await start({ crv });
      expect(await signVerified(rig.key(), digest, AbortSignal.timeout(2_000))).to.have.length(64);
    });
  }

  it("gives the keys of public vectors their addresses", async () => {
    interface Vector {
      readonly pkh: string;
      readonly seed?: string;
    }
    const known: Vector[] = vectors.keys.filter(({ pkh, seed }: Vector) => seed !== undefined && /^tz[23]/.test(pkh));
    expect(known).to.not.have.length(0);
    await start({
      before: ({ vault }) => {
        for (const [index, { pkh, seed = "" }] of known.entries()) {
          const crv = pkh.startsWith("tz3") ? "P-256" : "P-256K";
          vault.createKey(`vector-${index}`, { crv, secret: Buffer.from(seed, "hex") });
        }
      },
    });
    expect([...rig.keyring.keys.keys()]).to.include.members(known.map(({ pkh }) => pkh));
  });

  it("asks the vault once for a signature", async () => {
    const { vault, key } = await start({ rediscover: 60_000 });
    vault.resetCalls();
    for (let i = 0; i < 10; i += 1) await signVerified(key(), digest, AbortSignal.timeout(2_000));
    expect(vault.calls).to.include({ sign: 10, get: 0, unauthorized: 0 });
    expect(vault.connections.open).to.equal(1);
  });

  it("pins the version: the id that signs holds it", async () => {
    await start();
    expect(served()[0]).to.match(/^\/keys\/baker\/[0-9a-f]{32}$/);
  });

  it("finds the keys of a vault of several pages, empty ones between", async () => {
    await start({
      before: ({ vault }) => {
        for (let i = 0; i < 59; i += 1) vault.createKey(`key-${i}`, { kty: "EC", crv: "P-256K" });
      },
    });
    expect(rig.keyring.keys.size).to.equal(60);
    expect(rig.vault.calls.list).to.be.at.least(5);
  });

  it("leaves out what cannot sign, with one line each that says why", async () => {
    const now = Math.floor(Date.now() / 1000);
    await start({
      before: ({ vault }) => {
        vault.createKey("rsa", { kty: "RSA" });
        vault.createKey("disabled", { enabled: false });
        vault.createKey("expired", { exp: now - 60 });
        vault.createKey("early", { nbf: now + 600 });
        vault.createKey("verifier", { ops: ["verify"] });
      },
    });
    await sleep(600); // two more looks
    expect(served()).to.have.length(1);
    const left = messages().filter((message) => message.includes("is left out"));
    expect(left.map((message) => message.replace(/at \S+$|before \S+$/, "…")).sort()).to.deep.equal([
      "key disabled is left out: it is disabled",
      "key early is left out: it is not valid …",
      "key expired is left out: it expired …",
      "key rsa is left out: it is of type RSA; a Tezos key is EC-HSM or EC",
      "key verifier is left out: its permitted operations do not include sign",
    ]);
  });

  it("misses a key that the settings name and that cannot sign, also beside others that can; where none is named, it does not", async () => {
    let include: readonly string[] = ["baker", "second"];
    const { vault, keyring } = await start({
      before: ({ vault }) => vault.createKey("second"),
      include: () => include,
    });
    expect([keyring.keys.size, keyring.problem?.()]).to.deep.equal([2, undefined]);
    vault.updateKey("second", { enabled: false });
    await until(() => keyring.keys.size === 1);
    const looks = vault.calls.list;
    await until(() => vault.calls.list >= looks + 2);
    expect(keyring.problem?.() ?? "nothing").to.match(/that cannot sign: second is left out: it is disabled\. Mend/);
    include = ["baker"];
    await until(() => keyring.problem?.() === undefined);
    const all = await openAzureKeyVaultKeyring({
      ...{ vault: vault.url, credential: "managed-identity", clientId: SIGNER.clientId, logger: logLines().log },
      include: () => "all",
    });
    expect([all.keys.size, all.problem?.()]).to.deep.equal([1, undefined]);
    await all.close();
  });

  it("serves the newest enabled version where the current one is disabled", async () => {
    const versions: string[] = [];
    await start({
      include: ["many"],
      before: async ({ vault }) => {
        versions.push(vault.createKey("many").key.kid);
        await sleep(1_100); // the service's times are whole seconds
        versions.push(vault.createKey("many").key.kid);
        vault.createKey("many", { enabled: false });
      },
    });
    expect([...rig.keyring.keys.values()].map(({ location }) => location)).to.deep.equal([versions[1]]);
  });

  it("serves the named keys and versions alone", async () => {
    let old = "";
    const { vault } = await start({
      before: ({ vault }) => {
        old = vault.createKey("other").key.kid.split("/").at(-1) ?? "";
        vault.createKey("other");
        vault.createKey("third");
      },
      include: ["baker"],
    });
    expect(served()).to.have.length(1);
    const again = await openAzureKeyVaultKeyring({
      ...{ vault: vault.url, credential: "managed-identity", clientId: SIGNER.clientId, logger: logLines().log },
      include: () => ["third", `other/${old}`],
    });
    const locations = [...again.keys.values()].map(({ location }) => location.replace(vault.url, ""));
    expect(locations.map((location) => location.slice(0, 38))).to.include(`/keys/other/${old}`.slice(0, 38));
    expect(locations).to.have.length(2);
    await again.close();
  });

  it("serves another list of keys as soon as the settings have it", async () => {
    let include: readonly string[] = ["baker"];
    const { vault, keyring } = await start({
      before: ({ vault }) => vault.createKey("other"),
      include: () => include,
    });
    const other = addressOf(vault.createKey("third"));
    expect(keyring.keys.size).to.equal(1);
    include = ["third"];
    await until(() => keyring.keys.has(other) && keyring.keys.size === 1);
  });

  it("hides no key behind one that cannot be read, and says which", async () => {
    await start({
      before: ({ vault }) => {
        vault.createKey("another");
        // "another" comes before "baker"; its key is asked for first.
        vault.faults.script([{ kind: "status", status: 400, on: "get" }]);
      },
      rediscover: 60_000,
    });
    expect(served().map((path) => path.split("/")[2])).to.deep.equal(["baker"]);
    expect(rig.keyring.problem?.()).to.match(/did not show every key\. another: It answered 400/);
    expect(rig.keyring.unseen?.()).to.equal(rig.keyring.problem?.());
    await until(() => rig.keyring.keys.size === 2);
    expect(rig.keyring.problem?.()).to.equal(undefined);
    expect(rig.keyring.unseen?.()).to.equal(undefined);
  });

  it("serves a new key without a restart", async () => {
    const { vault, keyring } = await start();
    const address = addressOf(vault.createKey("new", { crv: "P-256K" }));
    await until(() => keyring.keys.has(address));
  });

  it("looks again when a key is missed, not more often than every so often", async () => {
    const { vault, keyring } = await start({ rediscover: 60_000 });
    await sleep(120);
    const address = addressOf(vault.createKey("new"));
    vault.resetCalls();
    for (let i = 0; i < 50; i += 1) keyring.refresh?.();
    await until(() => keyring.keys.has(address));
    expect(vault.calls.list).to.equal(1);
  });

  it("asks for one list a look while nothing changes", async () => {
    const { vault } = await start({ before: ({ vault }) => vault.updateKey("baker", { updated: 1_700_000_000 }) });
    await until(() => vault.calls.list > 1);
    vault.resetCalls();
    await until(() => vault.calls.list > 2);
    expect(vault.calls.get).to.equal(0);
  });

  it("keeps its keys while the vault cannot be asked, and while a look fails", async () => {
    const { vault, keyring } = await start();
    await vault.goAway();
    await sleep(600);
    expect(keyring.keys.size).to.equal(1);
    await vault.comeBack();
    vault.faults.rate([{ kind: "status", status: 403, on: "list", rate: 1 }]);
    await sleep(600);
    expect(keyring.keys.size).to.equal(1);
  });

  for (const status of [400, 403, 429, 500, 503]) {
    it(`keeps the newest and the rotated version of a key while reading either fails with ${status}`, async () => {
      const { vault, keyring } = await start({ discovery: 300 });
      vault.createKey("baker");
      await until(() => keyring.keys.size === 2);
      const addresses = [...keyring.keys.keys()];
      const both = () =>
        Promise.all([...keyring.keys.values()].map((key) => signVerified(key, digest, AbortSignal.timeout(5_000))));
      await both();
      vault.faults.rate([{ kind: "status", status, on: "get", rate: 1 }]);
      const { get } = vault.calls;
      await until(() => keyring.problem?.()?.includes("did not show every key") === true && vault.calls.get > get + 3);
      expect([...keyring.keys.keys()]).to.deep.equal(addresses);
      expect(await both()).to.have.length(2);
    });
  }

  it("stops serving a key that is disabled, and serves it again once it is enabled", async () => {
    const { vault, keyring } = await start();
    vault.updateKey("baker", { enabled: false });
    await until(() => keyring.keys.size === 0);
    expect(messages()).to.include("key is no longer served: it is disabled");
    expect(keyring.problem?.()).to.match(/has no key that can sign; baker is left out: it is disabled$/);
    vault.updateKey("baker", { enabled: true });
    await until(() => keyring.keys.size === 1);
  });

  it("signs again with a key whose expiry was put off, without a restart", async () => {
    const soon = Math.floor(Date.now() / 1000) + 4;
    const { vault, key } = await start({
      before: ({ vault }) => vault.updateKey("baker", { exp: soon }),
      rediscover: 60_000,
    });
    const signing = key();
    await sleep(Math.max(0, soon * 1_000 - Date.now()) + 100);
    const late = await signVerified(signing, digest, AbortSignal.timeout(2_000)).catch((error: Error) => error.message);
    expect(late).to.contain("It answered 403 KeyExpired");
    vault.updateKey("baker", { exp: soon + 3_600 });
    expect(await signVerified(signing, digest, AbortSignal.timeout(2_000))).to.have.length(64);
  });

  it("goes on with both versions of a rotated key; a restart finds the newest, or the one that is named", async () => {
    const { vault, keyring } = await start();
    const before = rig.key();
    const after = addressOf(vault.createKey("baker"));
    await until(() => keyring.keys.size === 2);
    expect(await signVerified(before, digest, AbortSignal.timeout(2_000))).to.have.length(64);
    const reopen = async (include: "all" | string[]) => {
      const options = { vault: vault.url, credential: "managed-identity", clientId: SIGNER.clientId } as const;
      const again = await openAzureKeyVaultKeyring({ ...options, include: () => include, logger: logLines().log });
      const addresses = [...again.keys.keys()];
      await again.close();
      return addresses;
    };
    expect(await reopen("all")).to.deep.equal([after]);
    const version = before.location.split("/").at(-1);
    expect(await reopen(["baker", `baker/${version}`])).to.have.members([before.publicKey.address, after]);
    vault.updateKey("baker", { enabled: false }, version);
    await until(() => !keyring.keys.has(before.publicKey.address));
    expect(keyring.keys.has(after)).to.equal(true);
  });

  it("shows which watermark store guards a key, from its tag, also when the tag comes later", async () => {
    const { vault, keyring } = await start({
      before: ({ vault }) => vault.createKey("tagged", { tags: { "tezos-signer-watermarks": "5f0c" } }),
    });
    const stores = () => [...keyring.keys.values()].map(({ boundStoreId }) => boundStoreId);
    expect(stores()).to.deep.equal([undefined, "5f0c"]);
    const { publicKey } = rig.key();
    vault.updateKey("baker", { tags: { "tezos-signer-watermarks": "77aa" }, updated: Math.floor(Date.now() / 1000) });
    await until(() => stores()[0] === "77aa" || stores()[1] === "77aa");
    expect([...keyring.keys.values()].some((key) => key.publicKey === publicKey)).to.equal(true);
  });

  it("opens without keys when the vault is away, says why, and serves them when it is there", async () => {
    const { vault, keyring } = await start({ before: ({ vault }) => vault.goAway(), startupTimeout: 200 });
    expect(keyring.keys.size).to.equal(0);
    expect(keyring.unseen?.()).to.be.a("string").and.equal(keyring.problem?.());
    await vault.comeBack();
    await until(() => keyring.keys.size === 1);
    expect(keyring.problem?.()).to.equal(undefined);
    expect(keyring.unseen?.()).to.equal(undefined);
  });

  it("names what is missing when the identity is not on the machine", async () => {
    await start({
      before: ({ imds }) => imds.faults.rate([{ kind: "status", status: 400, rate: 1 }]),
      startupTimeout: 300,
    });
    expect(rig.logged("token")[0]).to.include({
      remedy: "Check that this machine has the managed identity of the settings' clientId.",
    });
  });

  it("names the missing permission to list", async () => {
    await start({ before: ({ vault }) => vault.policies.grant(SIGNER.objectId, ["get", "sign"]), startupTimeout: 300 });
    expect(rig.keyring.problem?.()).to.match(
      /403 ForbiddenByPolicy .* Give the signer's identity the key permissions get, list and sign/,
    );
  });

  it("takes the default credential of @azure/identity too", async () => {
    const { vault, imds, key } = await start();
    const script = join(import.meta.dirname, "open-keyring.ts");
    const env = { ...process.env, AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.url };
    const { stdout } = await run(process.execPath, [script, vault.url, SIGNER.clientId], { env });
    expect(stdout.trim()).to.equal(key().publicKey.address);
  });

  it("keeps the process alive while IMDS and the vault are away", async () => {
    const { vault, imds, key } = await start();
    const script = join(import.meta.dirname, "open-keyring.ts");
    const env = { ...process.env, AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.url };
    await Promise.all([vault.goAway(), imds.goAway()]);
    const running = run(process.execPath, [script, vault.url, SIGNER.clientId, "managed-identity"], { env });
    await sleep(700);
    await Promise.all([vault.comeBack(), imds.comeBack()]);
    expect((await running).stdout.trim()).to.equal(key().publicKey.address);
  });

  it("refuses a vault in the clear that is not on this computer", async () => {
    await start();
    const options = { include: () => "all" as const, credential: "managed-identity", logger: logLines().log } as const;
    const error = await openAzureKeyVaultKeyring({ ...options, vault: "http://vault.example" }).catch((each) => each);
    expect(String(error)).to.contain("must be https");
  });

  it("sends its token to the vault alone: no redirection and no next page leads elsewhere", async () => {
    const { imds } = await start();
    const asked: (string | undefined)[] = [];
    const stranger = createServer((request, response) => {
      asked.push(request.headers.authorization);
      response.end("{}");
    });
    const elsewhere = await listening(stranger);
    let redirect = false;
    const crooked = createServer((_request, response) => {
      if (redirect) response.writeHead(307, { Location: `${elsewhere}/keys` }).end();
      else response.end(JSON.stringify({ value: [], nextLink: `${elsewhere}/keys?api-version=7.4` }));
    });
    const vault = await listening(crooked);
    const options = {
      vault,
      include: () => "all" as const,
      credential: "managed-identity",
      clientId: SIGNER.clientId,
    } as const;
    for (redirect of [false, true]) {
      const keyring = await openAzureKeyVaultKeyring({
        ...options,
        logger: logLines().log,
        times: { startupTimeout: 300 },
      });
      expect(keyring.problem?.()).to.be.a("string");
      await keyring.close();
    }
    expect(imds.calls.token).to.equal(3);
    expect(asked).to.deep.equal([]);
    await Promise.all([stranger, crooked].map((server) => promisify(server.close.bind(server))()));
  });

  it("writes no token and no signature, whatever fails, and a flood of one fault as one line", async () => {
    const { vault, key, lines, imds } = await start();
    const kinds = [
      "reset",
      "truncate-body",
      "empty-body",
      "foreign-body",
      "unauthorized",
      "claims",
      "wrong-signature",
    ] as const;
    vault.faults.rate(kinds.map((kind) => ({ kind, on: "sign", rate: 0.1 })));
    await Promise.all(
      Array.from({ length: 200 }, () => signVerified(key(), digest, AbortSignal.timeout(3_000)).catch(() => undefined)),
    );
    const { token } = imds.tokens.issue(SIGNER, "https://vault.azure.net", 60);
    const log = JSON.stringify(lines);
    expect(log).to.not.contain(token.split(".")[0]);
    expect(log).to.not.match(/[\w-]{80,}/);
    expect(lines.filter(({ fault }) => fault === "connection")).to.have.length(1);
    expect(lines.length).to.be.below(10);
  });
});
