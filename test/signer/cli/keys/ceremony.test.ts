import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { verifySignature as taquitoVerifies } from "@taquito/utils";
import { expect } from "chai";
import { keysCommand } from "../../../../signer/cli/keys/index.ts";
import type { Io } from "../../../../signer/cli/terminal.ts";
import { blake2b256 } from "../../../../signer/tezos/crypto/digest.ts";
import { decodeSignature } from "../../../../signer/tezos/crypto/signature.ts";
import { hasProgram } from "../../../emulators/has-program.ts";
import { Imds } from "../../../emulators/imds/imds.ts";
import type { KeyVaultEmulator } from "../../../emulators/key-vault/emulator.ts";
import type { TokenAuthority } from "../../../emulators/key-vault/tokens.ts";
import { sign } from "../../../emulators/octez-client.ts";
import { attestation } from "../../../fixtures/payloads.ts";
import { atTerminal } from "../../../harness/fake-terminal.ts";
import { ALWAYS, keys, shownPassphrase } from "../../../harness/keys-terminal.ts";
import { openssl, opensslVerifies, shell } from "../../../harness/openssl.ts";
import { connectAs, MACHINE, OPERATOR, startOperatorVault } from "../../../harness/operator-vault.ts";
import type { Answer } from "../../../harness/pseudo-terminal.ts";
import { requires } from "../../../harness/requires.ts";
import { startVaultSigner } from "../../../harness/vault-signer.ts";

const STORE = "5f0c2a9e17d34b68";

/** One value of the tables that commands print. */
function row(screen: string, label: string): string {
  return new RegExp(`^ +${label} +(\\S.*)$`, "m").exec(screen)?.[1] ?? "";
}

describe("the key ceremony", function () {
  this.timeout(60_000);
  let directory: string;
  let vault: KeyVaultEmulator;
  let tokens: TokenAuthority;
  let operatorImds: Imds;
  let machineImds: Imds;

  before(async function () {
    requires(this, hasProgram("script"), "script(1) makes the pseudo-terminal");
    requires(this, hasProgram("openssl"), "openssl is the independent reader");
    ({ vault, tokens } = await startOperatorVault());
    operatorImds = await Imds.start({ tokens, identities: [OPERATOR] });
    machineImds = await Imds.start({ tokens, identities: [MACHINE] });
    process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST = machineImds.url;
  });
  after(async () => {
    delete process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST;
    await Promise.all([vault?.stop(), operatorImds?.stop(), machineImds?.stop()]);
  });
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "tezos-signer-ceremony-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  /** Has a signer on the vault sign an attestation as octez asks for it; two strangers verify it. */
  async function signAndVerify(address: string, publicKey: string, point: Buffer): Promise<void> {
    const watermarks = { path: join(directory, "watermarks.sqlite"), storeId: STORE };
    await using signer = await startVaultSigner(vault.url, MACHINE.clientId, watermarks);
    const payload = attestation({ level: 100 });
    const { signature = "", message } = await sign(signer.url, address, payload.toString("hex"));
    expect(taquitoVerifies(payload.toString("hex"), publicKey, signature), message).to.equal(true);
    writeFileSync(join(directory, "public.der"), point);
    const { bytes } = decodeSignature(signature);
    expect(opensslVerifies(join(directory, "public.der"), blake2b256(payload), bytes)).to.equal(true);
  }

  const as = (imds: Imds) => ({
    cwd: directory,
    env: { AZURE_TOKEN_CREDENTIALS: "ManagedIdentityCredential", AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.url },
  });

  it("takes a key from the offline computer into the vault's HSM, where a signer signs with it", async () => {
    const offline = { cwd: directory };
    const made = await keys(
      ["generate", "--curve", "P-256"],
      [
        [/hide it\. $/, ""],
        [/from the paper: $/, shownPassphrase],
      ],
      offline,
    );
    expect(made.code, made.screen).to.equal(0);
    const passphrase = shownPassphrase(made.screen);
    const address = row(made.screen, "Address");
    const file = join(directory, `${address}.pem`);
    expect(address).to.match(/^tz3/);
    expect(statSync(file).mode & 0o777).to.equal(0o600);
    const point = openssl(["ec", "-in", file, "-passin", `pass:${passphrase}`, "-pubout", "-outform", "DER"]);
    const named = openssl(["pkey", "-pubin", "-inform", "DER", "-noout", "-text"], point).toString();
    expect(named).to.include("prime256v1");

    const typed = passphrase.toLowerCase().replaceAll("-", " ");
    const checked = await keys(["check", file], [[/from the paper: $/, typed]], offline);
    expect(checked.code, checked.screen).to.equal(0);
    expect(row(checked.screen, "Address")).to.equal(address);

    const kek = await keys(["kek", "create", "--vault", vault.url, "--name", "kek-baker"], [], as(operatorImds));
    expect(kek.code, kek.screen).to.equal(0);

    const wrapped = await keys(
      ["wrap", file, "--kek", "kek.json"],
      [
        [/groups of 4\): $/, row(kek.screen, "Fingerprint")],
        [/typed from the paper: $/, passphrase],
      ],
      offline,
    );
    expect(wrapped.code, wrapped.screen).to.equal(0);
    const blob = join(directory, `${address}.byok`);
    expect(row(wrapped.screen, "File")).to.equal(`${address}.byok`);

    const imported = await keys(
      ["import", blob, "--vault", vault.url, "--name", "baker", "--store", STORE],
      [
        [/on the paper\? \[y\/N\] $/, "y"],
        [/"elsewhere" if it did: $/, "new"],
      ],
      as(operatorImds),
    );
    expect(imported.code, imported.screen).to.equal(0);
    expect(row(imported.screen, "Operations")).to.equal("sign");
    expect(row(imported.screen, "Protection")).to.equal("EC-HSM");
    expect(row(imported.screen, "Watermark store")).to.equal(STORE);

    const listed = await keys(["list", "--vault", vault.url], [], as(operatorImds));
    expect(listed.code, listed.screen).to.equal(0);
    const lines = listed.screen.slice(listed.screen.indexOf(address));
    expect(row(lines, "key id")).to.include(`${vault.url}/keys/baker/`);
    expect(row(lines, "protection")).to.equal("HSM, FIPS 140-3 level 3");
    expect(row(lines, "watermark store")).to.equal(STORE);
    expect(row(lines, "attestation")).to.equal("given, version 1.0");

    const publicKey = row(made.screen, "Public key");
    await signAndVerify(address, publicKey, point);

    const drilled = await keys(["drill", "sign", file], [[/typed from the paper: $/, passphrase]], offline);
    const signature = /(?:spsig1|p2sig)\w+/.exec(drilled.screen)?.[0] ?? "";
    const text = Buffer.from("tezos-signer drill: this text is no Tezos request").toString("hex");
    expect(taquitoVerifies(text, publicKey, signature)).to.equal(true);
    const verified = await keys(
      ["drill", "verify", "--vault", vault.url, "--name", "baker", "--signature", signature],
      [],
      as(machineImds),
    );
    expect(verified.code, verified.screen).to.equal(0);
    expect(row(verified.screen, "Address")).to.equal(address);

    for (const { screen } of [checked, wrapped, imported, drilled]) expect(screen).not.to.include(passphrase);
    expect(readFileSync(blob, "utf8")).not.to.include(passphrase);
  });

  it("brings a key of the guide from its old vault into a new one, and binds it", async () => {
    const at = (name: string) => join(directory, name);
    // In this process: what a real terminal and a process of its own add is in the test above.
    const run = async (args: readonly string[], answers: readonly (readonly [RegExp, Answer])[] = []) => {
      const command = (io: Io) => keysCommand(io, connectAs(OPERATOR, tokens));
      const { code, stdout, stderr } = await atTerminal(command, args, [...answers, ...ALWAYS]);
      return { code, screen: `${stderr}${stdout}` };
    };
    const old = "an old passphrase of sixteen bytes";
    const guide = 'openssl ecparam -genkey -name secp256k1 | openssl ec -aes256 -passout "pass:$0"';
    writeFileSync(at("secp256k1_sk.pem"), shell(guide, old));
    const converted = await run(
      ["convert", at("secp256k1_sk.pem"), "--out", at("baker.pem")],
      [
        [/typed from the paper: $/, old],
        [/hide it\. $/, ""],
        [/from the paper: $/, shownPassphrase],
      ],
    );
    expect(converted.code, converted.screen).to.equal(0);
    expect(converted.screen).not.to.include(old);
    const address = row(converted.screen, "Address");

    const shown = await run(["show", at("baker.pem")]);
    expect(row(shown.screen, "Address")).to.equal(address);

    await run(["kek", "create", "--vault", vault.url, "--name", "kek-old", "--out", at("made.json")]);
    const kek = await run(["kek", "show", "--vault", vault.url, "--name", "kek-old", "--out", at("kek.json")]);
    expect(kek.code, kek.screen).to.equal(0);
    expect(readFileSync(at("kek.json"))).to.deep.equal(readFileSync(at("made.json")));

    await run(
      ["wrap", at("baker.pem"), "--kek", at("kek.json"), "--out", at("baker.byok")],
      [
        [/groups of 4\): $/, row(kek.screen, "Fingerprint")],
        [/typed from the paper: $/, shownPassphrase(converted.screen)],
      ],
    );
    const imported = await run(
      ["import", at("baker.byok"), "--vault", vault.url, "--name", "old-baker", "--store", STORE],
      [
        [/on the paper\? \[y\/N\] $/, "y"],
        [/"elsewhere" if it did: $/, "elsewhere"],
      ],
    );
    expect(imported.code, imported.screen).to.equal(0);
    expect(row(imported.screen, "Watermark store")).to.equal("none yet");

    const bound = await run(
      ["bind", "--vault", vault.url, "--name", "old-baker", "--store", STORE],
      [
        [/stopped for good\? \[y\/N\] $/, "y"],
        [/or did it never sign\? \[y\/N\] $/, "y"],
        [/characters of the address: $/, address.slice(-6)],
      ],
    );
    expect(bound.code, bound.screen).to.equal(0);
    expect(row(bound.screen, "Watermark store")).to.equal(STORE);

    const point = openssl([
      "ec",
      "-in",
      at("secp256k1_sk.pem"),
      "-passin",
      `pass:${old}`,
      "-pubout",
      "-outform",
      "DER",
    ]);
    await signAndVerify(address, row(converted.screen, "Public key"), point);
  });

  it("gives an exit code and no stack trace through a real terminal, and stops on Ctrl-C", async () => {
    const absent = await keys(["check", "absent.pem"], [], { cwd: directory });
    expect([absent.code, absent.screen]).to.deep.equal([4, "absent.pem cannot be read: no such file or directory\n"]);
    const stopped = await keys(["convert"], [[/not shown\): $/, "\x03"]], { cwd: directory });
    expect(stopped.code).to.equal(130);
    expect(stopped.screen).to.include("Nothing was changed.").and.not.match(/ at /);
  });
});
