import { expect } from "chai";
import { type ResourceNames, signerSettings } from "../../../infra/config/signer-settings.ts";
import { parseSettings } from "../../../signer/settings/parse.ts";
import { settings } from "../../fixtures/stack-configs.ts";

const AZURE: ResourceNames = {
  vaultUri: "https://tezos-0123456789abcdef.vault.azure.net",
  tableEndpoint: "https://tezos0123456789abcdef.table.core.windows.net",
  table: "watermarks",
  storeId: "0123456789abcdef",
  clientId: "11111111-2222-4333-8444-555555555555",
  machineId:
    "/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/signer",
};

const read = (config: Readonly<Record<string, string>>) =>
  parseSettings(signerSettings(settings(config), AZURE), "the stack's settings");

describe("the signer's settings as the stack writes them", () => {
  it("are accepted by the signer, and name its vault, table, identity and port", () => {
    const found = read({});
    expect(found.listen).to.deep.include({ host: "0.0.0.0", port: 6732 });
    expect(found.admin.host).to.equal("127.0.0.1");
    expect(found.keys).to.include({ kind: "azure-key-vault", vault: AZURE.vaultUri, clientId: AZURE.clientId });
    expect(found.watermarks).to.include({ kind: "azure-table", endpoint: AZURE.tableEndpoint, storeId: AZURE.storeId });
    expect(found.listKnownKeys).to.equal(true);
  });

  it("leave who may ask to the firewall, so that a moved baker changes the firewall alone", () => {
    expect(read({}).allowedAddresses).to.equal(undefined);
    expect(signerSettings(settings({ bakerIp: "84.20.17.6" }), AZURE)).to.equal(signerSettings(settings(), AZURE));
  });

  it("open the metrics port for metricsIp alone, with a token and a certificate, and leave to the firewalls who may read", () => {
    expect(read({}).metrics).to.equal(undefined);
    const { metrics } = read({ metricsIp: "84.20.19.1" });
    expect(metrics).to.deep.equal({
      host: "0.0.0.0",
      port: 9584,
      names: ["tezos-signer"],
      token: { file: "/etc/tezos-signer/metrics/token" },
      tls: { cert: "/etc/tezos-signer/metrics/cert.pem", key: "/etc/tezos-signer/metrics/key.pem" },
    });
    expect(read({ metricsIp: "84.20.20.0/28" }).metrics).to.deep.equal(metrics);
  });

  it("have the figures sent to Azure Monitor of the stack's region, where monitoring is on", () => {
    expect(read({}).azureMonitor).to.equal(undefined);
    expect(read({ monitoring: "true", location: "westeurope" }).azureMonitor).to.deep.equal({
      endpoint: "https://westeurope.monitoring.azure.com",
      resource: AZURE.machineId,
      clientId: AZURE.clientId,
    });
  });

  it("begin a test stack's watermarks at any time, and a production stack's only where it was said", () => {
    expect(read({}).watermarks).to.include({ initialise: "always", maxStep: "off" });
    const production = read({ production: "true", authorizedKeys: "none" }).watermarks;
    expect(production.initialise).to.equal(undefined);
    expect(production.maxStep).to.equal(100);
    const until = new Date(Date.now() + 3_600_000).toISOString().replace(/\.\d+/, "");
    const said = read({
      production: "true",
      authorizedKeys: "none",
      initialise: JSON.stringify({ level: 9_123_456, until }),
    });
    expect(said.watermarks.initialise).to.deep.equal({ level: 9_123_456, until: Date.parse(until) });
  });

  it("allow consensus on the configured chains by default", () => {
    expect(read({ chains: '["NetXsqzbfFenSTS"]' }).policy.default).to.deep.equal({
      allow: ["block", "preattestation", "attestation"],
      chains: ["NetXsqzbfFenSTS"],
    });
  });

  it("take a policy as it is written, on the configured chains where it names none", () => {
    const policy = {
      default: { allow: ["attestation"] },
      tz3WXYtyDUNL91qfiCJtVUX746QpNv5i5ve5: { allow: ["transaction"] },
    };
    const found = read({ policy: JSON.stringify(policy) }).policy;
    expect(found.default?.allow).to.deep.equal(["attestation"]);
    expect(found.keys.get("tz3WXYtyDUNL91qfiCJtVUX746QpNv5i5ve5")?.chains).to.deep.equal(["NetXdQprcVkpaWU"]);
  });

  it("authenticate clients where their keys are given", () => {
    const keys = ["edpkuBknW28nW72KG6RoHtYW7p12T6GKc7nAbwYX5m8Wd9sDVC9yav"];
    expect(read({}).authentication).to.equal(undefined);
    expect(read({ authorizedKeys: JSON.stringify(keys) }).authentication).to.deep.equal({ keys });
  });
});
