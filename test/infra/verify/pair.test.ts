import { expect } from "chai";
import { PORTS } from "../../../infra/verify/outside.ts";
import { standing, type Way } from "../../../infra/verify/site.ts";
import { vaultFirewall } from "../../../infra/verify/standing-rules.ts";
import { World } from "./world.ts";

const ADDRESS = "azure-native:network:PublicIPAddress";

describe("npm run verify of a pair", () => {
  it("takes the machines' own addresses for those that log in and go out, and the balancer's for the signer", async () => {
    await using world = await World.start({ instances: "2", adminIp: "198.51.100.9" });
    const stack = world.site();
    expect(stack.addresses).to.deep.equal([stack.publicIp]);
    const own = Object.entries({ "outbound-2": "20.50.100.12", outbound: "20.50.100.11" }).map(([name, ipAddress]) => {
      return { urn: `urn:pulumi:dev::tezos-signer::${ADDRESS}::${name}`, type: ADDRESS, outputs: { ipAddress } };
    });
    const { addresses, machine } = standing({ ...stack, remembered: [...world.remembered, ...own] });
    expect(addresses).to.deep.equal(["20.50.100.11", "20.50.100.12"]);
    expect(machine.path).to.match(/\/signer$/);

    const reached: string[] = [];
    const reach = async (host: string, port: number): Promise<Way> => {
      reached.push(`${host}:${port}`);
      return port === 22 ? "open" : "silent";
    };
    const rows = await PORTS.examine({ ...stack, addresses, reach });
    expect(rows.map(({ verdict }) => verdict)).to.deep.equal(["ok", "ok"]);
    expect(reached).to.deep.equal([`${stack.publicIp}:6732`, "20.50.100.11:22"]);

    const lets = (...ips: string[]) =>
      vaultFirewall(
        {
          location: "northeurope",
          properties: {
            tenantId: "",
            accessPolicies: [],
            networkAcls: {
              bypass: "None",
              defaultAction: "Deny",
              ipRules: ips.map((value) => ({ value: `${value}/32` })),
              virtualNetworkRules: [{ id: "the subnet" }],
            },
          },
        },
        { settings: stack.settings, addresses },
      ).verdict;
    expect(lets(...addresses)).to.equal("ok");
    expect(lets(stack.publicIp)).to.equal("not ok");
  });
});
