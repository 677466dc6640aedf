import { expect } from "chai";
import { contradictions } from "../../../infra/config/contradictions.ts";
import { hasZones, places } from "../../../infra/config/pair.ts";
import { warnings } from "../../../infra/config/warnings.ts";
import { estimateCost } from "../../../infra/cost.ts";
import { violations } from "../../../infra/invariants.ts";
import type { Plan } from "../../../infra/plan/plan.ts";
import { at, list, text } from "../../emulators/azure-resource-manager/properties.ts";
import { EVERYTHING, plan, settings } from "../../fixtures/stack-configs.ts";
import { names, resource } from "./planned.ts";

describe("a pair as the program asks Azure for it", () => {
  let pair: Plan;
  let whole: Plan;

  before(async () => {
    pair = await plan({ instances: "2" });
    whole = await plan({ ...EVERYTHING, instances: "2" });
  });

  it("breaks no rule, with the least and with the fullest configuration", () => {
    expect(violations(pair)).to.deep.equal([]);
    expect(violations(whole)).to.deep.equal([]);
  });

  it("keeps the names of all that one machine has", async () => {
    expect(names(pair)).to.include.members(names(await plan()));
    const one = names(await plan({ balancer: "true" }));
    expect(one).to.include.members(["balancer", "outbound"]).and.not.include("machine-2");
  });

  it("has each machine in a zone of its own, and the first one wait for the second one's signer", () => {
    expect([resource(pair, "machine").inputs.zones, resource(pair, "machine-2").inputs.zones]).to.deep.equal([
      ["1"],
      ["2"],
    ]);
    const order = names(pair).filter((name) => /^(machine|await-ready)(-2)?$/.test(name));
    expect(order).to.deep.equal(["machine-2", "await-ready-2", "machine", "await-ready"]);
  });

  it("waits for the balancer before it waits for a signer, whose health is the balancer's as well", () => {
    for (const name of ["await-ready", "await-ready-2"]) {
      const { inputs, options } = resource(pair, name);
      expect(options.dependencies, name).to.include("balancer");
      expect(list(inputs, "parameters")).to.deep.include({ name: "BALANCED", value: "yes" });
    }
  });

  it("joins the subnet one after the other, the interface with the signer's address last", () => {
    expect(resource(pair, "interface").options.dependencies).to.include("interface-2");
    expect(resource(pair, "balancer").options.dependencies).to.include.members(["interface", "interface-2"]);
    expect(resource(pair, "vault").options.dependencies).to.include("interface");
  });

  it("gives the signer's address to the balancer alone, and each machine one of its own", () => {
    const address = (name: string) =>
      text(list(resource(pair, name).inputs, "ipConfigurations")[0], "publicIPAddress.id")
        .split("/")
        .at(-1);
    expect([address("interface"), address("interface-2")]).to.deep.equal(["outbound", "outbound-2"]);
    const [front] = list(resource(pair, "balancer").inputs, "frontendIPConfigurations");
    expect(text(front, "publicIPAddress.id")).to.match(/address$/);
    const [rule] = list(resource(pair, "balancer").inputs, "loadBalancingRules");
    expect(rule).to.include({ frontendPort: 6732, backendPort: 6732, enableTcpReset: true, disableOutboundSnat: true });
    expect(list(resource(pair, "vault").inputs, "properties.networkAcls.ipRules")).to.have.length(2);
  });

  it("watches both machines, and gives the commands for both", () => {
    for (const alert of ["machine-unavailable", "machine-tired", "signer-not-ready", "watermark-refusal"]) {
      const watched = [alert, `${alert}-2`].map((name) =>
        text({ id: at(resource(whole, name).inputs, "scopes.0") }, "id"),
      );
      expect(
        watched.map((id) => id.split("/").at(-1)),
        alert,
      ).to.deep.equal(["signer", "signer-2"]);
    }
    const second = at(whole.outputs, "secondMachine") as Readonly<Record<string, string>>;
    expect(second.statusCommand).to.include("--name signer-2 ");
    expect(second.confirmCommand).to.match(/^ssh -t deploy@/);
    expect(whole.outputs.statusCommand).to.include("--name signer ");
    expect(pair.outputs).to.have.property("secondMachine").that.has.all.keys("vmName", "statusCommand", "logCommand");
  });

  it("watches by one alert whether the machines have been out of step for half an hour, and one machine by none", async () => {
    const { inputs } = resource(whole, "out-of-step");
    expect([inputs.windowSize, at(inputs, "scopes.0")]).to.deep.equal([
      "PT30M",
      at(resource(whole, "signer-not-ready").inputs, "scopes.0"),
    ]);
    const [criterion] = list(inputs, "criteria.allOf");
    expect(criterion).to.deep.include({
      metricName: "tezos_signer_out_of_step",
      timeAggregation: "Minimum",
      threshold: 0,
    });
    expect(names(await plan(EVERYTHING))).not.to.include("out-of-step");
  });

  it("has each machine send its figures under its own id, and let the metrics port be read there", async () => {
    const told = (planned: Plan, name: string) =>
      JSON.parse(Buffer.from(text(resource(planned, name).inputs, "userData"), "base64").toString());
    for (const [name, machine] of [
      ["machine", "signer"],
      ["machine-2", "signer-2"],
    ] as const) {
      const { settings, machine: access } = told(whole, name);
      expect(settings.azureMonitor.resource.split("/").at(-1)).to.equal(machine);
      expect([settings.metrics.port, access.metrics]).to.deep.equal([9584, ["84.20.19.3"]]);
    }
    const different = { ...told(whole, "machine-2").settings, azureMonitor: undefined };
    expect({ ...told(whole, "machine").settings, azureMonitor: undefined }).to.deep.equal(different);
  });

  it("has the metrics port at each machine's own address, since the balancer has the signing port alone", () => {
    const second = at(whole.outputs, "secondMachine") as Readonly<Record<string, string>>;
    for (const { metricsUrl } of [whole.outputs, second]) expect(metricsUrl).to.match(/^https:\/\/.+:9584$/);
    expect(
      [whole.outputs.metricsCommand, second.metricsCommand].map((line) => /--name (\S+)/.exec(String(line))?.[1]),
    ).to.deep.equal(["signer", "signer-2"]);
    const rules = list(resource(pair, "balancer").inputs, "loadBalancingRules");
    expect(rules.map(({ frontendPort }) => frontendPort)).to.deep.equal([6732]);
  });

  it("costs another machine, disk and two addresses, and the balancer", () => {
    const [one, two, behind] = [{}, { instances: "2" }, { balancer: "true" }].map((config) =>
      estimateCost(settings(config)),
    );
    expect(two?.usd).to.equal(67.22);
    expect(Number(((two?.usd ?? 0) - (one?.usd ?? 0)).toFixed(2))).to.equal(35.54);
    expect(behind?.usd).to.equal(53.58);
  });

  it("is without zones where the region has none, and that is told, as is a table in one building", () => {
    expect(hasZones("westus")).to.equal(false);
    expect(places(settings({ instances: "2", location: "westus" })).map(({ zone }) => zone)).to.deep.equal([
      undefined,
      undefined,
    ]);
    const told = (config: object) => warnings(settings({ instances: "2", ...config })).join("\n");
    expect(told({ location: "westus" })).to.include("location westus has no zones");
    expect(told({})).to.include("redundancy is LRS: the machines are in two zones");
    expect(told({ redundancy: "ZRS" })).not.to.match(/zones|building/);
  });

  it("has hours of maintenance that are far apart", () => {
    expect(places(settings({ instances: "2" })).map(({ maintenance }) => maintenance)).to.deep.equal([
      "04:30",
      "16:30",
    ]);
  });

  it("waits for its signers, or is refused", () => {
    const config = { ...settings({ instances: "2" }), waitForSigner: false };
    const found = contradictions({ config, isSet: () => false, now: Date.now() });
    expect(found.map(({ key }) => key)).to.deep.equal(["waitForSigner"]);
    expect(() => settings({ instances: "3" })).to.throw(/instances = 3: is neither 1 nor 2/);
  });
});
