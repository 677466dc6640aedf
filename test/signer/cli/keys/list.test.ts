import { expect } from "chai";
import { importAnswers, KeysPlace, prose, STORE } from "../../../harness/keys-place.ts";

describe("keys list", () => {
  let place: KeysPlace;
  beforeEach(async () => {
    place = await KeysPlace.start();
  });
  afterEach(() => place[Symbol.asyncDispose]());

  it("shows address, id, curve, protection, operations, tags, store and attestation of each Tezos key", async () => {
    place.vault.createKey("soft", { kty: "EC", crv: "P-256K", tags: { owner: "me" } });
    await place.run(place.importing("--store", STORE), importAnswers());
    const outcome = await place.run(["list", "--vault", place.vault.url]);
    expect(outcome.code, outcome.stderr).to.equal(0);
    const [hsm = "", soft = ""] = outcome.stdout.split("\n\n");
    expect(hsm).to.include(place.key.publicKey.address).and.include(`/keys/baker/`).and.include(STORE);
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
    const { keys, conflicts } = JSON.parse((await place.run(["list", "--vault", place.vault.url, "--json"])).stdout);
    expect(conflicts).to.deep.equal([]);
    expect(keys).to.have.length(2);
    expect(keys[0]).to.include({
      name: "baker",
      address: place.key.publicKey.address,
      enabled: true,
      watermarkStore: STORE,
    });
    expect(keys[1]).to.deep.include({ name: "soft", watermarkStore: null, otherTags: { owner: "me" } });
  });

  it("warns of a key that names several stores, and of none that names one", async () => {
    const secret = Buffer.alloc(32, 5);
    place.vault.createKey("one", { secret, tags: { "tezos-signer-watermarks": "S1" } });
    place.vault.createKey("two", { secret, tags: { "tezos-signer-watermarks": "S1" } });
    place.vault.createKey("three", { tags: { "tezos-signer-watermarks": "S2" } });
    expect((await place.run(["list", "--vault", place.vault.url])).stderr).to.equal("");
    place.vault.createKey("two", { secret, tags: { "tezos-signer-watermarks": "S2" } });
    const { stderr, code: exit } = await place.run(["list", "--vault", place.vault.url]);
    expect(exit).to.equal(0);
    expect(prose(stderr)).to.match(
      /WARNING: The vault holds the key tz3\w+ more than once.*names S1.*names S2.*keys bind/,
    );
    expect(stderr).not.to.include("/three/");
  });

  it("shows the name of a curve that is not its usual one", async () => {
    place.vault.createKey("imported", { crv: "SECP256K1" });
    expect((await place.run(["list", "--vault", place.vault.url])).stdout).to.match(/curve +P-256K, named SECP256K1\n/);
  });

  it("says so when there is none", async () => {
    const outcome = await place.run(["list", "--vault", place.vault.url]);
    expect(outcome.code).to.equal(0);
    expect(outcome.stderr).to.include("has no Tezos key");
  });
});
