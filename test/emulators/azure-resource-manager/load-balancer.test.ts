import { expect } from "chai";
import { Cloud } from "./cloud.ts";
import { list, type Properties } from "./properties.ts";

const LOCATION = "northeurope";
const NETWORK = "azure-native:network:";

/** A group with a network, a subnet and addresses, in which balancers and interfaces are made. */
class Site {
  readonly cloud = new Cloud();
  readonly network: string;
  readonly #subnet: string;

  constructor() {
    this.make("azure-native:resources:ResourceGroup", { resourceGroupName: "g" });
    const space = { addressSpace: { addressPrefixes: ["10.0.0.0/24"] } };
    this.network = this.make(`${NETWORK}VirtualNetwork`, { virtualNetworkName: "n", ...space });
    const subnet = { virtualNetworkName: "n", subnetName: "s", addressPrefix: "10.0.0.0/28" };
    this.#subnet = this.cloud.create(`${NETWORK}Subnet`, "s", { resourceGroupName: "g", ...subnet }).id;
  }

  make(type: string, inputs: Properties): string {
    return this.cloud.create(type, type, { resourceGroupName: "g", location: LOCATION, ...inputs }).id;
  }

  address(name: string): string {
    const standard = { sku: { name: "Standard" }, publicIPAllocationMethod: "Static" };
    return this.make(`${NETWORK}PublicIPAddress`, { publicIpAddressName: name, ...standard });
  }

  card(name: string, configuration: Properties): string {
    const ipConfigurations = [{ name: "c", subnet: { id: this.#subnet }, ...configuration }];
    return this.make(`${NETWORK}NetworkInterface`, { networkInterfaceName: name, ipConfigurations });
  }

  /** Changes an interface's one configuration. */
  change(id: string, configuration: Properties): void {
    const { type, inputs } = this.cloud.get(id) ?? { type: "", inputs: {} };
    const ipConfigurations = [{ name: "c", subnet: { id: this.#subnet }, ...configuration }];
    this.cloud.update(type, id, id, { ...inputs, ipConfigurations });
  }

  balancer(address: string, changed: Properties = {}, name = "b"): string {
    return this.make(`${NETWORK}LoadBalancer`, { loadBalancerName: name, ...this.body(address, name), ...changed });
  }

  body(address: string, name = "b"): Properties {
    const own = `${this.cloud.subscription}/resourceGroups/g/providers/Microsoft.Network/loadBalancers/${name}`;
    return {
      sku: { name: "Standard" },
      frontendIPConfigurations: [{ name: "front", publicIPAddress: { id: address } }],
      backendAddressPools: [{ name: "pool" }],
      probes: [{ name: "probe", protocol: "Http", port: 80, requestPath: "/", intervalInSeconds: 5 }],
      loadBalancingRules: [
        {
          name: "rule",
          protocol: "Tcp",
          frontendPort: 80,
          backendPort: 80,
          frontendIPConfiguration: { id: `${own}/frontendIPConfigurations/front` },
          backendAddressPool: { id: `${own}/backendAddressPools/pool` },
          probe: { id: `${own}/probes/probe` },
        },
      ],
    };
  }

  delete(id: string): void {
    this.cloud.delete(this.cloud.get(id)?.type ?? "", id, id);
  }
}

describe("the fake Azure's balancers refuse what Azure refuses", () => {
  it("an address in use: an interface has it, or a balancer, and never both", () => {
    const site = new Site();
    const address = site.address("a");
    const publicIPAddress = { id: address };
    const card = site.card("c", { publicIPAddress });
    expect(() => site.balancer(address)).to.throw(/PublicIPAddressInUse.*already allocated to resource .*networkInter/);
    site.change(card, {});
    const balancer = site.balancer(address);
    expect(() => site.change(card, { publicIPAddress })).to.throw(/PublicIPAddressInUse.*loadBalancers/);
    expect(() => site.delete(address)).to.throw(/PublicIPAddressCannotBeDeleted/);
    site.delete(balancer);
    site.change(card, { publicIPAddress });
  });

  it("one address of an interface is exchanged for another in one request", () => {
    const site = new Site();
    const [first, second] = [site.address("a"), site.address("b")];
    const card = site.card("c", { publicIPAddress: { id: first } });
    site.change(card, { publicIPAddress: { id: second } });
    site.balancer(first);
  });

  it("kinds that do not go together: a basic balancer, and a basic address in front of a standard one", () => {
    const site = new Site();
    const address = site.address("a");
    expect(() => site.balancer(address, { sku: { name: "Basic" } })).to.throw(/BasicSku/);
    expect(() => site.balancer(address, { sku: undefined })).to.throw(/BasicSku/);
    const { id, type, inputs, outputs } = site.cloud.get(address) ?? { id: "", type: "", inputs: {}, outputs: {} };
    site.cloud.hold({ id, type, inputs: { ...inputs, sku: { name: "Basic" } }, outputs }); // one of before 2025
    expect(() => site.balancer(address)).to.throw(/PublicIPAndLBSkuDoNotMatch/);
  });

  it("the order of interface and pool: an interface names no pool that is not there yet", () => {
    const site = new Site();
    const address = site.address("a");
    const pool = `${site.cloud.subscription}/resourceGroups/g/providers/Microsoft.Network/loadBalancers/b/backendAddressPools/pool`;
    const joining = { loadBalancerBackendAddressPools: [{ id: pool }] };
    expect(() => site.card("c", joining)).to.throw(/InvalidResourceReference/);
    site.balancer(address);
    site.card("c", joining);
    const other = { loadBalancerBackendAddressPools: [{ id: pool.replace(/pool$/, "other") }] };
    expect(() => site.card("d", other)).to.throw(/InvalidResourceReference/);
  });

  it("members by address: addresses, in a network that is there, each once, and not beside interfaces", () => {
    const site = new Site();
    const address = site.address("a");
    const pool = (...ips: string[]) => ({
      backendAddressPools: [
        {
          name: "pool",
          loadBalancerBackendAddresses: ips.map((ipAddress, index) => {
            return { name: `m${index}`, ipAddress, virtualNetwork: { id: site.network } };
          }),
        },
      ],
    });
    expect(() => site.balancer(address, pool("10.0.0"))).to.throw(/InvalidIPAddress/);
    expect(() => site.balancer(address, pool("10.0.0.4", "10.0.0.4"))).to.throw(/DuplicateBackendAddress/);
    const nowhere = { name: "pool", loadBalancerBackendAddresses: [{ name: "m", ipAddress: "10.0.0.4" }] };
    expect(() => site.balancer(address, { backendAddressPools: [nowhere] })).to.throw(/VirtualNetworkRequired/);
    site.balancer(address, pool("10.0.0.4", "10.0.0.5"));
  });

  it("what a rule names is there, and a probe looks every five seconds at the most", () => {
    const site = new Site();
    const address = site.address("a");
    expect(() => site.balancer(address, { probes: [] })).to.throw(/InvalidResourceReference.*probes\/probe/);
    const often = { name: "probe", protocol: "Http", port: 80, requestPath: "/", intervalInSeconds: 4 };
    expect(() => site.balancer(address, { probes: [often] })).to.throw(/ProbeInterval/);
    const pathless = { ...often, intervalInSeconds: 5, requestPath: undefined };
    expect(() => site.balancer(address, { probes: [pathless] })).to.throw(/InvalidProbeRequestPath/);
  });

  it("zones: one of the region's for a machine, none for the front, and the same for ever", () => {
    const site = new Site();
    const zoned = { name: "front", zones: ["1"], publicIPAddress: { id: site.address("a") } };
    expect(() => site.balancer("", { frontendIPConfigurations: [zoned] })).to.throw(/CannotHaveZone/);
    const machine = (zones: string[] | undefined, location = LOCATION) => ({
      vmName: "m",
      location,
      zones,
      hardwareProfile: { vmSize: "Standard_B1s" },
      osProfile: {},
      storageProfile: {
        imageReference: { publisher: "Canonical", offer: "ubuntu-24_04-lts", sku: "server", version: "latest" },
      },
    });
    const type = "azure-native:compute:VirtualMachine";
    expect(() => site.make(type, machine(["4"]))).to.throw(/AvailabilityZoneNotSupported.*'1,2,3'/);
    expect(() => site.make(type, machine(["1"], "westus"))).to.throw(/AvailabilityZoneNotSupported.*are ''/);
    expect(() => site.make(type, machine(["1", "2"]))).to.throw(/one zone at most/);
    const id = site.make(type, machine(["1"]));
    const { inputs } = site.cloud.get(id) ?? { inputs: {} };
    for (const zones of [["2"], undefined]) {
      expect(() => site.cloud.update(type, id, id, { ...inputs, zones })).to.throw(/ZonesCannotBeModified/);
    }
  });

  it("each interface has a private address of its own, and keeps it", () => {
    const site = new Site();
    const cards = ["c", "d"].map((name) => site.card(name, {}));
    const addresses = () =>
      cards.map((id) => list(site.cloud.get(id)?.outputs, "ipConfigurations")[0]?.privateIPAddress);
    expect(addresses()).to.deep.equal(["10.0.0.4", "10.0.0.5"]);
    site.change(cards[0] ?? "", { publicIPAddress: { id: site.address("a") } });
    expect(addresses()).to.deep.equal(["10.0.0.4", "10.0.0.5"]);
  });
});
