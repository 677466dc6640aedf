import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { KeyError } from "../../../../signer/key-files/key-error.ts";
import { generateLocalKey, localPassphrase, openLocalKeyring } from "../../../../signer/keys/local/keyring.ts";
import { normalise, verifySignature } from "../../../../signer/tezos/crypto/signature.ts";

const passphrase = Buffer.from("for tests");
const { signal } = new AbortController();

/** What a promise is rejected with. */
async function rejection(promise: Promise<unknown>): Promise<KeyError> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(outcome instanceof KeyError)) throw new Error(`expected a KeyError, not ${outcome}`);
  return outcome;
}

describe("local keyring", () => {
  let path: string;
  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), "tezos-signer-local-"));
  });
  afterEach(() => rmSync(path, { recursive: true }));

  it("opens every key of a directory by its address", async () => {
    const one = await generateLocalKey("P-256", join(path, "one.pem"), passphrase);
    const two = await generateLocalKey("P-256K", join(path, "two.pem"), passphrase);
    writeFileSync(join(path, "notes.txt"), "not a key");
    const keyring = await openLocalKeyring({ path, passphrase });
    expect([...keyring.keys.keys()]).to.deep.equal([one.address, two.address]);
    expect(keyring.keys.get(two.address)?.publicKey).to.deep.equal(two);
    expect(keyring.keys.get(two.address)?.location).to.equal(join(path, "two.pem"));
    await keyring.close();
  });

  for (const curve of ["P-256", "P-256K"] as const) {
    it(`signs a digest with ${curve} as an HSM does: a new nonce each time, s high or low`, async () => {
      const publicKey = await generateLocalKey(curve, join(path, "key.pem"), passphrase);
      const keyring = await openLocalKeyring({ path, passphrase });
      const digest = Buffer.alloc(32, 0xa5);
      const signatures = new Set<string>();
      let high = 0;
      for (let count = 0; count < 40; count++) {
        const signature = await keyring.keys.get(publicKey.address)?.sign(digest, signal);
        if (signature === undefined) throw new Error("no key");
        expect(verifySignature(publicKey, digest, normalise(curve, signature))).to.equal(true);
        signatures.add(Buffer.from(signature).toString("hex"));
        if ((signature[32] ?? 0) >= 0x80) high++;
      }
      expect(signatures.size).to.equal(40);
      expect(high).to.be.within(1, 39);
      await keyring.close();
    });
  }

  it("signs nothing more once it is closed, and wipes the keys", async () => {
    const { address } = await generateLocalKey("P-256", join(path, "key.pem"), passphrase);
    const keyring = await openLocalKeyring({ path, passphrase });
    const key = keyring.keys.get(address);
    await key?.sign(Buffer.alloc(32, 1), signal);
    await keyring.close();
    const outcome = await key?.sign(Buffer.alloc(32, 1), signal).catch((error: unknown) => error);
    expect(outcome).to.be.instanceOf(Error);
  });

  it("makes key files for their owner alone", async () => {
    await generateLocalKey("P-256", join(path, "key.pem"), passphrase);
    expect(statSync(join(path, "key.pem")).mode & 0o777).to.equal(0o600);
  });

  it("never writes over a file", async () => {
    writeFileSync(join(path, "key.pem"), "mine");
    const error = await rejection(generateLocalKey("P-256", join(path, "key.pem"), passphrase));
    expect(error.problem).to.equal("exists");
    expect(readFileSync(join(path, "key.pem"), "utf8")).to.equal("mine");
  });

  it("names the file that the passphrase does not open", async () => {
    await generateLocalKey("P-256", join(path, "key.pem"), passphrase);
    const error = await rejection(openLocalKeyring({ path, passphrase: Buffer.from("other") }));
    expect(error.problem).to.equal("wrong-passphrase");
    expect(error.message).to.include(join(path, "key.pem"));
  });

  it("refuses the same key in two files", async () => {
    await generateLocalKey("P-256", join(path, "a.pem"), passphrase);
    writeFileSync(join(path, "b.pem"), readFileSync(join(path, "a.pem")));
    const error = await rejection(openLocalKeyring({ path, passphrase }));
    expect(error.message).to.include("a.pem").and.include("b.pem");
  });

  it("refuses a directory without keys, and one that is not there", async () => {
    expect((await rejection(openLocalKeyring({ path, passphrase }))).message).to.include("no key");
    const error = await rejection(openLocalKeyring({ path: join(path, "absent"), passphrase }));
    expect(error.problem).to.equal("unreadable");
  });

  it("makes the passphrase of a throw-away directory once, for its owner alone", async () => {
    const directory = join(path, "keys");
    const first = await localPassphrase(directory);
    expect(first.toString()).to.match(/^[0-9a-f]{32}$/);
    expect((await localPassphrase(directory)).equals(first)).to.equal(true);
    expect(statSync(directory).mode & 0o777).to.equal(0o700);
    expect(statSync(join(directory, "passphrase")).mode & 0o777).to.equal(0o600);
  });
});
