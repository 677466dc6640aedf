import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { verifySignature as taquitoVerifies } from "@taquito/utils";
import { expect } from "chai";
import { KeyVaultEmulator } from "../../../support/key-vault/emulator.ts";
import { Imds } from "../../../support/key-vault/imds.ts";
import { TokenAuthority } from "../../../support/key-vault/tokens.ts";
import { keys, shownPassphrase } from "../../../support/keys-terminal.ts";
import { OPENSSL_CURVES, openssl } from "../../../support/openssl.ts";
import { hasProgram, requires } from "../../../support/requires.ts";

const OPERATOR = { clientId: "aaaaaaaa-0000-4000-8000-000000000001", objectId: "aaaaaaaa-0000-4000-8000-000000000002" };
const MACHINE = { clientId: "bbbbbbbb-0000-4000-8000-000000000001", objectId: "bbbbbbbb-0000-4000-8000-000000000002" };
const STORE = "5f0c2a9e17d34b68";

/** One value of the tables that commands print. */
function row(screen: string, label: string): string {
  return new RegExp(`^ +${label} +(\\S.*)$`, "m").exec(screen)?.[1] ?? "";
}

describe("the key ceremony", function () {
  this.timeout(60_000);
  let directory: string;
  let vault: KeyVaultEmulator;
  let operatorImds: Imds;
  let machineImds: Imds;

  before(async function () {
    requires(this, hasProgram("script"), "script(1) makes the pseudo-terminal");
    requires(this, hasProgram("openssl"), "openssl is the independent reader");
    const tokens = new TokenAuthority();
    operatorImds = await Imds.start({ tokens, identities: [OPERATOR] });
    machineImds = await Imds.start({ tokens, identities: [MACHINE] });
    vault = await KeyVaultEmulator.start({
      tokens,
      policies: {
        [OPERATOR.objectId]: ["get", "list", "create", "import", "update"],
        [MACHINE.objectId]: ["get", "list", "sign"],
      },
    });
  });
  after(async () => {
    await Promise.all([vault?.stop(), operatorImds?.stop(), machineImds?.stop()]);
  });
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "tezos-signer-ceremony-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const as = (imds: Imds) => ({
    cwd: directory,
    env: { AZURE_TOKEN_CREDENTIALS: "ManagedIdentityCredential", AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.url },
  });

  for (const [curve, name, prefix] of [
    ["P-256", "baker", "tz3"],
    ["P-256K", "baker-secp", "tz2"],
  ] as const) {
    it(`takes a ${curve} key from the offline computer into the vault's HSM, and it signs there`, async () => {
      const offline = { cwd: directory };
      const made = await keys(
        ["generate", "--curve", curve],
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
      expect(address).to.match(new RegExp(`^${prefix}`));
      expect(statSync(file).mode & 0o777).to.equal(0o600);
      const point = openssl(["ec", "-in", file, "-passin", `pass:${passphrase}`, "-pubout", "-outform", "DER"]);
      const named = openssl(["pkey", "-pubin", "-inform", "DER", "-noout", "-text"], point).toString();
      expect(named).to.include(OPENSSL_CURVES[curve]);

      const typed = passphrase.toLowerCase().replaceAll("-", " ");
      const checked = await keys(["check", file], [[/from the paper: $/, typed]], offline);
      expect(checked.code, checked.screen).to.equal(0);
      expect(row(checked.screen, "Address")).to.equal(address);

      const kek = await keys(["kek", "create", "--vault", vault.url, "--name", `kek-${name}`], [], as(operatorImds));
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
        ["import", blob, "--vault", vault.url, "--name", name, "--store", STORE],
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
      expect(row(lines, "key id")).to.include(`${vault.url}/keys/${name}/`);
      expect(row(lines, "protection")).to.equal("HSM, FIPS 140-3 level 3");
      expect(row(lines, "watermark store")).to.equal(STORE);
      expect(row(lines, "attestation")).to.equal("given, version 1.0");

      const drilled = await keys(["drill", "sign", file], [[/typed from the paper: $/, passphrase]], offline);
      const signature = /(?:spsig1|p2sig)\w+/.exec(drilled.screen)?.[0] ?? "";
      const text = Buffer.from("tezos-signer drill: this text is no Tezos request").toString("hex");
      expect(taquitoVerifies(text, row(made.screen, "Public key"), signature)).to.equal(true);
      const verified = await keys(
        ["drill", "verify", "--vault", vault.url, "--name", name, "--signature", signature],
        [],
        as(machineImds),
      );
      expect(verified.code, verified.screen).to.equal(0);
      expect(row(verified.screen, "Address")).to.equal(address);

      for (const { screen } of [checked, wrapped, imported, drilled]) expect(screen).not.to.include(passphrase);
      expect(readFileSync(blob, "utf8")).not.to.include(passphrase);
    });
  }
});
