import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { build, readSettings } from "../../../infra/index.ts";
import { inspected } from "../../../infra/inspection.ts";
import { signerConfiguration, TezosSigner } from "../../../infra/tezos-signer.ts";
import { Cloud } from "../../emulators/azure-resource-manager/cloud.ts";
import { Engine, pulumiFolder, type TestStack } from "../../emulators/azure-resource-manager/engine.ts";
import { release } from "../../fixtures/stack-configs.ts";
import { requires } from "../../harness/requires.ts";
import { all, COMPONENTS, NO_CLI, program, RESOURCES, THROW_AWAY } from "../stack.ts";

/** Changes the inputs of one resource, as a mistake in a component would. */
interface Mistake {
  readonly resource: string;
  readonly change: (props: pulumi.Inputs) => pulumi.Inputs;
}

interface SecurityRule {
  readonly name: string;
}

/** A firewall in which one rule is another. */
function firewall(rule: string, change: object): Mistake {
  const changed = (rules: SecurityRule[]) => rules.map((old) => (old.name === rule ? { ...old, ...change } : old));
  return {
    resource: "firewall",
    change: (props) => ({ ...props, securityRules: pulumi.output(props.securityRules).apply(changed) }),
  };
}

const OPEN_FIREWALL = firewall("baker", { sourceAddressPrefixes: ["0.0.0.0/0"] });
const WIDE_PACKAGES = firewall("packages-out", { destinationPortRange: "443" });
const OPEN_VAULT: Mistake = {
  resource: "vault",
  change: (props) => ({
    ...props,
    properties: pulumi
      .output(props.properties)
      .apply((properties) => ({ ...properties, networkAcls: { ...properties.networkAcls, defaultAction: "Allow" } })),
  }),
};
const SHARED_KEYS: Mistake = { resource: "account", change: (props) => ({ ...props, allowSharedKeyAccess: true }) };

/** Each message once: where a program runs in the process that asks for it, the engine hears of its end as well. */
const sentences = (messages: string) => [...new Set(messages.split("\n"))];

const REFUSED = "this signer breaks a rule that holds for every one: ";

describe("a program that breaks an invariant", function () {
  this.timeout(120_000);
  const opened: Engine[] = [];

  async function fresh(cloud: Cloud, mistake: () => Mistake | undefined): Promise<TestStack> {
    const engine = await Engine.start(cloud, pulumiFolder() ?? "");
    opened.push(engine);
    const stack = await engine.stack("dev", async () => {
      const { resource, change } = mistake() ?? {};
      pulumi.runtime.registerStackTransformation(({ name, props, opts }) =>
        name === resource && change !== undefined ? { props: change(props), opts } : undefined,
      );
      return program()();
    });
    await stack.configure(THROW_AWAY);
    return stack;
  }

  beforeEach(function () {
    requires(this, pulumiFolder() !== undefined, NO_CLI);
  });

  afterEach(() => {
    for (const engine of opened.splice(0)) engine.close();
  });

  it("is refused by a preview and an up of a stack that is there, in one sentence, and nothing is changed or deleted", async () => {
    let mistake: Mistake | undefined;
    const cloud = new Cloud();
    const stack = await fresh(cloud, () => mistake);
    const { operations, failed, messages } = await stack.up();
    expect(failed, messages).to.equal(false);
    expect(operations).to.have.members(all("create", [...RESOURCES, ...COMPONENTS]));
    const refused: readonly (readonly [Mistake, string])[] = [
      [OPEN_FIREWALL, "No rule lets just anyone in: firewall, baker takes 0.0.0.0/0"],
      [OPEN_VAULT, "The vault and the watermarks' account deny what they are not told to allow: vault"],
      [SHARED_KEYS, "The watermarks' account has no shared keys: account"],
    ];
    for (const [wrong, sentence] of refused) {
      mistake = wrong;
      cloud.calls.length = 0;
      for (const command of ["preview", "up"] as const) {
        const { failed, messages, operations } = await stack[command]();
        expect(failed, `${command}: ${sentence}`).to.equal(true);
        expect(sentences(messages)).to.deep.equal([REFUSED + sentence]);
        expect(operations).to.deep.equal([]);
      }
      expect(cloud.calls).to.deep.equal([]);
    }
    mistake = undefined;
    expect((await stack.up()).operations).to.deep.equal([]);
  });

  it("makes nothing of the kind on the first up either, where the preview could not know", async () => {
    const cloud = new Cloud();
    const stack = await fresh(cloud, () => OPEN_VAULT);
    expect((await stack.preview()).failed).to.equal(false);
    const { failed, messages } = await stack.up();
    expect(failed).to.equal(true);
    expect(messages).to.include(`${REFUSED}The vault and the watermarks' account deny`);
    expect(cloud.ofType("azure-native:keyvault:Vault")).to.deep.equal([]);
  });

  it("is refused at its end for what only all resources together show", async () => {
    const stack = await fresh(new Cloud(), () => WIDE_PACKAGES);
    const { failed, messages } = await stack.up();
    expect(failed).to.equal(true);
    expect(sentences(messages)).to.deep.equal([
      `${REFUSED}The Internet is reached on port 80, for packages, and on the port of the head's node: firewall, packages-out goes to port 443`,
    ]);
  });

  it("is refused for what the stack gives out beside its signer's outputs, a secret among it", async () => {
    const engine = await Engine.start(new Cloud(), pulumiFolder() ?? "");
    opened.push(engine);
    let outputs = (): Record<string, unknown> => build(readSettings(), { ...release("first"), version: "undefined" });
    const stack = await engine.stack("dev", async () => outputs());
    await stack.configure(THROW_AWAY);
    for (const [given, sentence] of [
      [outputs, "No value is missing inside a text: version"],
      [
        () => inspected({ fine: 1, importCommand: pulumi.interpolate`import edsk${"2".repeat(50)}` }),
        "No secret is in what the machine is given or what the stack prints: importCommand",
      ],
    ] as const) {
      outputs = given;
      const { failed, messages } = await stack.preview();
      expect(failed, sentence).to.equal(true);
      expect(sentences(messages)).to.deep.equal([REFUSED + sentence]);
    }
  });

  it("is refused below a parent that is older than the signer, and two signers of one program are right", async () => {
    let mistake: Mistake | undefined = OPEN_FIREWALL;
    const cloud = new Cloud();
    const engine = await Engine.start(cloud, pulumiFolder() ?? "");
    opened.push(engine);
    const stack = await engine.stack("dev", async () => {
      const parent = new pulumi.ComponentResource("test:Bakery", "bakery");
      const { change } = mistake ?? {};
      // As a mistake in a component of ours would be: its own resource, before it is anybody else's.
      const wrong: pulumi.ResourceTransformation = ({ name, props, opts }) =>
        name === "one-firewall" && change !== undefined ? { props: change(props), opts } : undefined;
      const signer = (name: string, options: pulumi.ComponentResourceOptions) =>
        new TezosSigner(name, { settings: signerConfiguration(name, THROW_AWAY), release: release("first") }, options);
      return {
        one: signer("one", { parent, transformations: [wrong] }).signerUrl,
        two: signer("two", {}).signerUrl,
      };
    });
    const refused = await stack.up();
    expect(refused.failed).to.equal(true);
    expect(refused.messages).to.include(`${REFUSED}No rule lets just anyone in: one-firewall, baker takes 0.0.0.0/0`);
    expect(cloud.calls.map(({ name }) => name)).not.to.include("one-firewall");
    mistake = undefined;
    const { failed, messages } = await stack.up();
    expect(failed, messages).to.equal(false);
    expect(cloud.ofType("azure-native:compute:VirtualMachine")).to.have.length(2);
    expect((await stack.up()).operations).to.deep.equal([]);
  });

  it("is refused by pulumi's own command line without a stack trace, before Azure is asked for anything", async () => {
    const cloud = new Cloud();
    const engine = await Engine.start(cloud, pulumiFolder() ?? "");
    opened.push(engine);
    const folder = mkdtempSync(join(tmpdir(), "tezos-signer-mistake-"));
    try {
      writeFileSync(
        join(folder, "Pulumi.yaml"),
        "name: mistake\nruntime: { name: nodejs, options: { typescript: false } }\n",
      );
      writeFileSync(join(folder, "package.json"), '{ "type": "module", "main": "index.ts" }');
      writeFileSync(join(folder, "index.ts"), WITH_A_MISTAKE);
      symlinkSync(resolve(import.meta.dirname, "../../../node_modules"), join(folder, "node_modules"));
      const run = engine.project(folder, ["Pulumi.yaml", "package.json", "index.ts"]);
      expect((await run("stack", "init", "dev")).failed).to.equal(false);
      for (const command of [["preview"], ["up", "--yes", "--skip-preview"]]) {
        const { failed, output } = await run(...command, "--skip-plugin-pre-install");
        expect(failed, output).to.equal(true);
        expect(output).to.include(`${REFUSED}Every resource says whose it is: signer-group`);
        expect(output).not.to.match(/\n\s+at /);
      }
      expect(cloud.calls.filter(({ type }) => type.startsWith("azure-native:"))).to.deep.equal([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

/** A program of somebody else's that takes the tags from everything. */
const WITH_A_MISTAKE = `
import * as pulumi from "@pulumi/pulumi";
import { signerConfiguration, TezosSigner } from ${JSON.stringify(resolve(import.meta.dirname, "../../../infra/tezos-signer.ts"))};

export default async function program() {
  pulumi.runtime.registerStackTransformation(({ props: { tags, ...props }, opts }) => ({ props, opts }));
  const settings = signerConfiguration("dev", ${JSON.stringify(THROW_AWAY)});
  const sha256 = "ab".repeat(32);
  const name = "tezos-signer-0.2.0-abababababab.tar";
  const release = { version: "0.2.0", sha256, name, source: new pulumi.asset.StringAsset("a release") };
  const { signerUrl } = new TezosSigner("signer", { settings, release });
  return { signerUrl };
}
`;
