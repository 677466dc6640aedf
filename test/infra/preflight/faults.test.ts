import { expect } from "chai";
import type { Row } from "../../../infra/preflight/row.ts";
import { EVERYTHING } from "../../fixtures/stack-configs.ts";
import { FAULTS, ID } from "./faults.ts";
import { World } from "./world.ts";

function wrong(rows: readonly Row[]): string[] {
  return rows.filter(({ verdict }) => verdict !== "ok").map(({ name }) => name);
}

describe("preflight", function () {
  this.timeout(60_000);

  for (const [name, fault] of Object.entries(FAULTS)) {
    it(`finds ${name}, and its command mends it`, async () => {
      await using world = await World.start(fault.config);
      world.id = ID;
      fault.breaks(world);
      const rows = await world.rows();
      const found = rows.find((row) => row.name === fault.row);
      expect(found, JSON.stringify(rows.filter(({ verdict }) => verdict !== "ok"))).to.include({ verdict: "not ok" });
      expect(found?.says).to.contain(fault.says);
      expect(wrong(rows)).to.have.members([fault.row, ...(fault.beside ?? [])]);
      world.type(found?.mend ?? "");
      expect(wrong(await world.rows()), found?.mend).to.deep.equal([]);
    });
  }

  it("knows more than 25 faults", () => {
    expect(Object.keys(FAULTS).length).to.be.above(25);
  });

  it("finds nothing where nothing is wrong, with all that a stack can have, before its first up and after it", async () => {
    for (const config of [{}, EVERYTHING]) {
      await using world = await World.start(config);
      world.address = "84.20.19.2";
      world.config = { ...world.config, ...("adminIp" in config ? { adminIp: "84.20.19.2" } : {}) };
      expect(wrong(await world.rows())).to.deep.equal([]);
      world.id = ID;
      expect(wrong(await world.rows())).to.deep.equal([]);
    }
  });

  it("says from 180 days before its end that the vault's API version ends, and how long it is till then", async () => {
    await using world = await World.start();
    const said = async (day: string) => {
      world.now = new Date(day);
      const rows = await world.rows();
      const { verdict, says } = rows.find(({ name }) => name === "API versions") as Row;
      return `${verdict}: ${says}`;
    };
    expect(await said("2026-08-30T12:00:00Z")).to.match(/^ok: all \d+ are served, none ends within 180 days$/);
    expect(await said("2026-11-29T12:00:00Z")).to.contain(
      "Microsoft.KeyVault/vaults 2024-11-01 ends on 2027-02-27, in 90 days",
    );
    expect(await said("2027-02-27T00:00:00Z")).to.match(
      /^not ok: Azure has ended Microsoft.KeyVault\/vaults 2024-11-01/,
    );
  });

  it("names no destroy for a name that is taken while the stack's vault stands", async () => {
    await using world = await World.start();
    const { cloud } = world;
    world.id = ID;
    const home = `${cloud.subscription}/resourceGroups/tezos-signer-dev`;
    const vault = `${home}/providers/Microsoft.KeyVault/vaults/tezos-${ID}`;
    cloud.hold({ id: home, type: "azure-native:resources:ResourceGroup", inputs: {}, outputs: {} });
    cloud.hold({ id: vault, type: "azure-native:keyvault:Vault", inputs: { vaultName: `tezos-${ID}` }, outputs: {} });
    for (const name of [`tezos${ID}`, `tzrel${ID}`]) cloud.taken.add(name);
    const rows = await world.rows();
    expect(wrong(rows)).to.have.members(["watermarks' account", "releases' account"]);
    for (const { says, mend } of rows.filter(({ verdict }) => verdict === "not ok")) {
      expect(says).to.contain("destroy nothing");
      expect(mend).to.equal("az storage account list --output table");
    }
  });

  it("counts what stands already as the stack's own", async () => {
    await using world = await World.start();
    const { cloud } = world;
    world.id = ID;
    const home = `${cloud.subscription}/resourceGroups/tezos-signer-dev`;
    const stands = (id: string, type: string, inputs = {}) =>
      cloud.hold({ id: `${home}${id}`, type, inputs, outputs: {} });
    stands("", "azure-native:resources:ResourceGroup");
    stands(`/providers/Microsoft.KeyVault/vaults/tezos-${ID}`, "azure-native:keyvault:Vault", {
      vaultName: `tezos-${ID}`,
    });
    for (const name of [`tezos${ID}`, `tzrel${ID}`]) {
      stands(`/providers/Microsoft.Storage/storageAccounts/${name}`, "azure-native:storage:StorageAccount", {
        accountName: name,
      });
    }
    stands("/providers/Microsoft.Network/publicIPAddresses/signer-address", "azure-native:network:PublicIPAddress");
    const machine = { hardwareProfile: { vmSize: "Standard_B1s" } };
    stands("/providers/Microsoft.Compute/virtualMachines/signer", "azure-native:compute:VirtualMachine", machine);
    cloud.account.network.IPv4StandardSkuPublicIpAddresses = { used: 20, limit: 20 };
    cloud.account.storage.StorageAccounts = { used: 250, limit: 250 };
    cloud.offer.limits.cores = 1;
    expect(wrong(await world.rows())).to.deep.equal([]);
    expect(world.management.asked.some((line) => line.includes("checkNameAvailability"))).to.equal(false);
  });
});
