import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { build, readSettings } from "../../../infra/index.ts";
import { earlierReleases } from "../../../infra/release/earlier-releases.ts";
import { text } from "../../emulators/azure-resource-manager/properties.ts";
import { release, SSH_KEY } from "../../fixtures/stack-configs.ts";
import { BLOB, kept, MACHINE_REPLACED, program, released, requests, told } from "../stack.ts";
import { story } from "../story.ts";

describe("releases on Pulumi's engine, one story whose tests follow on each other", function () {
  this.timeout(300_000);
  const folder = join(mkdtempSync(join(tmpdir(), "tezos-signer-releases-")), ".release");
  /** What the released files hold: source, units, nftables. Its hash names the release. */
  let content = "first";
  const signer = story({
    name: "dev",
    program: async () => {
      // As a checkout holds it: the file of its own release, and of no other.
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder);
      const file = join(folder, release(content).name);
      writeFileSync(file, content);
      const fromFile = { ...release(content), source: new pulumi.asset.FileAsset(file) };
      return build(readSettings(), fromFile, await earlierReleases(), "IyBvbmUK");
    },
  });
  const { cloud } = signer;

  const uploaded = () => cloud.ofType(BLOB).map(({ outputs }) => text(outputs, "name"));

  after(() => rmSync(join(folder, ".."), { recursive: true }));

  it("tell the machine where its release is, by which hash, and under which identity", () => {
    const { sha256, name } = release("first");
    const [account] = cloud.ofType(BLOB).map(({ inputs }) => text(inputs, "accountName"));
    expect(account).to.match(/^tzrel[0-9a-f]{16}$/);
    const url = `https://${account}.blob.core.windows.net/releases/${name}`;
    const { release: named, machine, settings } = told(cloud);
    expect(named).to.deep.equal({ version: "0.2.0", sha256, url, clientId: settings.keys.clientId });
    expect(machine).to.deep.equal({ ssh: false, maintenance: "04:30" });
    expect(text(cloud.ofType(BLOB)[0]?.outputs, "url")).to.equal(url);
  });

  it("cause no operation where they are equal, wherever their file is", async () => {
    expect((await signer.stack.preview()).operations).to.deep.equal([]);
    expect((await signer.stack.up()).operations).to.deep.equal([]);
  });

  it("add one blob and one update of the machine, and nothing else, where one file has changed", async () => {
    content = "second";
    const before = kept(cloud);
    expect((await signer.stack.preview()).operations).to.deep.equal([
      `create ${released("second")}`,
      "update machine",
      "update await-ready",
    ]);
    const { operations, outputs } = await signer.stack.up();
    expect(operations).to.deep.equal([`create ${released("second")}`, "update machine", "update await-ready"]);
    expect(requests(cloud)).to.deep.equal([`create ${released("second")}`, "update machine", "update await-ready"]);
    expect(outputs).to.include({ version: "0.2.0", release: release("second").sha256 });
    expect(told(cloud).release.sha256).to.equal(release("second").sha256);
    expect(kept(cloud)).to.deep.include(before);
  });

  it("leave the machine as it was told where an upload fails, and are uploaded by the next up", async () => {
    content = "third";
    cloud.faults.set(released("third"), "create");
    expect((await signer.stack.up()).failed).to.equal(true);
    expect(told(cloud).release.sha256).to.equal(release("second").sha256);
    expect((await signer.stack.up()).operations).to.deep.equal([
      `create ${released("third")}`,
      "update machine",
      "update await-ready",
    ]);
  });

  it("go back without an upload, to any that was there before", async () => {
    for (const word of ["second", "first", "third"]) {
      content = word;
      cloud.calls.length = 0;
      expect((await signer.stack.preview()).operations, word).to.deep.equal(["update machine", "update await-ready"]);
      expect((await signer.stack.up()).operations, word).to.deep.equal(["update machine", "update await-ready"]);
      expect(requests(cloud), word).to.deep.equal(["update machine", "update await-ready"]);
      expect(told(cloud).release.sha256).to.equal(release(word).sha256);
    }
    expect(uploaded()).to.have.members(["first", "second", "third"].map((word) => release(word).name));
  });

  it("are found by a refresh as Pulumi remembers them", async () => {
    expect(Object.keys(await signer.stack.refresh())).to.deep.equal(["same"]);
    expect((await signer.stack.up()).operations).to.deep.equal([]);
  });

  it("are uploaded again where somebody deleted them", async () => {
    for (const { id } of cloud.ofType(BLOB)) cloud.delete(BLOB, "by hand", id);
    await signer.stack.refresh();
    expect((await signer.stack.up()).operations).to.deep.equal([`create ${released("third")}`]);
    expect(uploaded()).to.deep.equal([release("third").name]);
  });

  it("stay when the machine is replaced for another size, image or SSH key", async () => {
    for (const [key, value] of [
      ["vmSize", "Standard_B2ats_v2"],
      ["image", "Canonical:ubuntu-26_04-lts:server:latest"],
      ["sshPublicKey", SSH_KEY],
    ] as const) {
      await signer.stack.configure({ [key]: value });
      const before = kept(cloud);
      expect((await signer.stack.up()).operations, key).to.have.members(MACHINE_REPLACED);
      expect(kept(cloud)).to.deep.equal(before);
    }
  });

  it("are not touched by another bakerIp or a first adminIp, and neither replaces anything", async () => {
    await signer.stack.configure({ bakerIp: "203.0.113.8" });
    expect((await signer.stack.up()).operations).to.deep.equal(["update firewall"]);
    await signer.stack.configure({ adminIp: "198.51.100.4" });
    expect((await signer.stack.up()).operations).to.have.members(["update firewall", "update machine"]);
    expect(told(cloud).machine.ssh).to.equal(true);
    await signer.stack.configure({ adminIp: "198.51.100.5" });
    expect((await signer.stack.up()).operations).to.deep.equal(["update firewall"]);
  });

  it("go with the stack", async () => {
    expect((await signer.stack.destroy()).failed).to.equal(false);
    expect([...cloud.resources.keys()]).to.deep.equal([]);
  });
});

describe("a stack whose state lies on disk in the layout that knew no projects", function () {
  this.timeout(300_000);
  let content = "first";
  // It refuses the stack's full name.
  const env = { PULUMI_DIY_BACKEND_LEGACY_LAYOUT: "true", PULUMI_DIY_BACKEND_IGNORE_DEPRECATION_ERROR: "true" };
  const signer = story({ name: "dev", program: () => program({ content })(), env });

  it("keeps its releases as others do, and refuses another region", async () => {
    content = "second";
    expect((await signer.stack.up()).operations).to.deep.equal([
      `create ${released("second")}`,
      "update machine",
      "update await-ready",
    ]);
    content = "first";
    expect((await signer.stack.up()).operations).to.deep.equal(["update machine", "update await-ready"]);
    await signer.stack.configure({ location: "westeurope" });
    expect((await signer.stack.preview()).messages).to.include("the signer stands in northeurope");
  });
});
