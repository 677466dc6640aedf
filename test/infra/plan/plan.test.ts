import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { estimateCost } from "../../../infra/cost.ts";
import { REPLACEMENTS } from "../../../infra/plan/guide.ts";
import { main } from "../../../infra/plan/main.ts";
import { report } from "../../../infra/plan/report.ts";
import { at, type Properties } from "../../emulators/azure-resource-manager/properties.ts";
import { temporaryFolder } from "../../emulators/signer-process.ts";
import { settings } from "../../fixtures/stack-configs.ts";

const root = resolve(import.meta.dirname, "../../..");

function npmRunPlan(...args: string[]) {
  const { PATH, HOME, NODE_COMPILE_CACHE } = process.env;
  const env = { PATH, HOME, NODE_COMPILE_CACHE };
  return spawnSync(process.execPath, ["infra/plan/main.ts", ...args], { cwd: root, encoding: "utf8", env });
}

/** The plan as text and as JSON, each made once: each process of Pulumi's packages takes seconds to begin. */
const asText = lazily(() => npmRunPlan());
const asJson = lazily(() => npmRunPlan("--json"));

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** What the command says and ends with in this process, where it plans nothing. */
async function said(args: string[], folder?: string) {
  const { log, error } = console;
  const [out, err]: [string[], string[]] = [[], []];
  console.log = (line: string) => out.push(`${line}\n`);
  console.error = (line: string) => err.push(`${line}\n`);
  try {
    const status = await main(args, folder);
    return { status, stdout: out.join(""), stderr: err.join("") };
  } finally {
    Object.assign(console, { log, error });
  }
}

describe("npm run plan", () => {
  it("prints resources, firewall, rights, cost and rules within 100 columns", () => {
    const { stdout, stderr, status } = asText();
    expect(status, stderr).to.equal(0);
    for (const part of [
      "Azure would hold 18 resources",
      "Firewall of the machine",
      "Firewall and rights of the key vault",
      "The release of the signer is a placeholder here",
    ]) {
      expect(stdout).to.include(part);
    }
    expect(stdout).to.match(/Inbound\s+100\s+Allow\s+Tcp\s+203\.0\.113\.7\s+\*\s+6732/);
    expect(stdout).to.match(/A month costs about \d+\.\d\d US dollars/);
    expect(stdout).not.to.include("az vm create");
    // A warning is a sentence of its own and may be longer.
    const [tables = ""] = stdout.split("\nWarnings\n");
    for (const line of tables.split("\n")) expect(line.length, line).to.be.at.most(100);
  });

  it("counts what docs/deploy.md counts, where a plan and an up list the same stack", () => {
    const page = (name: string) => readFileSync(join(root, "docs", name), "utf8");
    // That one has no key of the HSM's, and the example has one.
    const created = Number(/\+ (\d+) created/.exec(page("first-run.md"))?.[1]) + 1;
    const [, planned] = /Azure would hold (\d+) resources/.exec(asText().stdout) ?? [];
    expect(page("deploy.md"))
      .to.include(`lists ${created} resources (the ${planned} of the plan,`)
      .and.include(`+ ${created} created`);
  });

  it("names beside each resource what it replaces of the old guide, where that is asked for", () => {
    const { resources, ...facts } = JSON.parse(asJson().stdout);
    const settings = { stack: "dev", production: false, location: "northeurope", keys: [] } as never;
    expect(report({ settings, plan: { resources }, ...facts, guide: true })).to.include("instead of: az vm create");
  });

  it("explains itself with --help, and plans nothing", async () => {
    const { stdout, status } = await said(["--help"]);
    expect(stdout)
      .to.match(/^npm run plan -- \[--stack NAME\] \[--json\] \[--guide\]\n/)
      .and.not.include("Azure would hold");
    expect(status).to.equal(0);
  });

  it("says that it draws the example where no stack is named, and how those that are there are drawn", async () => {
    expect(asText().stdout).to.match(
      /^The example, examples\/stack\.yaml\. (?:Yours: npm run plan -- |`npm run setup`)/,
    );
    await using folder = await temporaryFolder();
    mkdirSync(join(folder.path, "stacks"));
    for (const name of ["mainnet", "test"]) writeFileSync(join(folder.path, `stacks/Pulumi.${name}.yaml`), "");
    const { status, stderr } = await said(["--stack", "nowhere"], folder.path);
    expect(stderr).to.include("Yours: npm run plan -- --stack mainnet, npm run plan -- --stack test\n");
    expect(status).to.equal(1);
  });

  it("gives the same as JSON", () => {
    const { stdout, status } = asJson();
    expect(status).to.equal(0);
    const found = JSON.parse(stdout);
    expect(found).to.include.keys(["stack", "resources", "outputs", "rules", "cost", "warnings", "kept", "guide"]);
  });

  it("names a stack file that is not there, and an option that it does not know", async () => {
    expect(await said(["--stack", "nowhere"]))
      .to.include({ status: 1, stdout: "" })
      .and.have.property("stderr")
      .that.includes("stacks/Pulumi.nowhere.yaml");
    expect(await said(["--yaml"]))
      .to.include({ status: 1, stdout: "" })
      .and.have.property("stderr")
      .that.includes("npm run plan --");
  });

  it("tells mistakes and warnings of a stack's file together, those of keys that nobody reads among them", async () => {
    await using folder = await temporaryFolder();
    const file = "config:\n  bakerIp: 203.0.113.7\n  tezos-singer:vmSize: Tiny\n  bakery:x: y\n  random:x: y\n";
    mkdirSync(join(folder.path, "stacks"));
    writeFileSync(join(folder.path, "stacks/Pulumi.mistaken.yaml"), file);
    const { status, stdout, stderr } = await said(["--stack", "mistaken"], folder.path);
    expect([status, stdout]).to.deep.equal([1, ""]);
    expect(stderr.split("\n").filter((line) => !/^ {4}/.test(line))).to.deep.equal([
      "stacks/Pulumi.mistaken.yaml: bakery:x is read by nothing here: the stack's own keys begin with tezos-signer:",
      "stacks/Pulumi.mistaken.yaml: the stack's configuration has 4 mistakes; nothing was changed",
      "  tezos-singer:vmSize: no such key; did you mean tezos-signer:vmSize?",
      "  location: is missing",
      "  sshPublicKey: is missing",
      "  vmSize = Tiny: is not a size's name, which begins with Standard_",
      "and a warning",
      "  203.0.113.7 is reserved for documentation (RFC 5737): set bakerIp to your baker's address",
      "",
    ]);
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
    const resources: { name: string; inputs: Properties }[] = JSON.parse(asJson().stdout).resources;
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
    expect(estimateCost(settings({ monitoring: "true" })).usd).to.equal(33.78);
  });

  it("says so where it knows no price", () => {
    const [machine] = estimateCost(settings({ vmSize: "Standard_D2s_v5" })).lines;
    expect(machine).to.include({ usd: 0, basis: "price not known here: add it yourself" });
  });
});
