import { expect } from "chai";
import { Cloud } from "../../emulators/azure-resource-manager/cloud.ts";
import { Engine, pulumiFolder, type TestStack } from "../../emulators/azure-resource-manager/engine.ts";
import { list, type Properties, text } from "../../emulators/azure-resource-manager/properties.ts";
import { release } from "../../fixtures/stack-configs.ts";
import { requires } from "../../harness/requires.ts";
import { all, kept, MACHINE, MACHINE_REPLACED, NO_CLI, program, released, requests, THROW_AWAY } from "../stack.ts";

const BALANCER = "azure-native:network:LoadBalancer";
const INTERFACE = "azure-native:network:NetworkInterface";

/** What a pair has beside what one machine has. */
const ADDED = [
  ...["outbound", "outbound-2", "interface-2", "balanced", "balancer"],
  ...["signer-2", "machine-2", "readiness-2", "await-ready-2"],
];

/** The whole story is a campaign; `.ci/run` has no time for more than its beginning. */
const isCampaign = process.env.STACK_CAMPAIGN === "all";

describe("one machine that becomes two, and one again, one story whose tests follow on each other", () => {
  const cloud = new Cloud();
  let engine: Engine | undefined;
  let stack: TestStack;
  let content = "first";
  let url: unknown;

  /** Who has each public address, by the last part of their ids. */
  const addresses = () =>
    Object.fromEntries(
      [...cloud.ofType(INTERFACE), ...cloud.ofType(BALANCER)].flatMap(({ id, inputs }) =>
        ["ipConfigurations", "frontendIPConfigurations"].flatMap((path) =>
          list(inputs, path).map((one) => [text(one, "publicIPAddress.id").split("/").at(-1), id.split("/").at(-1)]),
        ),
      ),
    );
  const zones = () =>
    Object.fromEntries(cloud.ofType(MACHINE).map(({ inputs }) => [text(inputs, "vmName"), inputs.zones]));
  /** Those that a change of machines leaves as they are. */
  const lasting = () => {
    const names = ["tezos-", "watermarks", "signer-address", "signer-identity", "signer-network"];
    return Object.entries(kept(cloud)).filter(([id]) => names.some((name) => id.split("/").at(-1)?.startsWith(name)));
  };

  before(async () => {
    const folder = pulumiFolder();
    if (folder === undefined) return;
    engine = await Engine.start(cloud, folder);
    stack = await engine.stack("dev", () => program({ content })());
    await stack.configure(THROW_AWAY);
  });

  beforeEach(function () {
    requires(this, engine !== undefined, NO_CLI);
  });

  after(() => engine?.close());

  it("becomes two in one up: the address goes to the balancer once the interface has let go of it", async () => {
    url = (await stack.up()).outputs.signerUrl;
    const before = lasting();
    await stack.configure({ instances: "2" });
    expect((await stack.preview()).failed).to.equal(false);
    cloud.calls.length = 0;
    const { operations, failed, messages, outputs } = await stack.up();
    expect(failed, messages).to.equal(false);
    expect(operations).to.have.members([
      ...all("create", ADDED),
      ...all("update", ["firewall", "interface", "vault"]),
      ...MACHINE_REPLACED,
    ]);
    const made = requests(cloud);
    const order = [
      "create interface-2",
      "update interface",
      "create balancer",
      "create await-ready-2",
      "delete machine",
    ];
    expect(made.filter((request) => order.includes(request))).to.deep.equal(order);
    expect(made.indexOf("create balancer") - made.indexOf("update interface")).to.be.below(4);
    expect(outputs.signerUrl).to.equal(url);
    expect(lasting().map(([id]) => id)).to.deep.equal(before.map(([id]) => id));
    expect(addresses()).to.deep.equal({
      "signer-address": "signer-balancer",
      "signer-outbound": "signer-interface",
      "signer-outbound-2": "signer-interface-2",
    });
    expect(zones()).to.deep.equal({ signer: ["1"], "signer-2": ["2"] });
    expect((await stack.up()).operations).to.deep.equal([]);
  });

  it("sends to both machines, asks each whether it is ready, and lets nobody but the baker and the balancer in", () => {
    const [balancer] = cloud.ofType(BALANCER);
    const [pool] = list(balancer?.inputs, "backendAddressPools");
    expect(list(pool, "loadBalancerBackendAddresses").map((one) => text(one, "ipAddress"))).to.have.members([
      "10.0.0.4",
      "10.0.0.5",
    ]);
    const [probe] = list(balancer?.inputs, "probes");
    expect(probe).to.deep.include({ requestPath: "/readyz", port: 6732, intervalInSeconds: 5, probeThreshold: 2 });
    const [firewall] = cloud.ofType("azure-native:network:NetworkSecurityGroup");
    const open = list(firewall?.inputs, "securityRules").filter(
      ({ access, direction }) => access === "Allow" && direction === "Inbound",
    );
    const from = (rule: Properties) => rule.sourceAddressPrefixes ?? rule.sourceAddressPrefix;
    expect(open.map((rule) => [from(rule), rule.destinationPortRange])).to.deep.equal([
      [["203.0.113.7"], "6732"],
      ["AzureLoadBalancer", "6732"],
    ]);
  });

  if (isCampaign) {
    it("another release reaches the second machine, and the first once the second is ready", async () => {
      content = "next";
      cloud.calls.length = 0;
      expect((await stack.up()).failed).to.equal(false);
      const asked = requests(cloud).filter((request) => /machine|await-ready/.test(request));
      expect(asked).to.deep.equal(all("update", ["machine-2", "await-ready-2", "machine", "await-ready"]));
      const scripts = cloud.runCommands.executions.slice(-2);
      expect(scripts.map(({ environment }) => environment.BALANCED)).to.deep.equal(["yes", "yes"]);
      expect(hours()).to.deep.equal({ signer: "04:30", "signer-2": "16:30" });
    });

    it("a second machine that does not get ready stops the up, and the first is left as it is", async () => {
      content = "broken";
      const well = cloud.runCommands.agent;
      cloud.runCommands.agent = () => ({ exitCode: 1, output: "", error: "the vault refuses it", seconds: 60 });
      cloud.calls.length = 0;
      const { failed, messages } = await stack.up();
      cloud.runCommands.agent = well;
      expect(failed).to.equal(true);
      const sentence =
        "the signer on signer-2 is not ready, and the other machine was left as it is: the vault refuses it";
      expect(messages.split(sentence)).to.have.length(2);
      const asked = requests(cloud).filter((request) => /machine|await-ready/.test(request));
      expect(asked).to.deep.equal(all("update", ["machine-2", "await-ready-2"]));
      expect(named()).to.deep.equal({ signer: release("next").sha256, "signer-2": release("broken").sha256 });
    });

    it("once that is mended, the next up asks it again and goes on to the first", async () => {
      content = "mended";
      expect((await stack.up()).failed).to.equal(false);
      const mended = release("mended").sha256;
      expect(named()).to.deep.equal({ signer: mended, "signer-2": mended });
    });

    it("a machine that was waited for in vain is touched before the one that signs, at the next up", async () => {
      content = "broken on the first";
      const well = cloud.runCommands.agent;
      let scripts = 0;
      cloud.runCommands.agent = (asked) => {
        scripts += 1;
        return scripts === 1 ? well(asked) : { exitCode: 1, output: "", error: "the vault refuses it", seconds: 60 };
      };
      const { failed, messages } = await stack.up();
      cloud.runCommands.agent = well;
      expect(failed).to.equal(true);
      const sentence = "everything is made, and the signer on signer is not ready: the vault refuses it";
      expect(messages.split(sentence)).to.have.length(2);
      content = "mended as well";
      cloud.calls.length = 0;
      expect((await stack.up()).failed).to.equal(false);
      const asked = requests(cloud).filter((request) => /machine|await-ready/.test(request));
      expect(asked).to.deep.equal(all("update", ["machine", "await-ready", "machine-2", "await-ready-2"]));
    });

    it("does not become one without its balancer by a change of the number alone: the address is the balancer's", async () => {
      await stack.configure({ instances: "1" });
      const { failed, messages, operations } = await stack.preview();
      expect([failed, operations]).to.deep.equal([true, []]);
      expect(messages).to.include("The balancer stays in front of one machine: pulumi config set balancer true");
      expect(messages).not.to.include("Azure does not say");
    });

    it("becomes one behind its balancer in one up, at the same address, and the machine that stays is not touched", async () => {
      await stack.configure({ balancer: "true" });
      const before = cloud.ofType(MACHINE).find(({ inputs }) => inputs.vmName === "signer");
      cloud.calls.length = 0;
      const { failed, messages, outputs } = await stack.up();
      expect(failed, messages).to.equal(false);
      const asked = requests(cloud);
      expect(asked.indexOf("update balancer")).to.be.below(asked.indexOf("delete machine-2")).and.above(-1);
      expect(outputs.signerUrl).to.equal(url);
      expect(cloud.ofType(MACHINE)).to.deep.equal([before]);
      expect(addresses()).to.deep.equal({ "signer-address": "signer-balancer", "signer-outbound": "signer-interface" });
      expect((await stack.up()).operations).to.deep.equal([]);
    });

    it("is without its balancer once that was deleted by hand, as docs/pair.md says it", async () => {
      const [balancer] = cloud.ofType(BALANCER);
      cloud.delete(BALANCER, "by hand", balancer?.id ?? "");
      await stack.refresh();
      await stack.configure({ balancer: null, instances: null });
      const { failed, messages, outputs } = await stack.up();
      expect(failed, messages).to.equal(false);
      expect(outputs.signerUrl).to.equal(url);
      expect(addresses()).to.deep.equal({ "signer-address": "signer-interface" });
    });

    it("goes as a whole, by one request, also as two", async () => {
      await stack.configure({ instances: "2" });
      expect((await stack.up()).outputs.signerUrl).to.equal(url);
      cloud.calls.length = 0;
      expect((await stack.destroy()).failed).to.equal(false);
      expect(requests(cloud)).to.deep.equal(["delete group"]);
      expect([...cloud.resources.keys()]).to.deep.equal([]);
    });

    it("is two from the beginning as well", async () => {
      const { failed, messages } = await stack.up();
      expect(failed, messages).to.equal(false);
      expect(Object.keys(zones()).sort()).to.deep.equal(["signer", "signer-2"]);
      expect(cloud.ofType("azure-native:storage:Blob").map(({ id }) => id.split("/").at(-1))).to.have.length(1);
      expect(released("mended")).to.be.a("string");
      await stack.destroy();
    });
  }

  function userDatas(): (readonly [string, Record<string, Record<string, unknown>>])[] {
    return cloud.ofType(MACHINE).map(({ inputs }) => {
      return [text(inputs, "vmName"), JSON.parse(Buffer.from(text(inputs, "userData"), "base64").toString())] as const;
    });
  }

  function hours() {
    return Object.fromEntries(userDatas().map(([name, told]) => [name, told.machine?.maintenance]));
  }

  function named() {
    return Object.fromEntries(userDatas().map(([name, told]) => [name, told.release?.sha256]));
  }
});
