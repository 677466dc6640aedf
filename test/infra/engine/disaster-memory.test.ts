import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { makeRelease } from "../../../release/make.ts";
import { Cloud } from "../../emulators/azure-resource-manager/cloud.ts";
import { Engine, pulumiFolder } from "../../emulators/azure-resource-manager/engine.ts";
import { SSH_KEY } from "../../fixtures/stack-configs.ts";
import { requires } from "../../harness/requires.ts";
import { kept, MACHINE, NO_CLI, requests, VAULT } from "../stack.ts";
import { block } from "./disaster-page.ts";
import { Checkout, stackFile } from "./disaster-site.ts";

const CONFIG = {
  location: "northeurope",
  bakerIp: "84.20.17.5",
  sshPublicKey: SSH_KEY,
  authorizedKeys: "none",
  keys: [{ name: "baker", curve: "P-256", source: "generate" }],
};
const KEY = "azure-native:keyvault:Key";
const RECOVER = "node infra/recovery/main.ts --yes"; // npm run recover -- --yes

describe("what docs/disaster.md and docs/change.md say of accidents, one story whose tests follow on each other", function () {
  this.timeout(1_200_000);
  const cloud = new Cloud();
  const open = new AsyncDisposableStack();
  let operator: Checkout;

  /** A computer with another memory of Pulumi's, for the same Azure. */
  async function computer(): Promise<Checkout> {
    const engine = await Engine.start(cloud, pulumiFolder() ?? "");
    open.defer(() => engine.close());
    return open.use(new Checkout(engine, 0, cloud));
  }

  /** Writes the stack's file as an editor would, with Pulumi's own lines kept. */
  function edit(config: Readonly<Record<string, unknown>>): void {
    const path = join(operator.folder, "stacks/Pulumi.mainnet.yaml");
    const salt = /^encryptionsalt:.*$/m.exec(readFileSync(path, "utf8"))?.[0] ?? "";
    writeFileSync(path, `${salt}\n${stackFile(config)}`);
  }

  async function succeeds(script: string, by = operator): Promise<string> {
    const { failed, output } = await by.run(script);
    expect(failed, output).to.equal(false);
    return output;
  }
  async function fails(script: string, by = operator): Promise<string> {
    const { failed, output } = await by.run(script);
    expect(failed, output).to.equal(true);
    return output;
  }

  before(async () => {
    if (pulumiFolder() === undefined) return;
    await makeRelease(resolve(import.meta.dirname, "../../.."), () => undefined);
    operator = await computer();
    writeFileSync(join(operator.folder, "stacks/Pulumi.mainnet.yaml"), stackFile(CONFIG));
    await succeeds("pulumi stack init mainnet && npm run up");
  });
  beforeEach(function () {
    requires(this, pulumiFolder() !== undefined, NO_CLI);
    cloud.calls.length = 0;
  });
  after(() => open.disposeAsync());

  it("begin by stopping every machine that the stack has, the second one of a pair too", async () => {
    const [machine] = cloud.ofType(MACHINE);
    if (machine === undefined) throw new Error("there is no machine");
    const second = { ...machine, id: `${machine.id}-2` };
    cloud.hold(second);
    const ids = [machine, second].map(({ id }) => id.toLowerCase());
    for (const [heading, part] of [
      ["# When something is lost", "vm deallocate"],
      ["1. Stop the old one for good", "vm deallocate"],
    ] as const) {
      await succeeds(block(heading, part));
      expect([...cloud.stopped], heading).to.have.members(ids);
      cloud.stopped.clear();
    }
    cloud.resources.delete(second.id.toLowerCase());
  });

  it("a machine that is gone is made again, and nothing else is touched", async () => {
    const before = kept(cloud);
    const [, start = "", gone = "", refresh = "", up = ""] = block("The machine", "pulumi refresh").split("\n");
    await succeeds(start);
    await succeeds(gone);
    expect(cloud.ofType(MACHINE)).to.deep.equal([]);
    cloud.calls.length = 0;
    expect([refresh, up]).to.deep.equal(["pulumi refresh", "npm run up"]);
    expect(await succeeds(refresh)).to.match(/- 2 deleted/);
    await succeeds(up);
    expect(requests(cloud).filter((request) => !request.startsWith("read"))).to.deep.equal([
      ...["create machine", "create await-ready"],
    ]);
    expect(kept(cloud)).to.deep.equal(before);
  });

  it("a table that is gone is made again, empty", async () => {
    for (const { type, id } of cloud.ofType("azure-native:storage:Table")) cloud.delete(type, "by hand", id);
    await succeeds("pulumi refresh");
    cloud.calls.length = 0;
    await succeeds("npm run up");
    expect(requests(cloud)).to.deep.equal(["create watermarks"]);
  });

  it("a lost passphrase costs a line of the stack's file, and replaces nothing", async () => {
    const chosen = (passphrase: string) => block("Pulumi's passphrase", "encryptionsalt").replace("'…'", passphrase);
    expect(await fails("export PULUMI_CONFIG_PASSPHRASE=another; npm run up")).to.include("incorrect passphrase");
    expect(await succeeds(chosen("another"))).to.match(/Resources:\s+\d+ unchanged/);
    // A value that was kept secret is lost with it, and is set anew. It is one that the stack has already.
    const set = `pulumi config set bakerIp ${CONFIG.bakerIp}`;
    await succeeds(`export PULUMI_CONFIG_PASSPHRASE=another; ${set} --secret`);
    // The passphrase that the rest of the story has.
    expect(await fails(chosen('"$PULUMI_CONFIG_PASSPHRASE"'))).to.include("cipher: message authentication failed");
    expect(cloud.calls).to.deep.equal([]);
    expect(await succeeds(`${set}; npm run up`)).to.match(/Resources:\s+\d+ unchanged/);
    expect(cloud.calls).to.deep.equal([]);
  });

  it("Pulumi's memory comes back from its copy, and finds nothing to change", async () => {
    const other = await computer();
    const copies = mkdtempSync(join(other.folder, "copies-"));
    const typed = (lines: string) => lines.replaceAll("/media/$USER/COPIES", copies);
    await succeeds(typed(block("What is kept where", "stack export")));
    const { version } = JSON.parse(readFileSync(resolve(import.meta.dirname, "../../../package.json"), "utf8"));
    expect(await succeeds(typed(block("Pulumi's memory", "jq")))).to.equal(`${version}\n`);
    const back = block("Pulumi's memory", "stack import").replace("pulumi login --local --non-interactive\n", ""); // the engine's own folder
    const output = await succeeds(typed(back), other);
    expect(output.slice(output.lastIndexOf("Previewing"))).to.match(/Resources:\s+\d+ unchanged/);
    expect(requests(cloud).filter((request) => !request.startsWith("read"))).to.deep.equal([]);
  });

  it("an old copy lacks what was made since, which recover takes in, in as many rounds as it needs", async () => {
    await succeeds("pulumi stack export --file old.json && pulumi config set monitoring true && npm run up");
    const before = kept(cloud);
    await succeeds("pulumi stack import --file old.json");
    expect(await fails("npm run up")).to.match(/cannot create already existing resource/);
    await succeeds("pulumi stack import --file old.json"); // what that up has done is not part of the question
    expect(await succeeds(RECOVER)).to.match(
      /^To be made, and there already:.*people was being made, and Azure has it/s,
    );
    // What was changed since, the firewall, the machine's settings and the wait for it, is changed to the same once more.
    expect(await succeeds("npm run preview")).to.match(/Resources:\s+~ 3 to update\s+\d+ unchanged/);
    await succeeds("npm run up");
    expect(await succeeds("npm run preview")).to.match(/Resources:\s+\d+ unchanged/);
    expect(kept(cloud)).to.deep.equal(before);
    await succeeds("pulumi config rm monitoring && npm run up && rm old.json before-recovery-*.json");
  });

  it("without the copy an up fails at the group and changes nothing", async () => {
    const other = await computer();
    writeFileSync(join(other.folder, "stacks/Pulumi.mainnet.yaml"), stackFile(CONFIG));
    const before = [...cloud.resources.keys()];
    expect(await fails("pulumi stack init mainnet && npm run up", other)).to.match(
      /group.*cannot create already existing resource/s,
    );
    expect([...cloud.resources.keys()]).to.deep.equal(before);
  });

  it("a generated key that is taken out of the settings stays in the vault, and put back is refused by name", async () => {
    edit({ ...CONFIG, keys: [] });
    expect(await succeeds("npm run up")).to.match(/1 deleted|- 1 /);
    expect(cloud.ofType(KEY)).to.have.length(1);
    edit(CONFIG);
    expect(await fails("npm run up")).to.match(/baker.*cannot create already existing resource/s);
    expect(cloud.ofType(KEY)).to.have.length(1);
  });

  it("that key is left out, or taken back into Pulumi's memory by recover", async () => {
    expect(await succeeds(RECOVER)).to.include("baker was being made, and Azure has it: Pulumi is told of it");
    const output = await succeeds("npm run up");
    expect(output).not.to.match(/replaced|deleted|created/);
    expect(cloud.ofType(KEY)).to.have.length(1);
    expect(await succeeds("npm run preview")).to.match(/Resources:\s+\d+ unchanged/);
  });

  it("a destroy that somebody's lock would refuse does nothing, and one that Azure refuses unasked is undone by its copy", async () => {
    const [group = { id: "" }] = cloud.ofType("azure-native:resources:ResourceGroup");
    const before = [...cloud.resources.keys()];
    const copy = "before-destroy-mainnet-*.json";
    const lock = cloud.locks.byHand(cloud, group.id, "CanNotDelete");
    const refused = await fails("npm run destroy");
    expect(refused).to.match(
      /^destroy: nothing was changed: somebody-s \(CanNotDelete\) holds the stack's group: .+\n$/,
    );
    expect(requests(cloud)).to.deep.equal([]);
    // Azure does not always tell of locks.
    cloud.account.faults.push({ path: /\/locks$/, status: 403 });
    const stopped = await fails("npm run destroy");
    cloud.account.faults.length = 0;
    expect(stopped).to.match(/ScopeLocked.*destroy: it did not come to its end.*before-destroy-mainnet-\S+\.json/s);
    await succeeds(/: (az lock delete .+)$/m.exec(refused)?.[1] ?? "");
    expect(cloud.get(lock)).to.equal(undefined);
    const page = readFileSync(new URL("../../../docs/destroy.md", import.meta.url), "utf8");
    const [, back = ""] = /```sh\n(pulumi stack import --file before-destroy[\s\S]+?)```/.exec(page) ?? [];
    cloud.calls.length = 0;
    expect(await succeeds(back.replace(/before-destroy\S+/, copy))).to.match(/Resources:\s+\d+ unchanged/);
    expect(requests(cloud)).to.deep.equal([]);
    expect([...cloud.resources.keys()]).to.deep.equal(before);
    await succeeds(`rm ${copy}`);
  });

  it("a group that was deleted by hand leaves the vault's name taken by oneself, and destroy and up choose another", async () => {
    const [vault] = cloud.ofType(VAULT);
    for (const { type, id } of cloud.ofType("azure-native:resources:ResourceGroup")) cloud.delete(type, "by hand", id);
    await operator.run("pulumi refresh");
    expect(await fails("npm run up")).to.match(/this signer had the vault .*npm run destroy, then npm run up/s);
    expect([...cloud.resources.keys()]).to.deep.equal([]);
    await succeeds("npm run destroy");
    expect((await operator.run("ls before-destroy-*")).failed).to.equal(true); // the copy went with the stack
    await succeeds("npm run up");
    expect(cloud.ofType(VAULT)[0]?.outputs.name).not.to.equal(vault?.outputs.name);
  });

  it("a vault's name that somebody else has is told by another code, and destroy and up choose another", async () => {
    await succeeds("npm run destroy");
    cloud.faults.set("vault", "create");
    await fails("npm run up");
    const id = `pulumi stack export | jq -r '.deployment.resources[] | select(.type | test("RandomId")) | .outputs.hex'`;
    cloud.taken.add(`tezos-${/\b[0-9a-f]{16}\b/.exec(await succeeds(id))?.[0]}`);
    expect(await fails("npm run up")).to.match(/vault.*VaultAlreadyExists/s);
    await succeeds("npm run destroy");
    await succeeds("npm run up");
  });
});
