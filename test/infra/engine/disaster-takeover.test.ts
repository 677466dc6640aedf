import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { InMemorySigner } from "@taquito/signer";
import { expect } from "chai";
import { makeRelease } from "../../../release/make.ts";
import { Cloud } from "../../emulators/azure-resource-manager/cloud.ts";
import { Engine, pulumiFolder } from "../../emulators/azure-resource-manager/engine.ts";
import { hasProgram } from "../../emulators/has-program.ts";
import { Imds } from "../../emulators/imds/imds.ts";
import { TokenAuthority } from "../../emulators/key-vault/tokens.ts";
import { sign, type WalletKey } from "../../emulators/octez-client.ts";
import type { SignerProcess } from "../../emulators/signer-process.ts";
import { attestation, block as blockOf, MAINNET, preattestation } from "../../fixtures/payloads.ts";
import { SSH_KEY } from "../../fixtures/stack-configs.ts";
import { keys, shownPassphrase } from "../../harness/keys-terminal.ts";
import { requires } from "../../harness/requires.ts";
import { NO_CLI } from "../stack.ts";
import { block, keyWords, line } from "./disaster-page.ts";
import { Checkout, IMPORTER, Site, stackFile } from "./disaster-site.ts";

const TAKEOVER = {
  stop: "1. Stop the old one for good",
  floor: "2. A floor in the future",
  stack: "3. The new stack",
  key: "4. The key",
  marks: "5. The marks",
  again: "6. Sign again",
};

/** Levels that the old signer signs, the first of them those of its last export, and where the chain is when it is lost. */
const FIRST = 9_000_000;
const EXPORTED = FIRST + 5;
const HEAD = FIRST + 10;

const KINDS = { block: blockOf, preattestation, attestation } as const;
type Kind = keyof typeof KINDS;

/** Bytes for a position; `other`: different ones for the same. */
function payload(kind: Kind, level: number, other = false): Buffer {
  if (kind === "block") return blockOf({ level, timestamp: other ? 7n : 3n });
  return KINDS[kind]({ level, ...(other && { payloadHash: new Uint8Array(32).fill(9) }) });
}

describe("a region that is lost, as docs/disaster.md says it, one story whose tests follow on each other", function () {
  this.timeout(600_000);
  const [azure, elsewhere] = [new Cloud(), new Cloud()];
  const tokens = new TokenAuthority();
  const open = new AsyncDisposableStack();
  let first: Checkout;
  let second: Checkout;
  let old: Site;
  let fresh: Site;
  let importer: Imds;
  let wallets: readonly [InMemorySigner, InMemorySigner];
  let address = "";
  let passphrase = "";
  /** Every position that a signature was given for, with whether it was for the first bytes or the other ones. */
  const signed: { readonly by: "old" | "new"; readonly kind: Kind; readonly level: number; readonly other: boolean }[] =
    [];

  async function ask(
    by: "old" | "new",
    signer: SignerProcess,
    kind: Kind,
    level: number,
    other: boolean,
    wallet: WalletKey,
  ) {
    const hex = payload(kind, level, other).toString("hex");
    const { signature, status } = await sign(signer.url, address, hex, { authenticate: wallet, retries: 0 });
    if (signature !== undefined) signed.push({ by, kind, level, other });
    return status;
  }

  /** `tezos-signer keys` online, as the key importer. */
  const online = (words: readonly string[], answers: Parameters<typeof keys>[1] = []) =>
    keys(words, answers, {
      cwd: first.folder,
      env: { AZURE_TOKEN_CREDENTIALS: "ManagedIdentityCredential", AZURE_POD_IDENTITY_AUTHORITY_HOST: importer.url },
    });

  /** The key of the drives, into the vault of a site. */
  async function bring(site: Site, history: "new" | "elsewhere", name: string = history): Promise<void> {
    const values = { $VAULT: site.vault.url, $STORE: site.storeId, "tz3…": address };
    const words = (part: string) => keyWords(line(TAKEOVER.key, part), values);
    const kek = await online(
      [...words("kek create"), "--name", `kek-${name}`].map((word) => word.replace("kek.json", `${name}.json`)),
    );
    const fingerprint = /Fingerprint +(\S.*)/.exec(kek.screen)?.[1] ?? "";
    expect(kek.code, kek.screen).to.equal(0);
    const wrap = words("keys wrap").map((word) => word.replace("kek.json", `${name}.json`));
    const wrapped = await keys(
      [...wrap, "--out", `${name}.byok`],
      [
        [/groups of 4\): $/, fingerprint],
        [/typed from the paper: $/, passphrase],
      ],
      { cwd: first.folder },
    );
    expect(wrapped.code, wrapped.screen).to.equal(0);
    const blob = words("keys import").map((word) => (word.endsWith(".byok") ? `${name}.byok` : word));
    const imported = await online(blob, [
      [/on the paper\? \[y\/N\] $/, "y"],
      [/"elsewhere" if it did: $/, history],
    ]);
    expect(imported.code, imported.screen).to.equal(0);
  }

  before(async () => {
    const folder = pulumiFolder();
    if (folder === undefined || !hasProgram("script") || !hasProgram("jq")) return;
    await makeRelease(resolve(import.meta.dirname, "../../.."), () => undefined);
    const engine = open.adopt(await Engine.start(azure, folder), (each) => each.close());
    const other = await Engine.start(elsewhere, folder, { PULUMI_BACKEND_URL: engine.env.PULUMI_BACKEND_URL ?? "" });
    open.defer(() => other.close());
    first = open.use(new Checkout(engine, HEAD));
    second = open.use(new Checkout(other, HEAD));
    importer = open.adopt(await Imds.start({ tokens, identities: [IMPORTER] }), (each) => each.stop());
    wallets = [await InMemorySigner.fromSecretKey(EDSK), await InMemorySigner.fromSecretKey(OTHER_EDSK)];
    const config = {
      location: "northeurope",
      bakerIp: "84.20.17.5",
      sshPublicKey: SSH_KEY,
      production: true,
      authorizedKeys: [await wallets[0].publicKey()],
      chains: [MAINNET],
      keyImporter: { objectId: IMPORTER.objectId, ip: "84.20.19.2" },
      initialise: { level: FIRST, until: new Date(Date.now() + 3_600_000).toISOString() },
    };
    writeFileSync(join(first.folder, "stacks/Pulumi.mainnet.yaml"), stackFile(config));
    const up = await first.run("pulumi stack init mainnet && npm run up");
    expect(up.failed, up.output).to.equal(false);
    old = open.use(await Site.of(azure, tokens));
  });
  beforeEach(function () {
    requires(this, pulumiFolder() !== undefined, NO_CLI);
    requires(
      this,
      hasProgram("script") && hasProgram("jq"),
      "script(1) makes the pseudo-terminal, and the page uses jq",
    );
  });
  after(() => open.disposeAsync());

  it("begins with a stack that signs, and an export that is older than its last signature", async () => {
    const made = await keys(
      ["generate", "--curve", "P-256"],
      [
        [/hide it\. $/, ""],
        [/from the paper: $/, shownPassphrase],
      ],
      { cwd: first.folder },
    );
    passphrase = shownPassphrase(made.screen);
    address = /^ +Address +(tz3\w+)$/m.exec(made.screen)?.[1] ?? "";
    await bring(old, "new");
    await using signer = await old.start();
    first.machine = old.env;
    for (let level = FIRST + 1; level <= HEAD; level += 1) {
      for (const kind of Object.keys(KINDS) as Kind[]) {
        expect(await ask("old", signer, kind, level, false, wallets[0]), `${kind} ${level}`).to.equal(200);
      }
      if (level !== EXPORTED) continue;
      const { failed, output } = await first.run(block(TAKEOVER.stop, "watermarks export"));
      expect(failed, output).to.equal(false);
    }
    const { watermarks } = JSON.parse(readFileSync(join(first.folder, "marks.json"), "utf8"));
    expect(watermarks.map(({ level }: { level: number }) => level)).to.deep.equal([EXPORTED, EXPORTED, EXPORTED]);
  });

  it("takes the old client's key away: the old signer, should it come back, answers the new one's 401", async () => {
    expect(block(TAKEOVER.stop, "forget address")).to.include("gen keys signer-access-2");
    await using back = await old.start();
    const { signature, message } = await sign(back.url, address, payload("attestation", HEAD + 1).toString("hex"), {
      authenticate: wallets[1],
      retries: 0,
    });
    expect(signature).to.equal(undefined);
    expect(message).to.match(/no authorized key/);
  });

  it("makes a new stack in another subscription and region, by the page's lines", async () => {
    await old.vault.stop(); // The region is gone.
    const name = "stacks/Pulumi.mainnet.yaml";
    writeFileSync(join(second.folder, name), readFileSync(join(first.folder, name)));
    const floor = await second.run(block(TAKEOVER.floor, "floor.json").replace("tz3…", address));
    expect(floor.failed, floor.output).to.equal(false);
    const lines = block(TAKEOVER.stack, "stack init").replace("edpk…", await wallets[1].publicKey());
    const { failed, output } = await second.run(lines);
    expect(failed, output).to.equal(false);
    expect(elsewhere.ofType("azure-native:keyvault:Vault")[0]?.inputs).to.include({ location: "westeurope" });
    fresh = open.use(await Site.of(elsewhere, tokens));
    expect(fresh.storeId).not.to.equal(old.storeId);
  });

  it("brings the key in unbound, so that the new signer does not sign before the marks are there", async () => {
    await bring(fresh, "elsewhere");
    await using signer = await fresh.start();
    expect(await ask("new", signer, "attestation", HEAD + 30, false, wallets[1])).to.not.equal(200);
  });

  it("brings the floor and the old marks to the new machine, by the page's lines", async () => {
    writeFileSync(join(second.folder, "marks.json"), readFileSync(join(first.folder, "marks.json")));
    second.machine = { ...fresh.env, HEAD: String(HEAD) };
    const on = block(TAKEOVER.stop, "on() {").split("\nGROUP=")[0] ?? "";
    const { failed, output } = await second.run(`${on}\n${block(TAKEOVER.marks, "watermarks show")}`);
    expect(failed, output).to.equal(false);
    const shown = output.slice(output.lastIndexOf(fresh.storeId));
    for (const kind of Object.keys(KINDS)) expect(shown, output).to.match(new RegExp(`${kind} +level ${HEAD + 20} `));
  });

  it("signs above the floor once the key is bound, and no position twice", async () => {
    const bound = await online(
      keyWords(line(TAKEOVER.again, "keys bind"), { $VAULT: fresh.vault.url, $STORE: fresh.storeId }),
      [
        [/stopped for good\? \[y\/N\] $/, "y"],
        [/or did it never sign\? \[y\/N\] $/, "y"],
        [/characters of the address: $/, address.slice(-6)],
      ],
    );
    expect(bound.code, bound.screen).to.equal(0);
    await using signer = await fresh.start();
    for (let level = FIRST; level <= HEAD + 20; level += 1) {
      for (const kind of Object.keys(KINDS) as Kind[]) {
        for (const other of [true, false]) {
          expect(await ask("new", signer, kind, level, other, wallets[1]), `${kind} ${level}`).to.not.equal(200);
        }
      }
    }
    for (const kind of Object.keys(KINDS) as Kind[]) {
      expect(await ask("new", signer, kind, HEAD + 21, false, wallets[1]), kind).to.equal(200);
    }
    expect(twice()).to.deep.equal([]);
  });

  it("would sign positions twice with the export alone: it is the floor that holds", async () => {
    await using careless = await Site.of(elsewhere, tokens, `t${fresh.storeId}careless`);
    await bring(careless, "new", "careless");
    second.machine = careless.env;
    const on = block(TAKEOVER.stop, "on() {").split("\nGROUP=")[0] ?? "";
    const marks = line(TAKEOVER.marks, "< marks.json");
    const { failed, output } = await second.run(`${on}\nGROUP=x\n${marks}`);
    expect(failed, output).to.equal(false);
    await using signer = await careless.start();
    const from = signed.length;
    await ask("new", signer, "attestation", EXPORTED, true, wallets[1]);
    expect(twice()).to.deep.equal([]);
    expect(await ask("new", signer, "attestation", HEAD, true, wallets[1])).to.equal(200);
    expect(twice()).to.deep.equal([`attestation ${HEAD}`]);
    signed.length = from;
  });

  /** Positions for which the old and the new signer gave signatures of different bytes. */
  function twice(): string[] {
    const place = ({ kind, level }: (typeof signed)[number]) => `${kind} ${level}`;
    const others = new Set(signed.filter(({ other }) => other).map(place));
    return [...new Set(signed.filter((each) => !each.other && others.has(place(each))).map(place))];
  }
});

/** Secret keys of clients, of no worth. */
const EDSK = "edsk3gUfUPyBSfrS9CCgmCiQsTCHGkviBDusMxDJstFtojtc1zcpsh";
const OTHER_EDSK = "edsk39qAm1fiMjgmPkw1EgQYkMzkJezLNewd7PLNHTkr6w9XA2zdfo";
