import { execFileSync } from "node:child_process";
import { chmodSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { StartError } from "../../../../signer/errors.ts";
import { PrivateKey } from "../../../../signer/key-files/private-key.ts";
import { TokenFault } from "../../../../signer/keys/pkcs11/fault.ts";
import { signVerified } from "../../../../signer/keys/verified-signature.ts";
import { verifySignature } from "../../../../signer/tezos/crypto/signature.ts";
import { hasProgram } from "../../../emulators/has-program.ts";
import { rejection } from "../../../harness/rejection.ts";
import { requires } from "../../../harness/requires.ts";
import { PIN, requiresToken, SoftToken } from "../../../harness/soft-token.ts";
import { DIGEST, openToken } from "./open-token.ts";

describe("a keyring of a PKCS#11 token (SoftHSM2)", function () {
  this.timeout(60_000);
  before(function () {
    requiresToken(this);
  });

  it("serves keys that were made on the token and keys that were brought there, on both curves, and they sign", async () => {
    using token = SoftToken.make();
    using own = PrivateKey.generate("P-256K");
    await token.generate("baker", "P-256");
    await token.import("consensus", own);
    await using opened = await openToken(token);
    expect(opened.keyring.problem?.()).to.equal(undefined);
    const addresses = [...opened.keyring.keys.keys()];
    expect(addresses.map((address) => address.slice(0, 3)).sort()).to.deep.equal(["tz2", "tz3"]);
    expect(addresses).to.include(own.publicKey.address);
    for (const key of opened.keyring.keys.values()) {
      await signVerified(key, DIGEST, AbortSignal.timeout(30_000));
    }
  });

  it("serves a key that pkcs11-tool made, and says why it leaves out one on another curve", async function () {
    requires(this, hasProgram("pkcs11-tool"), "opensc is not installed (.ci/machine-tools)");
    using token = SoftToken.make();
    const tool = (...words: string[]) =>
      execFileSync(
        "pkcs11-tool",
        ["--module", token.module, "--token-label", token.label, "--login", "--pin", PIN, ...words],
        {
          stdio: "ignore",
        },
      );
    tool("--keypairgen", "--key-type", "EC:secp256k1", "--id", "01", "--label", "one", "--usage-sign");
    tool("--keypairgen", "--key-type", "EC:secp384r1", "--id", "03", "--label", "three", "--usage-sign");
    await using opened = await openToken(token);
    expect([...opened.keyring.keys.values()].map(({ location }) => location)).to.deep.equal([
      `token "${token.label}", "one" (id 01)`,
    ]);
    await opened.sign();
    expect(opened.lines.map(({ msg }) => msg).join("\n")).to.include(
      'key "three" (id 03) is left out: a Tezos key is on',
    );
  });

  it("serves the keys that keys.include names by label or by id, and says which are not there", async () => {
    using token = SoftToken.make();
    for (const label of ["a", "b", "c"]) await token.generate(label, "P-256");
    await using opened = await openToken(token, { include: () => ["a", "id:62", "d"] });
    expect(opened.keyring.keys.size).to.equal(2);
    expect(opened.keyring.problem?.()).to.include("lacks keys of keys.include: no d");
  });

  it("finds the token by its slot too", async () => {
    using token = SoftToken.make();
    await token.generate("baker", "P-256");
    const shown = execFileSync("softhsm2-util", ["--show-slots"]).toString();
    const above = shown.slice(0, shown.indexOf(token.label));
    const slot = Number([...above.matchAll(/^Slot (\d+)$/gm)].at(-1)?.[1]);
    await using opened = await openToken(token, { tokenLabel: undefined, slot });
    await opened.sign();
  });

  it("signs 64 digests at once over its sessions, each with a signature of its own", async () => {
    using token = SoftToken.make();
    await token.generate("baker", "P-256");
    await using opened = await openToken(token);
    const digests = Array.from({ length: 64 }, (_, index) => Buffer.alloc(32, index));
    const signatures = await Promise.all(digests.map((digest) => opened.sign(digest)));
    for (const [index, signature] of signatures.entries()) {
      expect(verifySignature(opened.key.publicKey, digests[index] ?? DIGEST, signature)).to.equal(true);
    }
  });

  it("makes no key under a label or an id that is taken", async () => {
    using token = SoftToken.make();
    await token.generate("baker", "P-256", "01");
    expect((await rejection(token.generate("baker", "P-256", "02"), TokenFault)).message).to.include(
      'label "baker" is on the token already',
    );
    expect((await rejection(token.generate("other", "P-256", "01"), TokenFault)).message).to.include(
      "id 01 is on the token already",
    );
  });

  it("does not start with what is no PIN, since a token would take it for a wrong one", async () => {
    using token = SoftToken.make();
    const pipe = `${token.pinFile}-pipe`;
    execFileSync("mkfifo", ["-m", "600", pipe]);
    for (const [file, content, said] of [
      [pipe, undefined, "is no regular file"],
      ["/dev/null", undefined, "is no regular file"],
      [token.pinFile, "", "must hold the PIN alone"],
      [token.pinFile, `${PIN}\n${PIN}\n`, "must hold the PIN alone"],
      [token.pinFile, `${PIN}\r1`, "must hold the PIN alone"],
      [token.pinFile, Buffer.from("pin-\xe9\n", "latin1"), "on one line in UTF-8"],
      [token.pinFile, "7".repeat(2_000), "is too large"],
    ] as const) {
      if (content !== undefined) writeFileSync(file, content);
      const refused = await rejection(openToken(token, { pin: { file } }), StartError);
      expect(refused.message).to.include(said).and.not.include(PIN);
    }
  });

  it("takes a PIN by a link to its file, which an editor of Windows has saved", async () => {
    using token = SoftToken.make();
    await token.generate("baker", "P-256");
    token.writePin(`\ufeff${PIN}\r`);
    const link = `${token.pinFile}-link`;
    symlinkSync(token.pinFile, link);
    await using opened = await openToken(token, { pin: { file: link } });
    await opened.sign();
    chmodSync(token.pinFile, 0o640);
    chmodSync(token.pinFile, 0o604);
    expect((await rejection(openToken(token, { pin: { file: link } }), StartError)).message).to.include("(mode 604)");
  });

  it("says what is wrong with a library that is there, and what to do", async () => {
    using token = SoftToken.make();
    const other = `${token.pinFile}.so`;
    const bytes = readFileSync(token.module);
    // e_machine (System V ABI, "ELF Header") of a processor that nobody has any more.
    bytes.writeUInt16LE(1, 18);
    writeFileSync(other, bytes);
    for (const module of [other, token.pinFile]) {
      await using opened = await openToken(token, { module, times: { startup: 1 } });
      while (/has not shown/.test(opened.keyring.problem?.() ?? "")) await sleep(20);
      expect(opened.keyring.problem?.())
        .to.include("cannot be loaded as a PKCS#11 module")
        .and.include("made for this computer's processor");
      expect(opened.keyring.unseen?.()).to.equal(opened.keyring.problem?.());
    }
  });

  it("does not start with a PIN file that others may read, nor without the vendor's library", async () => {
    using token = SoftToken.make();
    chmodSync(token.pinFile, 0o644);
    expect((await rejection(openToken(token), StartError)).message)
      .to.include("may be read by everybody")
      .and.include("chmod 600");
    chmodSync(token.pinFile, 0o600);
    const gone = await rejection(openToken(token, { module: "/nowhere/lib.so" }), StartError);
    expect(gone.message).to.equal("keys.module cannot be read: /nowhere/lib.so: no such file or directory.");
  });
});
