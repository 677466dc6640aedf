import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type Connect, explain } from "../../../../signer/cli/ceremony/vault-access.ts";
import { EXIT_CODES } from "../../../../signer/cli/exit-codes.ts";
import { keysCommand } from "../../../../signer/cli/keys/index.ts";
import { parseKek, wrapKey } from "../../../../signer/key-files/byok.ts";
import { encryptPem } from "../../../../signer/key-files/pem.ts";
import { PrivateKey } from "../../../../signer/key-files/private-key.ts";
import { publicKeyFromJwk } from "../../../../signer/tezos/crypto/public-key.ts";
import { Imds } from "../../../emulators/imds/imds.ts";
import type { KeyVaultEmulator } from "../../../emulators/key-vault/emulator.ts";
import type { TokenAuthority } from "../../../emulators/key-vault/tokens.ts";
import { atTerminal, type Outcome } from "../../../harness/fake-terminal.ts";
import {
  connectAs,
  MACHINE,
  OPERATOR,
  OPERATOR_PERMISSIONS,
  startOperatorVault,
} from "../../../harness/operator-vault.ts";
import type { Answer } from "../../../harness/pseudo-terminal.ts";

const STORE = "5f0c2a9e17d34b68";
const passphrase = "correct horse battery staple";
const code = (name: keyof typeof EXIT_CODES) => EXIT_CODES[name].code;

type Answers = readonly (readonly [RegExp, Answer])[];

/** Prose without its line breaks. */
const prose = (text: string) => text.replaceAll(/\s+/g, " ");

describe("keys commands at a vault", () => {
  let directory: string;
  let vault: KeyVaultEmulator;
  let asOperator: Connect;
  let tokens: TokenAuthority;
  let key: PrivateKey;
  let blob: string;
  const at = (name: string) => join(directory, name);

  const runAs = (connect: Connect, args: readonly string[], answers: Answers = []): Promise<Outcome> =>
    atTerminal((io) => keysCommand(io, connect), args, answers);
  const run = (args: readonly string[], answers: Answers = []) => runAs(asOperator, args, answers);
  const importAnswers = (history: "new" | "elsewhere" = "new"): Answers => [
    [/on the paper\? \[y\/N\] $/, "y"],
    [/"elsewhere" if it did: $/, history],
  ];
  const importing = (...more: string[]) => ["import", blob, "--vault", vault.url, "--name", "baker", ...more];

  /** The names that the vault lists, with the tag of each. */
  async function content(): Promise<Record<string, string | undefined>> {
    const found: Record<string, string | undefined> = {};
    for await (const { name, tags } of (await asOperator(vault.url)).listPropertiesOfKeys()) {
      found[name] = tags?.["tezos-signer-watermarks"] ?? "";
    }
    return found;
  }

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "tezos-signer-vault-"));
    ({ vault, tokens } = await startOperatorVault());
    asOperator = connectAs(OPERATOR, tokens);
    vault.createKey("import-kek", { kty: "RSA-HSM", ops: ["import"] });
    await run(["kek", "show", "--vault", vault.url, "--out", at("kek.json")]);
    key = PrivateKey.generate("P-256");
    blob = at("key.byok");
    writeFileSync(blob, wrapKey(key, parseKek(readFileSync(at("kek.json"), "utf8"))));
  });
  afterEach(async () => {
    await vault.stop();
    rmSync(directory, { recursive: true });
  });

  describe("import", () => {
    it("binds a new key to its store, for signing alone", async () => {
      const outcome = await run(importing("--store", STORE), importAnswers());
      expect(outcome.code, outcome.stderr).to.equal(0);
      const stored = await (await asOperator(vault.url)).getKey("baker");
      expect(stored.keyType).to.equal("EC-HSM");
      expect(stored.keyOperations).to.deep.equal(["sign"]);
      expect(stored.properties.tags).to.deep.equal({ "tezos-signer-watermarks": STORE });
    });

    it("leaves a key that signed elsewhere unbound, whatever store is named", async () => {
      const outcome = await run(importing("--store", STORE), importAnswers("elsewhere"));
      expect(outcome.code, outcome.stderr).to.equal(0);
      expect(outcome.stderr).to.include("keys bind");
      expect((await content()).baker).to.equal("unbound");
    });

    it("leaves a key unbound when no store is named", async () => {
      expect((await run(importing(), importAnswers())).code).to.equal(0);
      expect((await content()).baker).to.equal("unbound");
    });

    it("takes a key that the vault holds already for one that is not new, names it, and leaves it unbound", async () => {
      await run(importing("--store", STORE), importAnswers());
      const again = ["import", blob, "--vault", vault.url, "--name", "again", "--store", STORE];
      const outcome = await run(again, importAnswers("new"));
      expect(outcome.code, outcome.stderr).to.equal(0);
      expect(prose(outcome.stderr)).to.match(/holds this key already.*\/keys\/baker\/[0-9a-f]{32}: 5f0c2a9e17d34b68/);
      expect(await content()).to.include({ baker: STORE, again: "unbound" });
    });

    it("imports nothing when the address is not the one on the paper", async () => {
      const outcome = await run(importing(), [[/on the paper\? \[y\/N\] $/, "n"]]);
      expect(outcome.code).to.equal(code("declined"));
      expect(await content()).to.have.all.keys("import-kek");
    });

    it("asks for the address of a blob of another tool, and compares it", async () => {
      const { generator, ...rest } = JSON.parse(readFileSync(blob, "utf8"));
      writeFileSync(blob, JSON.stringify({ ...rest, generator: "another tool" }));
      const outcome = await run(importing(), [[/from the paper: $/, key.publicKey.address], ...importAnswers()]);
      expect(outcome.code, outcome.stderr).to.equal(0);
      expect(generator).to.include(key.publicKey.address);
    });

    it("switches off a key whose address is another than the paper's", async () => {
      using other = PrivateKey.generate("P-256");
      writeFileSync(blob, readFileSync(blob, "utf8").replace(key.publicKey.address, other.publicKey.address));
      const outcome = await run(importing("--store", STORE), importAnswers());
      expect(outcome.code).to.equal(code("mismatch"));
      expect(prose(outcome.stderr)).to.include("It was disabled").and.include(key.publicKey.address);
      expect((await content()).baker).to.equal("unbound");
      expect((await (await asOperator(vault.url)).getKey("baker")).properties.enabled).to.equal(false);
    });

    it("says that the key is in the vault when only what followed failed", async () => {
      vault.policies.grant(
        OPERATOR.objectId,
        OPERATOR_PERMISSIONS.filter((permission) => permission !== "update"),
      );
      const outcome = await run(importing("--store", STORE), importAnswers());
      expect(outcome.code).to.equal(code("refused"));
      expect(prose(outcome.stderr)).to.include("was imported as baker, but no signer uses it yet");
      expect(prose(outcome.stderr)).to.include("keys update").and.include("keys bind");
      expect((await content()).baker).to.equal("unbound");
    });

    it("refuses a key of another curve than its address says", async () => {
      using other = PrivateKey.generate("P-256K");
      writeFileSync(blob, readFileSync(blob, "utf8").replace(key.publicKey.address, other.publicKey.address));
      const outcome = await run(importing("--store", STORE), importAnswers());
      expect(outcome.code).to.equal(code("unusable"));
      expect(prose(outcome.stderr)).to.include("another curve").and.include("Nothing was imported");
      expect(await content()).to.have.all.keys("import-kek");
    });

    it("refuses a name that is taken, before anything is asked", async () => {
      vault.createKey("baker");
      const outcome = await run(importing(), []);
      expect(outcome.code).to.equal(code("exists"));
      expect(prose(outcome.stderr)).to.include("has a key baker already");
    });

    it("refuses a name that a deleted key still holds", async () => {
      vault.createKey("baker");
      vault.deleteKey("baker");
      await new Promise((resolve) => setTimeout(resolve, 100));
      const outcome = await run(importing(), importAnswers());
      expect(outcome.code).to.equal(code("exists"));
      expect(prose(outcome.stderr)).to.include("deleted key").and.include("az keyvault key recover");
      expect(await content()).to.have.all.keys("import-kek");
    });

    it("refuses a blob for another vault, naming both", async () => {
      writeFileSync(blob, readFileSync(blob, "utf8").replace(vault.url, "https://other.vault.azure.net"));
      const outcome = await run(importing(), []);
      expect(outcome.code).to.equal(code("mismatch"));
      expect(prose(outcome.stderr)).to.include("other.vault.azure.net").and.include("Nothing was imported");
    });

    it("refuses a blob for a KEK that the vault no longer has", async () => {
      vault.deleteKey("import-kek");
      const outcome = await run(importing(), []);
      expect(outcome.code).to.equal(code("mismatch"));
      expect(prose(outcome.stderr)).to.include("no longer has");
    });

    it("refuses a blob that another KEK wrapped, though it names ours", async () => {
      const { vault: elsewhere, tokens: others } = await startOperatorVault();
      elsewhere.createKey("import-kek", { kty: "RSA-HSM", ops: ["import"] });
      await runAs(connectAs(OPERATOR, others), ["kek", "show", "--vault", elsewhere.url, "--out", at("other.json")]);
      await elsewhere.stop();
      const foreign = JSON.parse(wrapKey(key, parseKek(readFileSync(at("other.json"), "utf8"))));
      const { kid } = JSON.parse(readFileSync(at("kek.json"), "utf8"));
      writeFileSync(blob, JSON.stringify({ ...foreign, header: { ...foreign.header, kid } }));
      const outcome = await run(importing(), importAnswers());
      expect(outcome.code).to.equal(code("unusable"));
      expect(prose(outcome.stderr)).to.include("wrapped for another KEK").and.include("Nothing was imported");
      expect(await content()).to.have.all.keys("import-kek");
    });

    it("refuses a blob that was cut short, before anything is asked", async () => {
      const whole = readFileSync(blob, "utf8");
      const cut = JSON.parse(whole);
      for (const text of [whole.slice(0, 400), JSON.stringify({ ...cut, ciphertext: cut.ciphertext.slice(0, 300) })]) {
        writeFileSync(blob, text);
        const outcome = await run(importing(), []);
        expect(outcome.code).to.equal(code("unusable"));
        expect(prose(outcome.stderr)).to.include("Copy it again from the drive");
      }
      expect(await content()).to.have.all.keys("import-kek");
    });

    it("tells which address the firewall shuts out, and how to let it in", async () => {
      vault.firewall.allow(["203.0.113.7/32"]);
      const outcome = await run(importing(), []);
      expect(outcome.code).to.equal(code("refused"));
      expect(outcome.stderr).to.include("pulumi config set --path keyImporter.ip 127.0.0.1");
      vault.firewall.open();
      expect(await content()).to.have.all.keys("import-kek");
    });

    it("tells which permission is missing, and how to give it", async () => {
      vault.policies.grant(
        OPERATOR.objectId,
        OPERATOR_PERMISSIONS.filter((permission) => permission !== "import"),
      );
      const outcome = await run(importing(), importAnswers());
      expect(outcome.code).to.equal(code("refused"));
      expect(prose(outcome.stderr))
        .to.include('lacks the permission "keys import"')
        .and.include("keyImporter.objectId");
      expect(await content()).to.have.all.keys("import-kek");
    });

    it("tells that the vault was not reached", async () => {
      await vault.goAway();
      const outcome = await run(importing(), []);
      expect(outcome.code).to.equal(code("unavailable"));
      expect(outcome.stderr).to.include("was not reached");
    });

    it("says that the outcome is not known when the vault hangs up during the import", async () => {
      vault.faults.script([{ kind: "reset", on: "import" }]);
      const outcome = await run(importing(), importAnswers());
      expect(outcome.code).to.equal(code("unavailable"));
      expect(prose(outcome.stderr)).to.include("is not known").and.include("keys list");
    });

    it("takes a key file without wrapping only by the flag that accepts it", async () => {
      writeFileSync(at("key.pem"), await encryptPem(key, Buffer.from(passphrase)));
      const args = ["import", "--pem", at("key.pem"), "--vault", vault.url, "--name", "baker", "--store", STORE];
      const refused = await run(args, []);
      expect(refused.code).to.equal(code("usage"));
      expect(prose(refused.stderr)).to.include("add --expose-key");
      expect(await content()).to.have.all.keys("import-kek");
      const accepted = await run(
        [...args, "--expose-key"],
        [[/typed from the paper: $/, passphrase], ...importAnswers()],
      );
      expect(accepted.code, accepted.stderr).to.equal(0);
      expect(accepted.stderr).to.include("WARNING");
      const stored = await (await asOperator(vault.url)).getKey("baker");
      expect([stored.keyType, stored.keyOperations]).to.deep.equal(["EC-HSM", ["sign"]]);
    });
  });

  describe("kek", () => {
    it("makes a key of 4096 bits for importing alone, and writes its public half", async () => {
      const outcome = await run(["kek", "create", "--vault", vault.url, "--name", "kek2", "--out", at("kek2.json")]);
      expect(outcome.code, outcome.stderr).to.equal(0);
      const kek = parseKek(readFileSync(at("kek2.json"), "utf8"));
      expect(kek.bytes).to.equal(512);
      expect(outcome.stdout).to.include(kek.fingerprint);
    });

    it("makes no key whose file could not be written", async () => {
      const outcome = await run(["kek", "create", "--vault", vault.url, "--name", "kek2", "--out", at("kek.json")]);
      expect(outcome.code).to.equal(code("exists"));
      expect(await content()).to.have.all.keys("import-kek");
    });

    it("makes no second version of one that is there", async () => {
      const outcome = await run(["kek", "create", "--vault", vault.url, "--out", at("kek2.json")]);
      expect(outcome.code).to.equal(code("exists"));
      expect(prose(outcome.stderr)).to.include("keys kek show");
    });

    it("refuses to show a key that may do more than import", async () => {
      vault.createKey("loose", { kty: "RSA-HSM", ops: ["decrypt"] });
      const outcome = await run(["kek", "show", "--vault", vault.url, "--name", "loose", "--out", at("loose.json")]);
      expect(outcome.code).to.equal(code("unusable"));
    });

    it("names a key that is not there", async () => {
      const outcome = await run(["kek", "show", "--vault", vault.url, "--name", "absent"]);
      expect(outcome.code).to.equal(code("not-found"));
      expect(outcome.stderr).to.include("absent").and.include("keys list");
    });
  });

  describe("bind", () => {
    const binding = () => ["bind", "--vault", vault.url, "--name", "baker", "--store", STORE];
    const answers = (address: string): Answers => [
      [/stopped for good\? \[y\/N\] $/, "y"],
      [/or did it never sign\? \[y\/N\] $/, "y"],
      [/characters of the address: $/, address.slice(-6)],
    ];

    beforeEach(async () => {
      await run(importing(), importAnswers("elsewhere"));
    });

    it("names the store after both questions and the address, and keeps the other tags", async () => {
      vault.updateKey("baker", { tags: { "tezos-signer-watermarks": "unbound", owner: "me" } });
      const outcome = await run(binding(), answers(key.publicKey.address));
      expect(outcome.code, outcome.stderr).to.equal(0);
      const { tags } = (await (await asOperator(vault.url)).getKey("baker")).properties;
      expect(tags).to.deep.equal({ "tezos-signer-watermarks": STORE, owner: "me" });
    });

    it("changes nothing on any other answer", async () => {
      for (const wrong of [0, 1, 2]) {
        const given = answers(key.publicKey.address).map(
          ([prompt, answer], index) => [prompt, index === wrong ? "no" : answer] as const,
        );
        const outcome = await run(binding(), given);
        expect(outcome.code).to.equal(code("declined"));
        expect(outcome.stderr).to.include("Nothing was changed");
        expect((await content()).baker).to.equal("unbound");
      }
    });

    const secret = Buffer.alloc(32, 5);
    const tagged = (storeId: string) => ({ secret, tags: { "tezos-signer-watermarks": storeId, owner: storeId } });
    /** The store's tag and another one of every version, by name. */
    async function tags(): Promise<string[]> {
      const client = await asOperator(vault.url);
      const found: string[] = [];
      for (const name of ["copy", "old"]) {
        for await (const { tags: each } of client.listPropertiesOfKeyVersions(name))
          found.push(`${name} ${each?.["tezos-signer-watermarks"]} ${each?.owner}`);
      }
      return found.sort();
    }
    /** A key under two names, as an old version of one of them; all of them disagree. */
    function scattered(): string {
      const { key: made } = vault.createKey("copy", tagged("S1"));
      vault.createKey("old", { ...tagged("S2"), enabled: false });
      vault.createKey("old", { tags: { owner: "another key" } });
      const { crv, x, y } = made as { crv?: string; x?: string; y?: string };
      return publicKeyFromJwk({ crv, x, y }).address;
    }
    const bindingCopy = () => ["bind", "--vault", vault.url, "--name", "copy", "--store", STORE];

    it("binds every version of the key, under whatever name, and no other key", async () => {
      const address = scattered();
      const outcome = await run(bindingCopy(), answers(address));
      expect(outcome.code, outcome.stderr).to.equal(0);
      expect(prose(outcome.stderr)).to.match(
        /holds it 2 times.*\/copy\/\w+: The store S1.*\/old\/\w+ \(disabled\): The store S2/,
      );
      expect(await tags()).to.deep.equal([`copy ${STORE} S1`, `old ${STORE} S2`, "old undefined another key"]);
      expect((await run(bindingCopy(), [])).stderr).to.include("already");
    });

    it("says how many versions are not bound yet when it is cut short, and binds the rest the next time", async () => {
      const address = scattered();
      vault.faults.script([{ kind: "status", status: 403, on: "update", key: "old" }]);
      const outcome = await run(bindingCopy(), answers(address));
      expect(outcome.code).to.equal(code("refused"));
      expect(prose(outcome.stderr)).to.include("1 of the key's versions is not bound yet").and.include("again");
      expect(await tags())
        .to.include(`copy ${STORE} S1`)
        .and.include("old S2 S2");
      expect((await run(bindingCopy(), answers(address))).code).to.equal(0);
      expect(await tags()).to.include(`old ${STORE} S2`);
    });

    it("names what cannot be read, which may be the same key", async () => {
      const address = scattered();
      vault.showDisabledKeys(false);
      const outcome = await run(bindingCopy(), answers(address));
      expect(outcome.code, outcome.stderr).to.equal(0);
      expect(prose(outcome.stderr)).to.match(/not known whether these are the same key.*\/keys\/old\/[0-9a-f]{32}/);
      expect(await tags()).to.include("old S2 S2");
    });

    it("asks nothing of a key that is bound to that store already", async () => {
      vault.updateKey("baker", { tags: { "tezos-signer-watermarks": STORE } });
      const outcome = await run(binding(), []);
      expect(outcome.code).to.equal(0);
      expect(outcome.stderr).to.include("already");
    });
  });

  describe("list", () => {
    it("shows address, id, curve, protection, operations, tags, store and attestation of each Tezos key", async () => {
      vault.createKey("soft", { kty: "EC", crv: "P-256K", tags: { owner: "me" } });
      await run(importing("--store", STORE), importAnswers());
      const outcome = await run(["list", "--vault", vault.url]);
      expect(outcome.code, outcome.stderr).to.equal(0);
      const [hsm = "", soft = ""] = outcome.stdout.split("\n\n");
      expect(hsm).to.include(key.publicKey.address).and.include(`/keys/baker/`).and.include(STORE);
      expect(hsm).to.match(/protection +HSM, FIPS 140-3 level 3/);
      expect(hsm).to.match(/attestation +given/);
      expect(soft)
        .to.match(/^tz2/)
        .and.match(/protection +software/)
        .and.match(/tag owner +me/);
      expect(soft)
        .to.match(/watermark store +not named/)
        .and.match(/attestation +not given/);
      expect(outcome.stdout).not.to.include("import-kek");
      const { keys, conflicts } = JSON.parse((await run(["list", "--vault", vault.url, "--json"])).stdout);
      expect(conflicts).to.deep.equal([]);
      expect(keys).to.have.length(2);
      expect(keys[0]).to.include({
        name: "baker",
        address: key.publicKey.address,
        enabled: true,
        watermarkStore: STORE,
      });
      expect(keys[1]).to.deep.include({ name: "soft", watermarkStore: null, otherTags: { owner: "me" } });
    });

    it("warns of a key that names several stores, and of none that names one", async () => {
      const secret = Buffer.alloc(32, 5);
      vault.createKey("one", { secret, tags: { "tezos-signer-watermarks": "S1" } });
      vault.createKey("two", { secret, tags: { "tezos-signer-watermarks": "S1" } });
      vault.createKey("three", { tags: { "tezos-signer-watermarks": "S2" } });
      expect((await run(["list", "--vault", vault.url])).stderr).to.equal("");
      vault.createKey("two", { secret, tags: { "tezos-signer-watermarks": "S2" } });
      const { stderr, code: exit } = await run(["list", "--vault", vault.url]);
      expect(exit).to.equal(0);
      expect(prose(stderr)).to.match(
        /WARNING: The vault holds the key tz3\w+ more than once.*names S1.*names S2.*keys bind/,
      );
      expect(stderr).not.to.include("/three/");
    });

    it("shows the name of a curve that is not its usual one", async () => {
      vault.createKey("imported", { crv: "SECP256K1" });
      expect((await run(["list", "--vault", vault.url])).stdout).to.match(/curve +P-256K, named SECP256K1\n/);
    });

    it("says so when there is none", async () => {
      const outcome = await run(["list", "--vault", vault.url]);
      expect(outcome.code).to.equal(0);
      expect(outcome.stderr).to.include("has no Tezos key");
    });
  });

  describe("drill", () => {
    let imds: Imds;
    const verifying = (signature: string) => [
      ...["drill", "verify", "--vault", vault.url, "--name", "baker"],
      ...["--signature", signature],
    ];
    async function offlineSignature(signer: PrivateKey): Promise<string> {
      writeFileSync(at("drill.pem"), await encryptPem(signer, Buffer.from(passphrase)));
      const outcome = await run(["drill", "sign", at("drill.pem")], [[/from the paper: $/, passphrase]]);
      return outcome.stdout.trim();
    }

    beforeEach(async () => {
      await run(importing(), importAnswers());
      imds = await Imds.start({ tokens, identities: [MACHINE] });
      process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST = imds.url;
    });
    afterEach(async () => {
      delete process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST;
      await imds.stop();
    });

    it("finds that the backup is the key in the vault", async () => {
      const outcome = await run(verifying(await offlineSignature(key)));
      expect(outcome.code, outcome.stderr).to.equal(0);
      expect(outcome.stdout).to.include(key.publicKey.address);
    });

    it("finds that another key's backup is not", async () => {
      using other = PrivateKey.generate("P-256");
      const outcome = await run(verifying(await offlineSignature(other)));
      expect(outcome.code).to.equal(code("mismatch"));
      expect(prose(outcome.stderr)).to.include("you have no backup of this key");
    });

    it("sends whoever may not sign to the machine", async () => {
      vault.policies.grant(MACHINE.objectId, ["get", "list"]);
      const outcome = await run(verifying(await offlineSignature(key)));
      expect(outcome.code).to.equal(code("unavailable"));
      expect(prose(outcome.stderr)).to.include("Only the signer's machine may sign");
    });

    it("says so when the vault has no such key", async () => {
      vault.deleteKey("baker");
      const outcome = await run(verifying(await offlineSignature(key)));
      expect(outcome.code).to.equal(code("unavailable"));
      expect(prose(outcome.stderr)).to.include("no key to compare with");
    });

    it("says of a mistyped signature that it is", async () => {
      expect((await run(verifying("p2sigmistyped"))).code).to.equal(code("unusable"));
    });
  });
});

describe("errors of a vault", () => {
  const task = { vault: "https://example.vault.azure.net", permission: "get", name: "baker" } as const;
  const failure = (error: object) => explain(task, Object.assign(new Error("said the service"), error));

  it("a missing sign-in is answered by az login", () => {
    const { exit, message } = failure({ name: "CredentialUnavailableError" });
    expect(exit).to.equal("not-signed-in");
    expect(message).to.include("az login");
  });

  for (const [status, exit] of [
    [401, "not-signed-in"],
    [429, "unavailable"],
    [500, "unavailable"],
    [503, "unavailable"],
    [418, "failed"],
  ] as const) {
    it(`status ${status} ends as ${exit}`, () => {
      expect(failure({ statusCode: status }).exit).to.equal(exit);
    });
  }
});
