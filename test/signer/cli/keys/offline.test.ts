import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { EXIT_CODES } from "../../../../signer/cli/exit-codes.ts";
import { keysCommand } from "../../../../signer/cli/keys/index.ts";
import { formatKek, parseBlob, parseKek } from "../../../../signer/key-files/byok.ts";
import { decryptPem, encryptPem } from "../../../../signer/key-files/pem.ts";
import { PrivateKey } from "../../../../signer/key-files/private-key.ts";
import { vectors } from "../../../fixtures/vectors.ts";
import { atTerminal } from "../../../harness/fake-terminal.ts";
import { shownPassphrase } from "../../../harness/keys-terminal.ts";
import { quickPem } from "../../../harness/local-key.ts";
import { shell } from "../../../harness/openssl.ts";
import type { Answer } from "../../../harness/pseudo-terminal.ts";

const code = (name: keyof typeof EXIT_CODES) => EXIT_CODES[name].code;
const passphrase = "correct horse battery staple";

const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
const jwk = pair.publicKey.export({ format: "jwk" });
const kekText = formatKek({
  kid: "https://example.vault.azure.net/keys/import-kek/0123456789abcdef0123456789abcdef",
  kty: "RSA-HSM",
  key_ops: ["import"],
  n: Buffer.from(jwk.n ?? "", "base64url"),
  e: Buffer.from(jwk.e ?? "", "base64url"),
});
const { fingerprint } = parseKek(kekText);

type Answers = readonly (readonly [RegExp, Answer])[];

const connected: readonly [RegExp, Answer] = [/here all the same\? \[y\/N\] $/, "y"];

/** Gives answers one after another to the same prompt; the last one is repeated. */
function inTurn(...answers: readonly string[]): Answer {
  let turn = 0;
  return () => answers[Math.min(turn++, answers.length - 1)] ?? "";
}

/** Prose without its line breaks. */
const prose = (text: string) => text.replaceAll(/\s+/g, " ");

const run = (args: readonly string[], answers?: Answers) =>
  atTerminal((io) => keysCommand(io), args, answers && [...answers, connected]);

describe("offline keys commands", () => {
  let directory: string;
  let pem: string;
  let kek: string;
  const key = PrivateKey.generate("P-256");
  let encrypted: string;
  const at = (name: string) => join(directory, name);

  before(async () => {
    // With the text above the block that a file of ours has.
    const [label] = (await encryptPem(key, Buffer.from(passphrase))).split("-----BEGIN");
    encrypted = `${label}${quickPem(key, Buffer.from(passphrase))}`;
  });
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "tezos-signer-keys-"));
    pem = at("key.pem");
    kek = at("kek.json");
    writeFileSync(pem, encrypted);
    writeFileSync(kek, kekText);
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  describe("generate", () => {
    it("asks for the passphrase again until it is typed as it was shown", async () => {
      let tries = 0;
      const typed = (screen: string) => {
        const shown = shownPassphrase(screen);
        return tries++ === 0 ? `${shown.slice(0, 6)}${shown[6] === "0" ? "1" : "0"}${shown.slice(7)}` : shown;
      };
      const outcome = await run(
        ["generate", "--curve", "P-256K", "--out", at("new.pem")],
        [
          [/hide it\. $/, ""],
          [/from the paper: $/, typed],
          [/mend the paper\. $/, ""],
        ],
      );
      expect(outcome.code, outcome.stderr).to.equal(0);
      expect(outcome.stderr).to.include("look at group 2");
      using made = decryptPem(readFileSync(at("new.pem"), "utf8"), Buffer.from(shownPassphrase(outcome.stderr)));
      expect(outcome.stdout).to.include(made.publicKey.address).and.include(made.publicKey.base58);
      expect(outcome.stdout).not.to.include(shownPassphrase(outcome.stderr));
    });

    it("takes an own passphrase only if it is long, plain and typed twice the same", async () => {
      const outcome = await run(
        ["generate", "--curve", "P-256", "--own-passphrase", "--out", at("new.pem")],
        [
          [/Your passphrase: $/, inTurn("short", passphrase, passphrase)],
          [/The same again: $/, inTurn("another passphrase", passphrase)],
        ],
      );
      expect(outcome.code, outcome.stderr).to.equal(0);
      expect(outcome.stderr).to.include("at least 16 characters").and.include("The two differ");
      decryptPem(readFileSync(at("new.pem"), "utf8"), Buffer.from(passphrase))[Symbol.dispose]();
    });

    it("never writes over a file, and says so before anything is asked", async () => {
      const before = readFileSync(pem, "utf8");
      const outcome = await run(["generate", "--curve", "P-256", "--out", pem], []);
      expect(outcome.code).to.equal(code("exists"));
      expect(prose(outcome.stderr)).to.include("never written over");
      expect(readFileSync(pem, "utf8")).to.equal(before);
    });

    it("says before anything is asked that it cannot write there", async () => {
      const outcome = await run(["generate", "--curve", "P-256", "--out", at("absent/new.pem")], []);
      expect(outcome.code).to.equal(code("unusable"));
      expect(prose(outcome.stderr)).to.include("cannot be written: no such file or directory");
    });

    it("writes nothing when it is stopped while the passphrase is typed", async () => {
      const outcome = await run(
        ["generate", "--curve", "P-256", "--out", at("new.pem")],
        [
          [/hide it\. $/, ""],
          [/from the paper: $/, "\x03"],
        ],
      );
      expect(outcome.code).to.equal(code("interrupted"));
      expect(existsSync(at("new.pem"))).to.equal(false);
    });

    it("refuses to ask anything without a terminal", async () => {
      const outcome = await atTerminal(
        (io) => keysCommand(io),
        ["generate", "--curve", "P-256", "--out", at("x.pem")],
        null,
      );
      expect(outcome.code).to.equal(code("usage"));
      expect(outcome.stderr).to.include("ssh -t");
      expect(existsSync(at("x.pem"))).to.equal(false);
    });
  });

  describe("check", () => {
    it("shows the address of a key that the typed passphrase opens", async () => {
      const outcome = await run(["check", pem], [[/from the paper: $/, passphrase]]);
      expect(outcome.code).to.equal(0);
      expect(outcome.stdout).to.include(key.publicKey.address);
      expect(outcome.stdout + outcome.stderr).not.to.include(passphrase);
    });

    it("allows three tries, then says what to do", async () => {
      const outcome = await run(["check", pem], [[/from the paper: $/, "wrong"]]);
      expect(outcome.code).to.equal(code("wrong-passphrase"));
      expect(outcome.stderr.match(/typed from the paper/g)).to.have.length(3);
      expect(outcome.stderr).to.include("character by character");
    });

    it("goes on after a mistyped try", async () => {
      const outcome = await run(["check", pem], [[/from the paper: $/, inTurn("wrong", passphrase)]]);
      expect(outcome.code).to.equal(0);
    });

    it("notices a file whose text names another address than its key has", async () => {
      using other = PrivateKey.generate("P-256");
      writeFileSync(pem, readFileSync(pem, "utf8").replace(key.publicKey.address, other.publicKey.address));
      const outcome = await run(["check", pem], [[/from the paper: $/, passphrase]]);
      expect(outcome.code).to.equal(code("mismatch"));
      expect(outcome.stderr).to.include("says that it is");
    });

    it("says of a damaged, a foreign and a missing file that it is so", async () => {
      for (const [content, words] of [
        [readFileSync(pem, "utf8").slice(0, -60), "damaged, cut short"],
        ["hello", "neither a PEM private key nor"],
        ["x".repeat(70_000), "too large"],
      ] as const) {
        writeFileSync(pem, content);
        const outcome = await run(["check", pem], []);
        expect(outcome.code).to.equal(code("unusable"));
        expect(prose(outcome.stderr)).to.include(words);
      }
      const outcome = await run(["check", at("absent.pem")], []);
      expect(outcome.stderr).to.include("absent.pem cannot be read: no such file");
    });
  });

  it("say of a key of another curve which curves there are", async () => {
    writeFileSync(pem, shell("openssl ecparam -genkey -noout -name secp384r1"));
    for (const args of [
      ["check", pem],
      ["wrap", pem, "--kek", kek],
      ["convert", pem],
    ]) {
      const outcome = await run(args, [[/groups of 4\): $/, fingerprint]]);
      expect(outcome.code, args.join(" ")).to.equal(code("unusable"));
      expect(prose(outcome.stderr)).to.include("a key for secp384r1; the signer uses P-256 (tz3) and P-256K");
    }
    expect(readdirSync(directory).sort()).to.deep.equal(["kek.json", "key.pem"]);
  });

  describe("show", () => {
    it("shows which key a file of ours holds without asking for its passphrase", async () => {
      const outcome = await run(["show", pem], []);
      expect(outcome.code).to.equal(0);
      expect(outcome.stdout).to.include(key.publicKey.address).and.include(key.publicKey.base58);
      const { address, base58: publicKey, curve } = key.publicKey;
      expect(JSON.parse((await run(["show", pem, "--json"], [])).stdout)).to.include({ address, publicKey, curve });
    });

    it("refuses a text that contradicts itself", async () => {
      using other = PrivateKey.generate("P-256");
      const text = readFileSync(pem, "utf8");
      for (const changed of [
        text.replace(key.publicKey.address, other.publicKey.address),
        text.replace(key.publicKey.base58, "p2pkdamaged"),
      ]) {
        writeFileSync(pem, changed);
        const outcome = await run(["show", pem], []);
        expect(outcome.code).to.equal(code("mismatch"));
        expect(prose(outcome.stderr)).to.include("do not belong together");
      }
    });

    it("asks for the passphrase of a file without that text", async () => {
      writeFileSync(pem, readFileSync(pem, "utf8").replace(/^.*?(?=-----BEGIN)/s, ""));
      const outcome = await run(["show", pem], [[/from the paper: $/, passphrase]]);
      expect(outcome.stdout).to.include(key.publicKey.address);
    });
  });

  describe("convert", () => {
    const { sk, pkh } = vectors.keys.find((vector: { sk?: string }) => vector.sk?.startsWith("spsk"));
    const own: Answers = [
      [/Your passphrase: $/, passphrase],
      [/The same again: $/, passphrase],
    ];

    it("brings a secret key that was typed into an encrypted file, without showing it", async () => {
      const outcome = await run(
        ["convert", "--own-passphrase", "--out", at("new.pem")],
        [[/Secret key \(not shown\): $/, sk], ...own],
      );
      expect(outcome.code, outcome.stderr).to.equal(0);
      expect(outcome.stdout).to.include(pkh);
      expect(outcome.stdout + outcome.stderr).not.to.include(sk);
      using made = decryptPem(readFileSync(at("new.pem"), "utf8"), Buffer.from(passphrase));
      expect(made.publicKey.address).to.equal(pkh);
    });

    it("brings octez's encrypted key, with its own passphrase, into a file with a new one", async () => {
      const vector = vectors.keys.find((each: object) => "encrypted_sk" in each);
      writeFileSync(at("octez"), `encrypted:${vector.encrypted_sk}\n`);
      const outcome = await run(
        ["convert", at("octez"), "--own-passphrase", "--out", at("new.pem")],
        [[/from the paper: $/, vector.encrypted_password], ...own],
      );
      expect(outcome.code, outcome.stderr).to.equal(0);
      expect(outcome.stdout).to.include(vector.pkh);
      expect(readFileSync(at("octez"), "utf8")).to.include(vector.encrypted_sk);
    });

    it("warns of a key file that is not encrypted", async () => {
      writeFileSync(at("plain"), `unencrypted:${sk}`);
      const outcome = await run(["convert", at("plain"), "--own-passphrase", "--out", at("new.pem")], own);
      expect(outcome.code, outcome.stderr).to.equal(0);
      expect(outcome.stderr).to.include("not encrypted");
    });

    it("says of a tz1 key that no vault holds one", async () => {
      const outcome = await run(
        ["convert", "--out", at("new.pem")],
        [[/Secret key/, "edsk3gUfUPyBSfrS9CCgmCiQsTCHGkviBDusMxDJstFtojtc1zcpsh"]],
      );
      expect(outcome.code).to.equal(code("unusable"));
      expect(outcome.stderr).to.include("tz1");
      expect(existsSync(at("new.pem"))).to.equal(false);
    });
  });

  describe("wrap", () => {
    const answers: Answers = [
      [/groups of 4\): $/, fingerprint],
      [/from the paper: $/, passphrase],
    ];

    it("wraps for the KEK whose fingerprint was typed from the paper", async () => {
      const outcome = await run(["wrap", pem, "--kek", kek, "--out", at("key.byok")], answers);
      expect(outcome.code, outcome.stderr).to.equal(0);
      const blob = parseBlob(readFileSync(at("key.byok"), "utf8"));
      expect(blob.address).to.equal(key.publicKey.address);
    });

    it("does not show the fingerprint before it is typed", async () => {
      let shown = "";
      const look = (screen: string) => {
        shown = screen;
        return fingerprint;
      };
      await run(["wrap", pem, "--kek", kek, "--out", at("key.byok")], [[/groups of 4\): $/, look], ...answers]);
      expect(shown).not.to.include(fingerprint.slice(0, 4));
    });

    it("wraps nothing for another KEK than the paper names", async () => {
      const outcome = await run(
        ["wrap", pem, "--kek", kek, "--out", at("key.byok")],
        [[/groups of 4\): $/, "0000 0000 0000 0000 0000 0000 0000 0000"]],
      );
      expect(outcome.code).to.equal(code("mismatch"));
      expect(outcome.stderr).to.include("swapped").and.include(fingerprint);
      expect(existsSync(at("key.byok"))).to.equal(false);
    });

    it("wraps nothing with a wrong passphrase", async () => {
      const outcome = await run(
        ["wrap", pem, "--kek", kek, "--out", at("key.byok")],
        [
          [/groups of 4\): $/, fingerprint],
          [/from the paper: $/, "wrong"],
        ],
      );
      expect(outcome.code).to.equal(code("wrong-passphrase"));
      expect(existsSync(at("key.byok"))).to.equal(false);
    });

    it("refuses a file that is no key exchange key", async () => {
      const outcome = await run(["wrap", pem, "--kek", pem, "--out", at("key.byok")], []);
      expect(outcome.code).to.equal(code("unusable"));
      expect(outcome.stderr).to.include("no key exchange key");
    });

    it("never writes over a blob", async () => {
      writeFileSync(at("key.byok"), "mine");
      const outcome = await run(["wrap", pem, "--kek", kek, "--out", at("key.byok")], answers);
      expect(outcome.code).to.equal(code("exists"));
      expect(readFileSync(at("key.byok"), "utf8")).to.equal("mine");
    });
  });

  it("leave no other file behind", async () => {
    await run(["check", pem], [[/from the paper: $/, passphrase]]);
    await run(["wrap", pem, "--kek", kek, "--out", at("key.byok")], [[/groups of 4\): $/, "no"]]);
    expect(readdirSync(directory).sort()).to.deep.equal(["kek.json", "key.pem"]);
  });
});
