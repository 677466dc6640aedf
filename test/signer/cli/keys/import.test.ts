import { readFileSync, writeFileSync } from "node:fs";
import { expect } from "chai";
import { parseKek, wrapKey } from "../../../../signer/key-files/byok.ts";
import { encryptPem } from "../../../../signer/key-files/pem.ts";
import { PrivateKey } from "../../../../signer/key-files/private-key.ts";
import { exitCode, importAnswers, KeysPlace, prose, STORE } from "../../../harness/keys-place.ts";
import { connectAs, OPERATOR, OPERATOR_PERMISSIONS, startOperatorVault } from "../../../harness/operator-vault.ts";

const passphrase = "correct horse battery staple";

describe("keys import", () => {
  let place: KeysPlace;
  beforeEach(async () => {
    place = await KeysPlace.start();
  });
  afterEach(() => place[Symbol.asyncDispose]());

  it("binds a new key to its store, for signing alone", async () => {
    const outcome = await place.run(place.importing("--store", STORE), importAnswers());
    expect(outcome.code, outcome.stderr).to.equal(0);
    const stored = await (await place.asOperator(place.vault.url)).getKey("baker");
    expect(stored.keyType).to.equal("EC-HSM");
    expect(stored.keyOperations).to.deep.equal(["sign"]);
    expect(stored.properties.tags).to.deep.equal({ "tezos-signer-watermarks": STORE });
  });

  it("leaves a key that signed elsewhere unbound, whatever store is named", async () => {
    const outcome = await place.run(place.importing("--store", STORE), importAnswers("elsewhere"));
    expect(outcome.code, outcome.stderr).to.equal(0);
    expect(outcome.stderr).to.include("keys bind");
    expect((await place.content()).baker).to.equal("unbound");
  });

  it("leaves a key unbound when no store is named", async () => {
    expect((await place.run(place.importing(), importAnswers())).code).to.equal(0);
    expect((await place.content()).baker).to.equal("unbound");
  });

  it("takes a key that the vault holds already for one that is not new, names it, and leaves it unbound", async () => {
    await place.run(place.importing("--store", STORE), importAnswers());
    const again = ["import", place.blob, "--vault", place.vault.url, "--name", "again", "--store", STORE];
    const outcome = await place.run(again, importAnswers("new"));
    expect(outcome.code, outcome.stderr).to.equal(0);
    expect(prose(outcome.stderr)).to.match(/holds this key already.*\/keys\/baker\/[0-9a-f]{32}: 5f0c2a9e17d34b68/);
    expect(await place.content()).to.include({ baker: STORE, again: "unbound" });
  });

  it("imports nothing when the address is not the one on the paper", async () => {
    const outcome = await place.run(place.importing(), [[/on the paper\? \[y\/N\] $/, "n"]]);
    expect(outcome.code).to.equal(exitCode("declined"));
    expect(await place.content()).to.have.all.keys("import-kek");
  });

  it("asks for the address of a blob of another tool, and compares it", async () => {
    const { generator, ...rest } = JSON.parse(readFileSync(place.blob, "utf8"));
    writeFileSync(place.blob, JSON.stringify({ ...rest, generator: "another tool" }));
    const outcome = await place.run(place.importing(), [
      [/from the paper: $/, place.key.publicKey.address],
      ...importAnswers(),
    ]);
    expect(outcome.code, outcome.stderr).to.equal(0);
    expect(generator).to.include(place.key.publicKey.address);
  });

  it("switches off a key whose address is another than the paper's", async () => {
    using other = PrivateKey.generate("P-256");
    writeFileSync(
      place.blob,
      readFileSync(place.blob, "utf8").replace(place.key.publicKey.address, other.publicKey.address),
    );
    const outcome = await place.run(place.importing("--store", STORE), importAnswers());
    expect(outcome.code).to.equal(exitCode("mismatch"));
    expect(prose(outcome.stderr)).to.include("It was disabled").and.include(place.key.publicKey.address);
    expect((await place.content()).baker).to.equal("unbound");
    expect((await (await place.asOperator(place.vault.url)).getKey("baker")).properties.enabled).to.equal(false);
  });

  it("says that the key is in the vault when only what followed failed", async () => {
    place.vault.policies.grant(
      OPERATOR.objectId,
      OPERATOR_PERMISSIONS.filter((permission) => permission !== "update"),
    );
    const outcome = await place.run(place.importing("--store", STORE), importAnswers());
    expect(outcome.code).to.equal(exitCode("refused"));
    expect(prose(outcome.stderr)).to.include("was imported as baker, but no signer uses it yet");
    expect(prose(outcome.stderr)).to.include("keys update").and.include("keys bind");
    expect((await place.content()).baker).to.equal("unbound");
  });

  it("refuses a key of another curve than its address says", async () => {
    using other = PrivateKey.generate("P-256K");
    writeFileSync(
      place.blob,
      readFileSync(place.blob, "utf8").replace(place.key.publicKey.address, other.publicKey.address),
    );
    const outcome = await place.run(place.importing("--store", STORE), importAnswers());
    expect(outcome.code).to.equal(exitCode("unusable"));
    expect(prose(outcome.stderr)).to.include("another curve").and.include("Nothing was imported");
    expect(await place.content()).to.have.all.keys("import-kek");
  });

  it("refuses a name that is taken, before anything is asked", async () => {
    place.vault.createKey("baker");
    const outcome = await place.run(place.importing(), []);
    expect(outcome.code).to.equal(exitCode("exists"));
    expect(prose(outcome.stderr)).to.include("has a key baker already");
  });

  it("refuses a name that a deleted key still holds", async () => {
    place.vault.createKey("baker");
    place.vault.deleteKey("baker");
    await new Promise((resolve) => setTimeout(resolve, 100));
    const outcome = await place.run(place.importing(), importAnswers());
    expect(outcome.code).to.equal(exitCode("exists"));
    expect(prose(outcome.stderr)).to.include("deleted key").and.include("az keyvault key recover");
    expect(await place.content()).to.have.all.keys("import-kek");
  });

  it("refuses a blob for another vault, naming both", async () => {
    writeFileSync(
      place.blob,
      readFileSync(place.blob, "utf8").replace(place.vault.url, "https://other.vault.azure.net"),
    );
    const outcome = await place.run(place.importing(), []);
    expect(outcome.code).to.equal(exitCode("mismatch"));
    expect(prose(outcome.stderr)).to.include("other.vault.azure.net").and.include("Nothing was imported");
  });

  it("refuses a blob for a KEK that the vault no longer has", async () => {
    place.vault.deleteKey("import-kek");
    const outcome = await place.run(place.importing(), []);
    expect(outcome.code).to.equal(exitCode("mismatch"));
    expect(prose(outcome.stderr)).to.include("no longer has");
  });

  it("refuses a blob that another KEK wrapped, though it names ours", async () => {
    const { vault: elsewhere, tokens: others } = await startOperatorVault();
    elsewhere.createKey("import-kek", { kty: "RSA-HSM", ops: ["import"] });
    await place.run(
      ["kek", "show", "--vault", elsewhere.url, "--out", place.at("other.json")],
      [],
      connectAs(OPERATOR, others),
    );
    await elsewhere.stop();
    const foreign = JSON.parse(wrapKey(place.key, parseKek(readFileSync(place.at("other.json"), "utf8"))));
    const { kid } = JSON.parse(readFileSync(place.at("kek.json"), "utf8"));
    writeFileSync(place.blob, JSON.stringify({ ...foreign, header: { ...foreign.header, kid } }));
    const outcome = await place.run(place.importing(), importAnswers());
    expect(outcome.code).to.equal(exitCode("unusable"));
    expect(prose(outcome.stderr)).to.include("wrapped for another KEK").and.include("Nothing was imported");
    expect(await place.content()).to.have.all.keys("import-kek");
  });

  it("refuses a blob that was cut short, before anything is asked", async () => {
    const whole = readFileSync(place.blob, "utf8");
    const cut = JSON.parse(whole);
    for (const text of [whole.slice(0, 400), JSON.stringify({ ...cut, ciphertext: cut.ciphertext.slice(0, 300) })]) {
      writeFileSync(place.blob, text);
      const outcome = await place.run(place.importing(), []);
      expect(outcome.code).to.equal(exitCode("unusable"));
      expect(prose(outcome.stderr)).to.include("Copy it again from the drive");
    }
    expect(await place.content()).to.have.all.keys("import-kek");
  });

  it("tells which address the firewall shuts out, and how to let it in", async () => {
    place.vault.firewall.allow(["203.0.113.7/32"]);
    const outcome = await place.run(place.importing(), []);
    expect(outcome.code).to.equal(exitCode("refused"));
    expect(outcome.stderr).to.include("pulumi config set --path keyImporter.ip 127.0.0.1");
    place.vault.firewall.open();
    expect(await place.content()).to.have.all.keys("import-kek");
  });

  it("tells which permission is missing, and how to give it", async () => {
    place.vault.policies.grant(
      OPERATOR.objectId,
      OPERATOR_PERMISSIONS.filter((permission) => permission !== "import"),
    );
    const outcome = await place.run(place.importing(), importAnswers());
    expect(outcome.code).to.equal(exitCode("refused"));
    expect(prose(outcome.stderr)).to.include('lacks the permission "keys import"').and.include("keyImporter.objectId");
    expect(await place.content()).to.have.all.keys("import-kek");
  });

  it("tells that the vault was not reached", async () => {
    await place.vault.goAway();
    const outcome = await place.run(place.importing(), []);
    expect(outcome.code).to.equal(exitCode("unavailable"));
    expect(outcome.stderr).to.include("was not reached");
  });

  it("says that the outcome is not known when the vault hangs up during the import", async () => {
    place.vault.faults.script([{ kind: "reset", on: "import" }]);
    const outcome = await place.run(place.importing(), importAnswers());
    expect(outcome.code).to.equal(exitCode("unavailable"));
    expect(prose(outcome.stderr)).to.include("is not known").and.include("keys list");
  });

  it("takes a key file without wrapping only by the flag that accepts it", async () => {
    writeFileSync(place.at("key.pem"), await encryptPem(place.key, Buffer.from(passphrase)));
    const args = [
      "import",
      "--pem",
      place.at("key.pem"),
      "--vault",
      place.vault.url,
      "--name",
      "baker",
      "--store",
      STORE,
    ];
    const refused = await place.run(args, []);
    expect(refused.code).to.equal(exitCode("usage"));
    expect(prose(refused.stderr)).to.include("add --expose-key");
    expect(await place.content()).to.have.all.keys("import-kek");
    const accepted = await place.run(
      [...args, "--expose-key"],
      [[/typed from the paper: $/, passphrase], ...importAnswers()],
    );
    expect(accepted.code, accepted.stderr).to.equal(0);
    expect(accepted.stderr).to.include("WARNING");
    const stored = await (await place.asOperator(place.vault.url)).getKey("baker");
    expect([stored.keyType, stored.keyOperations]).to.deep.equal(["EC-HSM", ["sign"]]);
  });
});
