import { readFileSync } from "node:fs";
import { expect } from "chai";
import { parseKek } from "../../../../signer/key-files/byok.ts";
import { exitCode, KeysPlace, prose } from "../../../harness/keys-place.ts";

describe("keys kek", () => {
  let place: KeysPlace;
  beforeEach(async () => {
    place = await KeysPlace.start();
  });
  afterEach(() => place[Symbol.asyncDispose]());

  it("makes a key of 4096 bits for importing alone, and writes its public half", async () => {
    const outcome = await place.run([
      "kek",
      "create",
      "--vault",
      place.vault.url,
      "--name",
      "kek2",
      "--out",
      place.at("kek2.json"),
    ]);
    expect(outcome.code, outcome.stderr).to.equal(0);
    const kek = parseKek(readFileSync(place.at("kek2.json"), "utf8"));
    expect(kek.bytes).to.equal(512);
    expect(outcome.stdout).to.include(kek.fingerprint);
  });

  it("makes no key whose file could not be written", async () => {
    const outcome = await place.run([
      "kek",
      "create",
      "--vault",
      place.vault.url,
      "--name",
      "kek2",
      "--out",
      place.at("kek.json"),
    ]);
    expect(outcome.code).to.equal(exitCode("exists"));
    expect(await place.content()).to.have.all.keys("import-kek");
  });

  it("makes no second version of one that is there", async () => {
    const outcome = await place.run(["kek", "create", "--vault", place.vault.url, "--out", place.at("kek2.json")]);
    expect(outcome.code).to.equal(exitCode("exists"));
    expect(prose(outcome.stderr)).to.include("keys kek show");
  });

  it("refuses to show a key that may do more than import", async () => {
    place.vault.createKey("loose", { kty: "RSA-HSM", ops: ["decrypt"] });
    const outcome = await place.run([
      "kek",
      "show",
      "--vault",
      place.vault.url,
      "--name",
      "loose",
      "--out",
      place.at("loose.json"),
    ]);
    expect(outcome.code).to.equal(exitCode("unusable"));
  });

  it("names a key that is not there", async () => {
    const outcome = await place.run(["kek", "show", "--vault", place.vault.url, "--name", "absent"]);
    expect(outcome.code).to.equal(exitCode("not-found"));
    expect(outcome.stderr).to.include("absent").and.include("keys list");
  });
});
