import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";
import type { StandingResource } from "../../../infra/standing/stack-state.ts";
import { standingSigner } from "../../../infra/standing/standing-signer.ts";

const GROUP = "/subscriptions/5BA1d2f0-0c6e-4f0e-9a43-cf2c2e6f1a11/resourceGroups/bakery";
const KEY = "azure-native:keyvault:Key";

/** A resource as Pulumi tells of it. */
function resource(name: string, outputs: Readonly<Record<string, unknown>>, type = "of no matter"): StandingResource {
  return { urn: `urn:pulumi:dev::tezos-signer::${type}::${name}`, type, name, outputs };
}

const vault = (name: string) => `${GROUP}/providers/Microsoft.KeyVault/vaults/${name}`;

describe("a signer that stands, as Pulumi remembers it", () => {
  it("is read from the state that each earlier version left", () => {
    for (const version of ["0.1.0", "0.2.0"]) {
      for (const kind of ["throw-away", "production"]) {
        const file = resolve(import.meta.dirname, `../../fixtures/stack-${version}-${kind}.json`);
        const { stack, deployment } = JSON.parse(readFileSync(file, "utf8"));
        const all = deployment.deployment.resources.map((one: StandingResource) => ({
          ...one,
          name: one.urn.split("::").at(-1),
          outputs: one.outputs ?? {},
        }));
        const isProduction = kind === "production";
        const { vaultLock, accountLock, ...signer } = standingSigner(all, (part) => part);
        expect(signer, `${version} ${kind}`).to.deep.equal({
          subscription: "5ba1d2f0-0c6e-4f0e-9a43-cf2c2e6f1a11",
          tenant: "72f988bf-86f1-41af-91ab-2d7cd011db47",
          location: "northeurope",
          resourceGroup: `tezos-signer-${stack}`,
          forgottenVault: undefined,
          network: `/subscriptions/5ba1d2f0-0c6e-4f0e-9a43-cf2c2e6f1a11/resourceGroups/tezos-signer-${stack}/providers/Microsoft.Network/virtualNetworks/signer-network`,
          keys: { baker: "P-256" },
          isBalanced: false,
          isMonitored: isProduction,
          isProduction,
        });
        expect(vaultLock?.lockName).to.equal(isProduction ? "keeps-the-keys" : undefined);
        expect(accountLock?.scope.split("/").at(-2)).to.equal(isProduction ? "storageAccounts" : undefined);
      }
    }
  });

  it("had a vault where its part of the program knows one and Pulumi remembers none", () => {
    const home = resource("key-vault", { uri: "https://tezos-1.vault.azure.net" }, "tezos-signer:infra:KeyVault");
    const had = (...all: StandingResource[]) => standingSigner(all, (part) => part).forgottenVault;
    expect(had(home)).to.equal("https://tezos-1.vault.azure.net");
    expect(had(home, resource("vault", { id: vault("tezos-1") }))).to.equal(undefined);
    expect(had(resource("key-vault", {}, "tezos-signer:infra:KeyVault"))).to.equal(undefined);
  });

  it("has none but its own parts, where a program holds two whose names begin alike", () => {
    const all = [
      resource("one-vault", { id: vault("first"), location: "North Europe" }),
      resource("one-baker", { id: `${vault("first")}/keys/baker`, curveName: "P-256" }, KEY),
      resource("one-two-vault", { id: vault("second"), location: "westeurope" }),
      resource("one-two-manager", { id: `${vault("SECOND")}/keys/manager`, curveName: "P-256K" }, KEY),
      resource("one-two-audit-events", {}),
      resource("one-two-destroy-guard", {}),
    ];
    const signer = (name: string) => standingSigner(all, (part) => `${name}-${part}`);
    expect(signer("one")).to.deep.include({
      location: "northeurope",
      resourceGroup: "bakery",
      keys: { baker: "P-256" },
      isMonitored: false,
      isProduction: false,
    });
    expect(signer("one-two")).to.deep.include({
      location: "westeurope",
      keys: { manager: "P-256K" },
      isMonitored: true,
      isProduction: true,
    });
  });

  it("has its lock, whatever case its id is told in", () => {
    const id = `${vault("tezos-1")}/providers/microsoft.authorization/locks/keeps-the-keys`;
    expect(standingSigner([resource("vault-lock", { id })], (part) => part).vaultLock).to.deep.include({
      scope: vault("tezos-1"),
      lockName: "keeps-the-keys",
    });
  });

  it("stands as soon as its group does, and nowhere before", () => {
    const nothing = standingSigner([resource("id", { hex: "0123456789abcdef" })], (part) => part);
    expect(nothing.subscription).to.equal(undefined);
    const group = standingSigner([resource("group", { id: GROUP, location: "northeurope" })], (part) => part);
    expect(group).to.deep.include({
      subscription: "5ba1d2f0-0c6e-4f0e-9a43-cf2c2e6f1a11",
      location: "northeurope",
      resourceGroup: "bakery",
      keys: {},
    });
  });
});
