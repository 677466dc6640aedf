import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { estimateCost } from "../../../infra/cost.ts";
import { REPLACEMENTS } from "../../../infra/plan/guide.ts";
import { at, type Properties } from "../../emulators/azure-resource-manager/properties.ts";
import { settings } from "../../fixtures/stack-configs.ts";

const root = resolve(import.meta.dirname, "../../..");

function npmRunPlan(...args: string[]) {
  const { PATH, HOME, NODE_COMPILE_CACHE } = process.env;
  const env = { PATH, HOME, NODE_COMPILE_CACHE };
  return spawnSync(process.execPath, ["infra/plan/main.ts", ...args], { cwd: root, encoding: "utf8", env });
}

describe("npm run plan", () => {
  it("prints resources, firewall, rights, cost and rules within 100 columns", () => {
    const { stdout, stderr, status } = npmRunPlan();
    expect(status, stderr).to.equal(0);
    for (const part of [
      "Azure would hold 17 resources",
      "Firewall of the machine",
      "Firewall and rights of the key vault",
      "The release of the signer is a placeholder here",
    ]) {
      expect(stdout).to.include(part);
    }
    expect(stdout).to.match(/Inbound\s+100\s+Allow\s+Tcp\s+203\.0\.113\.7\s+\*\s+6732/);
    expect(stdout).to.match(/A month costs about \d+\.\d\d US dollars/);
    expect(stdout).to.include("instead of: az vm create");
    // A warning is a sentence of its own and may be longer.
    const [tables = ""] = stdout.split("\nWarnings\n");
    for (const line of tables.split("\n")) expect(line.length, line).to.be.at.most(100);
  });

  it("explains itself with --help, and plans nothing", () => {
    const { stdout, status } = npmRunPlan("--help");
    expect(stdout)
      .to.match(/^npm run plan -- \[--stack NAME\] \[--json\]\n/)
      .and.not.include("Azure would hold");
    expect(status).to.equal(0);
  });

  it("gives the same as JSON", () => {
    const { stdout, status } = npmRunPlan("--json");
    expect(status).to.equal(0);
    const found = JSON.parse(stdout);
    expect(found).to.include.keys(["stack", "resources", "outputs", "rules", "cost", "warnings", "kept", "guide"]);
  });

  it("names a stack file that is not there, and an option that it does not know", () => {
    expect(npmRunPlan("--stack", "nowhere"))
      .to.include({ status: 1, stdout: "" })
      .and.have.property("stderr")
      .that.includes("Pulumi.nowhere.yaml");
    expect(npmRunPlan("--yaml"))
      .to.include({ status: 1, stdout: "" })
      .and.have.property("stderr")
      .that.includes("npm run plan --");
  });
});

describe("the guide's table", () => {
  const page = existsSync(join(root, "docs/guide.md")) ? readFileSync(join(root, "docs/guide.md"), "utf8") : "";
  const rows = page
    .split("\n")
    .filter((line) => line.startsWith("| `az "))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll("`", "")),
    );

  it("is true of the planned resources, row by row", () => {
    const resources: { name: string; inputs: Properties }[] = JSON.parse(npmRunPlan("--json").stdout).resources;
    for (const { command, resource, property, value } of REPLACEMENTS) {
      const inputs = resources.find(({ name }) => name === resource)?.inputs;
      expect(JSON.stringify(at(inputs, property)), `${command}: ${resource}.${property}`).to.equal(value);
    }
  });

  it("stands in docs/guide.md as in the program", () => {
    const made = rows
      .filter((row) => row.length === 4)
      .map(([command, resource, property, value]) => ({ command, resource, property, value }));
    expect(made).to.deep.equal(REPLACEMENTS.map((row) => ({ ...row })));
  });

  it("leaves out no az command of the guide", () => {
    const commands = [
      "az --version",
      "az account list-locations",
      "az group create",
      "az group delete",
      "az keyvault create",
      "az keyvault delete",
      "az keyvault key delete",
      "az keyvault key import",
      "az keyvault key list",
      "az keyvault network-rule add",
      "az keyvault network-rule list",
      "az keyvault set-policy",
      "az keyvault update",
      "az login",
      "az network nsg list",
      "az network nsg rule create",
      "az network nsg rule delete",
      "az network nsg rule list",
      "az network vnet list",
      "az network vnet subnet update",
      "az vm create",
      "az vm delete",
      "az vm list-ip-addresses",
    ];
    const named = rows.map(([command = ""]) => command);
    for (const command of commands) {
      expect(
        named.some((row) => row === command || row.startsWith(`${command} `)),
        command,
      ).to.equal(true);
    }
  });
});

describe("the cost estimate", () => {
  it("adds up to the figure for one machine and one key", () => {
    expect(estimateCost(settings()).usd).to.equal(31.68);
    expect(estimateCost(settings({ monitoring: "true" })).usd).to.equal(33.58);
  });

  it("says so where it knows no price", () => {
    const [machine] = estimateCost(settings({ vmSize: "Standard_D2s_v5" })).lines;
    expect(machine).to.include({ usd: 0, basis: "price not known here: add it yourself" });
  });
});
