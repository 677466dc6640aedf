import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { makeRelease } from "../../../release/make.ts";
import { STORE_TAG } from "../../../signer/contract.ts";
import { Cloud } from "../../emulators/azure-resource-manager/cloud.ts";
import { Engine, pulumiFolder } from "../../emulators/azure-resource-manager/engine.ts";
import { text } from "../../emulators/azure-resource-manager/properties.ts";
import { TokenAuthority } from "../../emulators/key-vault/tokens.ts";
import { sign } from "../../emulators/octez-client.ts";
import { attestation, MAINNET } from "../../fixtures/payloads.ts";
import { SSH_KEY } from "../../fixtures/stack-configs.ts";
import { requires } from "../../harness/requires.ts";
import { kept, NO_CLI, requests, VAULT } from "../stack.ts";
import { block } from "./disaster-page.ts";
import { Checkout, IMPORTER, Site, stackFile } from "./disaster-site.ts";

const KEY = "azure-native:keyvault:Key";
const GROUP = "azure-native:resources:ResourceGroup";
const LEVEL = 9_000_000;

const page = (name: string) => readFileSync(new URL(`../../../docs/${name}.md`, import.meta.url), "utf8");

/** The blocks of docs/destroy.md, "Bring a vault back". */
const [BACK = "", ONWARD = ""] = [
  ...(page("destroy").split("## Bring a vault back\n")[1]?.split("\n## ")[0] ?? "").matchAll(
    /^```sh\n([\s\S]*?)^```$/gm,
  ),
].map(([, code = ""]) => code);

describe("a vault that is away or was deleted, as the pages say it, one story whose tests follow on each other", function () {
  this.timeout(600_000);
  const cloud = new Cloud();
  const tokens = new TokenAuthority();
  const open = new AsyncDisposableStack();
  let operator: Checkout;
  let name = "";

  async function succeeds(script: string): Promise<string> {
    const { failed, output } = await operator.run(script);
    expect(failed, `${script}\n${output}`).to.equal(false);
    return output;
  }
  async function fails(script: string): Promise<string> {
    const { failed, output } = await operator.run(script);
    expect(failed, `${script}\n${output}`).to.equal(true);
    return output;
  }
  const deleteByHand = (type: string) => {
    for (const { id } of cloud.ofType(type)) cloud.delete(type, "by hand", id);
    cloud.calls.length = 0;
  };

  before(async () => {
    const folder = pulumiFolder();
    if (folder === undefined) return;
    await makeRelease(resolve(import.meta.dirname, "../../.."), () => undefined);
    const engine = open.adopt(await Engine.start(cloud, folder), (each) => each.close());
    operator = open.use(new Checkout(engine, LEVEL, cloud));
    Object.assign(cloud.deployer, { objectId: IMPORTER.objectId, address: "203.0.113.20" });
    const config = {
      location: "northeurope",
      bakerIp: "84.20.17.5",
      sshPublicKey: SSH_KEY,
      authorizedKeys: "none",
      chains: [MAINNET],
      initialise: { level: LEVEL, until: new Date(Date.now() + 3_600_000).toISOString() },
      keys: [{ name: "baker", curve: "P-256", source: "generate" }],
    };
    writeFileSync(join(operator.folder, "stacks/Pulumi.mainnet.yaml"), stackFile(config));
    await succeeds("pulumi stack init mainnet && npm run up");
    name = text(cloud.ofType(VAULT)[0]?.outputs, "name");
  });
  beforeEach(function () {
    requires(this, pulumiFolder() !== undefined, NO_CLI);
    cloud.calls.length = 0;
  });
  after(() => open.disposeAsync());

  it("one that does not answer costs a 502 for each request, and is signed with again when it is back, without a restart", async () => {
    await using site = await Site.of(cloud, tokens);
    site.vault.createKey("baker", { tags: { [STORE_TAG]: site.storeId } });
    await using signer = await site.start();
    const [address = ""] = signer.addresses;
    let level = LEVEL + 1;
    const ask = async () => {
      level += 1;
      return (await sign(signer.url, address, attestation({ level }).toString("hex"), { retries: 0 })).status;
    };
    expect(await ask()).to.equal(200);
    await site.vault.goAway();
    expect([await ask(), await ask()]).to.deep.equal([502, 502]);
    await site.vault.comeBack();
    let status = 0;
    for (let tries = 0; status !== 200 && tries < 30; tries += 1) status = await ask();
    expect(status).to.equal(200);
  });

  const RECOVER = /`(az keyvault recover --name NAME[^`]+)`/.exec(block0())?.[1] ?? "";
  const recover = () => succeeds(RECOVER.replace("NAME", name));

  it("alone is brought back by one command, with firewall, rights and keys, and Pulumi finds nothing to change", async () => {
    const before = kept(cloud);
    deleteByHand(VAULT);
    expect(cloud.ofType(KEY)).to.deep.equal([]);
    await recover();
    expect(kept(cloud)).to.deep.equal(before);
    expect(await succeeds("npm run preview")).to.match(/Resources:\s+\d+ unchanged/);
  });

  it("gives back a key that somebody deleted in it, by the page's lines, and nobody's rights stay", async () => {
    const before = kept(cloud);
    const typed = (lines: string) => succeeds(lines.replaceAll("VAULT", name));
    const lines = block("The vault", "key recover");
    await typed(
      lines.replace("permissions get recover", "permissions delete").replace(/^ *az keyvault key recover.*$/m, ""),
    );
    for (const { type, id } of cloud.ofType(KEY)) cloud.delete(type, "by hand", id);
    expect(cloud.ofType(KEY)).to.deep.equal([]);
    await typed(lines);
    expect(cloud.ofType(KEY)).to.have.length(1);
    expect(JSON.stringify(cloud.ofType(VAULT))).to.include(IMPORTER.objectId);
    await succeeds("pulumi refresh");
    expect(await succeeds("npm run up")).to.match(/~ 1 updated\s+\d+ unchanged/);
    expect(kept(cloud)).to.deep.equal(before);
  });

  it("is not known to Pulumi after a refresh that came too early, and is again by the copy of Pulumi's memory", async () => {
    const copies = join(operator.folder, "copies");
    mkdirSync(copies);
    await succeeds(block("What is kept where", "stack export").replaceAll("/media/$USER/COPIES", copies));
    deleteByHand(VAULT);
    await succeeds("pulumi refresh");
    await recover();
    cloud.calls.length = 0;
    expect(await fails("npm run up")).to.match(/this signer had the vault .*put the copy of Pulumi's memory back/s);
    await succeeds("pulumi stack import --file copies/mainnet-state.json");
    expect(await succeeds("npm run preview")).to.match(/Resources:\s+\d+ unchanged/);
    expect(requests(cloud).filter((request) => !/^(read|create vault)/.test(request))).to.deep.equal([]);
  });

  it("comes back after its group was destroyed by the page's lines, and not without the group", async () => {
    await succeeds("npm run destroy");
    expect([...cloud.resources.keys()]).to.deep.equal([]);
    const lines = BACK.replaceAll("NAME", name);
    const without = lines.split("\n").filter((line) => !line.startsWith("az group create"));
    expect(await fails(without.join("\n"))).to.include("ResourceGroupNotFound");
    const said = await succeeds(lines);
    expect(said).to.include(name).and.to.include("/resourceGroups/tezos-signer-mainnet/");
    expect(cloud.ofType(KEY)).to.have.length(1);
  });

  it("is no stack's: while its group is there the old stack ends at the group and a new one takes the key over", async () => {
    const before = [...cloud.resources.keys()];
    expect(await fails("npm run up")).to.match(/group.*cannot create already existing resource/s);
    expect([...cloud.resources.keys()]).to.deep.equal(before);
    await succeeds("npm run destroy"); // forgets what the failed one has made, which is nothing in Azure
    expect([...cloud.resources.keys()]).to.deep.equal(before);

    const lines = block("3. The new stack", "stack init")
      .replace(/^az account set.*$/m, "")
      .replace(/^pulumi config set --path 'authorizedKeys.*$/m, "");
    await succeeds(lines);
    const [old, fresh] = cloud.ofType(VAULT);
    expect(old?.outputs.name).to.equal(name);
    expect(fresh?.inputs.location).to.equal("westeurope");
    await succeeds(`ME=${IMPORTER.objectId}; ${ONWARD.replaceAll("NAME", name)}`);
    const key = cloud.get(`${fresh?.id}/keys/baker`);
    // Bound to the old store still: no signer uses it before step 6.
    expect(key?.inputs.tags).to.deep.equal(cloud.get(`${old?.id}/keys/baker`)?.inputs.tags);
    expect(key?.inputs.tags).not.to.deep.equal({ [STORE_TAG]: text(fresh?.outputs, "name").replace("tezos-", "") });
    await succeeds(block("6. Sign again", "config rm keyImporter").split("pulumi stack export")[0] ?? "");
    expect(JSON.stringify(cloud.get(fresh?.id ?? "")?.inputs)).not.to.include(IMPORTER.objectId);
    expect(cloud.get(`${fresh?.id}/keys/baker`)).not.to.equal(undefined);
    expect(cloud.ofType(GROUP)).to.have.length(2);
  });
});

/** docs/disaster.md, "The vault". */
function block0(): string {
  return page("disaster").split("\n## The vault\n")[1]?.split("\n## ")[0] ?? "";
}
