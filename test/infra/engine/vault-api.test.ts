import { ResourceGroup } from "@pulumi/azure-native/resources/index.js";
import * as pulumi from "@pulumi/pulumi";
import { RandomId } from "@pulumi/random";
import { expect } from "chai";
import { Network } from "../../../infra/components/network.ts";
import { KeyVault } from "../../../infra/components/vault.ts";
import type { VaultApi } from "../../../infra/vault-api.ts";
import { Cloud } from "../../emulators/azure-resource-manager/cloud.ts";
import { Engine, pulumiFolder, type TestStack } from "../../emulators/azure-resource-manager/engine.ts";
import { requires } from "../../harness/requires.ts";
import { NO_CLI, requests, VAULT } from "../stack.ts";

/** A vault with a key, and no more around it than it needs. */
function vaultAlone(api: VaultApi, tag: string, withAliases: boolean) {
  return async () => {
    if (!withAliases) {
      pulumi.runtime.registerStackTransformation(({ props, opts }) => ({ props, opts: { ...opts, aliases: [] } }));
    }
    const id = new RandomId("id", { byteLength: 8 });
    const group = new ResourceGroup("group", { resourceGroupName: "alone", location: "northeurope" });
    const tags = { project: "tezos-signer", stack: "dev", tag };
    const named = (part: string) => part;
    const context = { group, location: "northeurope", tags, id: id.hex, production: false, named };
    const network = new Network("network", {
      context: { ...context, tags: {} },
      rules: [],
      places: [{ number: 1, suffix: "", zone: undefined, maintenance: "04:30" }],
      balanced: false,
    });
    const vault = new KeyVault("key-vault", {
      context,
      tenantId: "72f988bf-86f1-41af-91ab-2d7cd011db47",
      signerId: "bbbbbbbb-1111-4222-8333-444444444444",
      subnetId: network.subnetId,
      joinsAfter: network.interface,
      machineIps: [network.publicIp],
      keyImporter: undefined,
      keys: [{ name: "baker", curve: "P-256", source: "generate" }],
      api,
    });
    return { vaultUri: vault.uri };
  };
}

describe("a vault whose API version is another one, one story whose tests follow on each other", function () {
  this.timeout(300_000);
  const cloud = new Cloud();
  let engine: Engine | undefined;
  let stack: TestStack;
  let program = vaultAlone("2024-11-01", "a", true);
  let ids: string[];

  const kept = () => [...cloud.resources.values()].filter(({ type }) => /keyvault/.test(type)).map(({ id }) => id);

  before(async () => {
    const folder = pulumiFolder();
    if (folder === undefined) return;
    engine = await Engine.start(cloud, folder);
    stack = await engine.stack("dev", () => program());
    expect(await stack.up()).to.include({ failed: false, messages: "" });
    ids = kept();
    expect(ids).to.have.length(2);
  });

  beforeEach(function () {
    requires(this, engine !== undefined, NO_CLI);
    cloud.calls.length = 0;
  });

  after(() => engine?.close());

  it("is the same vault, with the same key, and nothing is asked of Azure", async () => {
    program = vaultAlone("2026-02-01", "a", true);
    expect(await stack.preview())
      .to.include({ failed: false, messages: "" })
      .and.to.deep.include({ operations: [] });
    expect(await stack.up())
      .to.include({ failed: false, messages: "" })
      .and.to.deep.include({ operations: [] });
    expect(requests(cloud)).to.deep.equal([]);
  });

  it("takes changes by it", async () => {
    program = vaultAlone("2026-02-01", "b", true);
    expect((await stack.up()).operations)
      .to.include("update vault")
      .and.not.to.include("create vault");
    expect(cloud.ofType(VAULT)).to.have.length(1);
    expect(kept()).to.deep.equal(ids);
  });

  it("is the same one on the way back", async () => {
    program = vaultAlone("2024-11-01", "b", true);
    expect(await stack.preview())
      .to.include({ failed: false })
      .and.to.deep.include({ operations: [] });
    expect(await stack.up())
      .to.include({ failed: false })
      .and.to.deep.include({ operations: [] });
    expect(requests(cloud)).to.deep.equal([]);
  });

  it("refuses, in the preview already, what would make vault or key anew", async () => {
    program = vaultAlone("2026-02-01", "b", false);
    for (const look of [() => stack.preview(), () => stack.up()]) {
      const { failed, messages } = await look();
      expect(failed).to.equal(true);
      expect(messages).to.match(
        /(?:vault|baker) stands, and would be made anew: its keys would be gone\. Nothing was done\./,
      );
    }
    expect(kept()).to.deep.equal(ids);
    expect(requests(cloud).filter((line) => !line.startsWith("read"))).to.deep.equal([]);
  });
});
