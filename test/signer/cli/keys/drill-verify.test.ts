import { writeFileSync } from "node:fs";
import { expect } from "chai";
import { encryptPem } from "../../../../signer/key-files/pem.ts";
import { PrivateKey } from "../../../../signer/key-files/private-key.ts";
import { Imds } from "../../../emulators/imds/imds.ts";
import { exitCode, importAnswers, KeysPlace, prose } from "../../../harness/keys-place.ts";
import { MACHINE } from "../../../harness/operator-vault.ts";

const passphrase = "correct horse battery staple";

describe("keys drill verify", () => {
  let place: KeysPlace;
  let imds: Imds;
  const verifying = (signature: string) => [
    ...["drill", "verify", "--vault", place.vault.url, "--name", "baker"],
    ...["--signature", signature],
  ];
  async function offlineSignature(signer: PrivateKey): Promise<string> {
    writeFileSync(place.at("drill.pem"), await encryptPem(signer, Buffer.from(passphrase)));
    const outcome = await place.run(["drill", "sign", place.at("drill.pem")], [[/from the paper: $/, passphrase]]);
    return outcome.stdout.trim();
  }

  beforeEach(async () => {
    place = await KeysPlace.start();
    await place.run(place.importing(), importAnswers());
    imds = await Imds.start({ tokens: place.tokens, identities: [MACHINE] });
    process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST = imds.url;
  });
  afterEach(async () => {
    delete process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST;
    await imds.stop();
    await place[Symbol.asyncDispose]();
  });

  it("finds that the backup is the key in the vault", async () => {
    const outcome = await place.run(verifying(await offlineSignature(place.key)));
    expect(outcome.code, outcome.stderr).to.equal(0);
    expect(outcome.stdout).to.include(place.key.publicKey.address);
  });

  it("finds that another key's backup is not", async () => {
    using other = PrivateKey.generate("P-256");
    const outcome = await place.run(verifying(await offlineSignature(other)));
    expect(outcome.code).to.equal(exitCode("mismatch"));
    expect(prose(outcome.stderr)).to.include("you have no backup of this key");
  });

  it("sends whoever may not sign to the machine", async () => {
    place.vault.policies.grant(MACHINE.objectId, ["get", "list"]);
    const outcome = await place.run(verifying(await offlineSignature(place.key)));
    expect(outcome.code).to.equal(exitCode("unavailable"));
    expect(prose(outcome.stderr)).to.include("Only the signer's machine may sign");
  });

  it("says so when the vault has no such key", async () => {
    place.vault.deleteKey("baker");
    const outcome = await place.run(verifying(await offlineSignature(place.key)));
    expect(outcome.code).to.equal(exitCode("unavailable"));
    expect(prose(outcome.stderr)).to.include("no key to compare with");
  });

  it("says of a mistyped signature that it is", async () => {
    expect((await place.run(verifying("p2sigmistyped"))).code).to.equal(exitCode("unusable"));
  });
});
