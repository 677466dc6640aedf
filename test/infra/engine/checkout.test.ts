import { resolve } from "node:path";
import { expect } from "chai";
import { ANNOUNCED_RELEASE } from "../../../infra/release/announced-release.ts";
import { makeRelease } from "../../../release/make.ts";
import { Cloud } from "../../emulators/azure-resource-manager/cloud.ts";
import { Engine, pulumiFolder } from "../../emulators/azure-resource-manager/engine.ts";
import { requires } from "../../harness/requires.ts";

describe("Pulumi's command line on this checkout, one story whose tests follow on each other", function () {
  this.timeout(180_000); // a first release is fetched
  const cloud = new Cloud();
  let engine: Engine | undefined;
  let pulumi: ReturnType<Engine["checkout"]>;

  /** Provider programs are not fetched: the fake is attached instead. */
  const OFFLINE = "--skip-plugin-pre-install";

  before(async () => {
    const folder = pulumiFolder();
    if (folder === undefined) return;
    // Made here, with this user's settings of npm; the program below has a home of its own, and finds it.
    await makeRelease(resolve(import.meta.dirname, "../../.."), () => undefined);
    engine = await Engine.start(cloud, folder);
    pulumi = engine.checkout();
    expect((await pulumi("stack", "init", "dev")).failed).to.equal(false);
  });

  beforeEach(function () {
    requires(this, engine !== undefined, "no Pulumi CLI on PATH or in the cache; .ci/pulumi-cli builds one");
  });

  after(() => engine?.close());

  it("tells all mistakes in one round, wrong types and missing values among them", async () => {
    const location = (await pulumi("config", "get", "location")).output.trim();
    await pulumi("config", "rm", "location");
    await pulumi("config", "set", "monitoring", "maybe");
    await pulumi("config", "set", "--path", "tags.stack", "mine");
    await pulumi("config", "set", "--path", "keys[0].curve", "P256");
    await pulumi("config", "rm", "bakerIp");
    await pulumi("config", "set", "--path", "bakerIp[0]", "203.0.113.7");
    await pulumi("config", "set", "--path", "bakerIp[1]", "10.0.0.4");
    const { failed, output } = await pulumi("preview", OFFLINE);
    expect(failed, output).to.equal(true);
    for (const line of [
      "has 5 mistakes; nothing was changed",
      "location: is missing",
      "bakerIp: 10.0.0.4 is private",
      "keys[0].curve = P256: is neither P-256 (tz3) nor P-256K (tz2)",
      "monitoring = maybe: is neither true nor false",
      "tags.stack = mine: is a tag of the stack's own; take another name",
    ]) {
      expect(output).to.include(line);
    }
    await pulumi("config", "set", "location", location);
    await pulumi("config", "set", "bakerIp", "203.0.113.7");
    await pulumi("config", "rm", "monitoring");
    await pulumi("config", "rm", "tags");
    await pulumi("config", "set", "--path", "keys[0].curve", "P-256");
  });
  it("names the successor of a size that Azure has no room for, as a command, where its list says nothing of it", async () => {
    cloud.offer.failures.set("Standard_B1s", "AllocationFailed");
    cloud.deployer.readsCompute = false;
    const unasked = await pulumi("up", "--yes", "--skip-preview", OFFLINE);
    expect(unasked.output).to.match(
      /which other one it has it does not say \(.*403 AuthorizationFailed\): `az vm list-skus/,
    );
    cloud.deployer.readsCompute = true;
    cloud.offer.limits.standardBasv2Family = 0;
    const { failed, output } = await pulumi("up", "--yes", "--skip-preview", OFFLINE);
    expect(failed, output).to.equal(true);
    expect(output).to.include("AllocationFailed");
    expect(output).to.include("set its successor: pulumi config set vmSize Standard_B2ts_v2");
    delete cloud.offer.limits.standardBasv2Family;
  });

  it("names the successor of a size that Azure refuses, as a command", async () => {
    cloud.refusedSizes.add("Standard_B1s");
    const { failed, output } = await pulumi("up", "--yes", "--skip-preview", OFFLINE);
    expect(failed, output).to.equal(true);
    expect(output).to.include("set its successor: pulumi config set vmSize Standard_B2ats_v2");
  });

  it("obeys that command, takes a key importer by path, and brings the rest of the stack up", async () => {
    await pulumi("config", "set", "vmSize", "Standard_B2ats_v2");
    await pulumi("config", "set", "--path", "keyImporter.objectId", "aaaaaaaa-1111-4222-8333-444444444444");
    await pulumi("config", "set", "--path", "keyImporter.ip", "198.51.100.4");
    const { failed, output } = await pulumi("up", "--yes", "--skip-preview", OFFLINE);
    expect(failed, output).to.equal(false);
    expect(output).to.match(/signerUrl\s*: "http:\/\/20\.50\.100\.10:6732"/);
    expect(JSON.stringify(cloud.ofType("azure-native:keyvault:Vault"))).to.include("198.51.100.4/32");
  });

  it("moves the firewall by config set bakerIp, in place, with nothing else", async () => {
    await pulumi("config", "set", "bakerIp", "203.0.113.9");
    const { failed, output } = await pulumi("up", "--yes", "--skip-preview", OFFLINE);
    expect(failed, output).to.equal(false);
    expect(output).to.match(/~ 1 updated\s+26 unchanged/);
  });

  it("leaves the machine alone that would be replaced by one that Azure has not, and says so without a stack trace", async () => {
    cloud.refusedSizes.add("Standard_B2als_v2");
    await pulumi("config", "set", "vmSize", "Standard_B2als_v2");
    cloud.calls.length = 0;
    const { failed, output } = await pulumi("up", "--yes", "--skip-preview", OFFLINE);
    expect(failed, output).to.equal(true);
    expect(output)
      .to.include("this subscription does not get Standard_B2als_v2 here")
      .and.to.include("Nothing was done to the one that runs");
    expect(output).not.to.match(/\n\s+at /);
    expect(cloud.calls).to.deep.equal([]);
    await pulumi("config", "set", "vmSize", "Standard_B2ats_v2");
  });

  it("refuses in one sentence another release than was announced, and asks Azure for nothing", async () => {
    const untouched = new Cloud();
    const announced = await Engine.start(untouched, pulumiFolder() ?? "", { [ANNOUNCED_RELEASE]: "ab".repeat(32) });
    try {
      const run = announced.checkout();
      expect((await run("stack", "init", "dev")).failed).to.equal(false);
      for (const command of [["preview"], ["up", "--yes", "--skip-preview"]]) {
        const { failed, output } = await run(...command, OFFLINE);
        expect(failed, output).to.equal(true);
        expect(output).to.match(
          /the release is [0-9a-f]{12} now and not abababababab, which was announced: .+; run `npm run up` again\n/,
        );
        expect(output).not.to.match(/\n\s+at /);
      }
      expect(untouched.calls).to.deep.equal([]);
    } finally {
      announced.close();
    }
  });

  it("destroys what it made", async () => {
    const { failed, output } = await pulumi("destroy", "--yes", "--skip-preview");
    expect(failed, output).to.equal(false);
    expect([...cloud.resources.keys()]).to.deep.equal([]);
  });
});
