import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { EXIT_CODES } from "../../../signer/cli/exit-codes.ts";
import { tokenCommand } from "../../../signer/cli/token/index.ts";
import { PrivateKey } from "../../../signer/key-files/private-key.ts";
import { temporaryFolder } from "../../emulators/signer-process.ts";
import { atTerminal } from "../../harness/fake-terminal.ts";
import { quickPem } from "../../harness/local-key.ts";
import { PIN, requiresToken, SoftToken } from "../../harness/soft-token.ts";
import { openToken } from "../keys/pkcs11/open-token.ts";

const PASSPHRASE = "correct horse battery staple";

describe("tezos-signer token", function () {
  this.timeout(60_000);
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let token: SoftToken;
  let config: string;

  before(async function () {
    requiresToken(this);
    folder = await temporaryFolder();
    config = join(folder.path, "settings.yaml");
  });
  beforeEach(() => {
    token = SoftToken.make("faulty");
    token.tell();
    writeFileSync(config, JSON.stringify({ keys: token.settings, watermarks: { kind: "sqlite", path: "w" } }));
  });
  afterEach(() => token[Symbol.dispose]());
  after(() => folder?.[Symbol.asyncDispose]());

  const run = (words: readonly string[], answers?: Parameters<typeof atTerminal>[2]) =>
    atTerminal(tokenCommand, [...words, "--config", config], answers);
  const row = (text: string, label: string) => new RegExp(`^ +${label} +(\\S.*)$`, "m").exec(text)?.[1];

  it("makes a key on the token, lists it, and a signer signs with it", async () => {
    const made = await run(["generate", "--label", "baker", "--curve", "P-256K"]);
    expect(made.code, made.stderr).to.equal(0);
    const address = row(made.stdout, "Address") ?? "";
    expect(address).to.match(/^tz2/);
    const listed = await run(["list"]);
    expect(listed.stdout).to.include(address).and.include("baker");
    const [key] = JSON.parse((await run(["list", "--json"])).stdout);
    expect(key).to.include({ label: "baker", address, curve: "P-256K" });
    await using opened = await openToken(token);
    expect(opened.key.publicKey.address).to.equal(address);
    await opened.sign();
  });

  it("shows a key's label on one line, whatever is in it", async () => {
    await token.generate("x\n\ntz3ZbCsUveF3Q6WUNkThT1wyJyhPunanaAXK\n  Label  baker\u202e", "P-256");
    const { code, stdout } = await run(["list"]);
    expect(code).to.equal(0);
    expect(stdout.match(/^tz3/gm)).to.have.length(1);
    expect(stdout).not.to.match(/^ +Label +baker/m);
    expect(stdout).not.to.include("\u202e");
  });

  it("brings a key file onto the token, where it signs as the key that it was", async () => {
    using key = PrivateKey.generate("P-256");
    const file = join(folder.path, "baker.pem");
    writeFileSync(file, quickPem(key, Buffer.from(PASSPHRASE)));
    const brought = await run(["import", file, "--label", "baker"], [[/Passphrase/, PASSPHRASE]]);
    expect(brought.code, brought.stderr).to.equal(0);
    expect(row(brought.stdout, "Address")).to.equal(key.publicKey.address);
    await using opened = await openToken(token);
    expect(opened.key.publicKey.address).to.equal(key.publicKey.address);
    await opened.sign();
  });

  it("says that a token takes no key, or makes none, in its own words, and ends with 9", async () => {
    using key = PrivateKey.generate("P-256");
    const file = join(folder.path, "other.pem");
    writeFileSync(file, quickPem(key, Buffer.from(PASSPHRASE)));
    token.tell("C_CreateObject 208\nC_GenerateKeyPair 112");
    const refused = await run(["import", file, "--label", "baker"], [[/Passphrase/, PASSPHRASE]]);
    expect(refused.stderr.replaceAll(/\s+/g, " ")).to.include(
      "The token refused it: CKR_TEMPLATE_INCOMPLETE to C_CreateObject.",
    );
    expect(refused.code).to.equal(EXIT_CODES.refused.code);
    const unmade = await run(["generate", "--label", "baker", "--curve", "P-256"]);
    expect(unmade.stderr.replaceAll(/\s+/g, " ")).to.include("CKR_MECHANISM_INVALID to C_GenerateKeyPair");
  });

  it("tries a wrong PIN once, shows it nowhere, and ends with 9", async () => {
    token.writePin("wrong-wrong-wrong");
    const { code, stderr } = await run(["list"]);
    expect(code).to.equal(EXIT_CODES.refused.code);
    expect(stderr.replaceAll(/\s+/g, " ")).to.include("CKR_PIN_INCORRECT to C_Login").and.not.include("wrong-wrong");
    expect(token.calls("C_Login")).to.equal(1);
    token.writePin(PIN);
  });

  it("tries no PIN at all on a token that the next wrong one would lock", async () => {
    token.tell("C_GetTokenInfo final-try");
    const { code, stderr } = await run(["list"]);
    expect(stderr.replaceAll(/\s+/g, " ")).to.include("The token would lock at the next wrong PIN");
    expect(code).to.equal(EXIT_CODES.refused.code);
    expect(token.calls("C_Login")).to.equal(0);
  });

  it("says that there is no token of that label, and that settings are of another kind", async () => {
    writeFileSync(
      config,
      JSON.stringify({ keys: { ...token.settings, tokenLabel: "nowhere" }, watermarks: { kind: "sqlite", path: "w" } }),
    );
    const missing = await run(["list"]);
    expect(missing.stderr).to.include('There is no token labelled "nowhere".');
    expect(missing.code).to.equal(EXIT_CODES["not-found"].code);
    writeFileSync(
      config,
      JSON.stringify({ keys: { kind: "local", path: "k" }, watermarks: { kind: "sqlite", path: "w" } }),
    );
    const other = await run(["list"]);
    expect(other.stderr).to.include("keys.kind: is local, and a token is of kind pkcs11");
    expect(other.code).to.equal(EXIT_CODES.unusable.code);
  });
});
