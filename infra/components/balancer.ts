/**
 * The signer's address in front of machines that share its work.
 *
 * An address is in one place at a time, and Pulumi deletes last. With a pool that the interfaces join, the balancer would
 * have to be there before the interface that still has its address, and back again the interface would want the address
 * while the balancer still has it. So:
 * - The pool names private addresses, which depend on nothing but the interfaces. In the `up` that makes a pair, each
 *   interface has an address of its own first (the way out, and where one logs in), and the balancer then takes the one
 *   that was let go of. Between these two requests nobody answers at the signer's address.
 * - A balancer stays. In front of one machine it costs its price and no slot; to take it away, the address would be with
 *   nobody from one `up` until the next. `balancer: true` says so, and standing/refusals.ts holds the program to it.
 * - No outbound rule: those want interfaces in the pool. A NAT gateway would cost more than both machines.
 * docs/pair.md tells it to whoever runs one.
 * @module
 */
import { LoadBalancer, type NetworkInterface, type PublicIPAddress } from "@pulumi/azure-native/network/index.js";
import * as pulumi from "@pulumi/pulumi";
import { PROBE, SIGNER_PORT } from "../../signer/contract.ts";
import { inGroup, type StackContext } from "./context.ts";
import type { Kinds } from "./kind.ts";

/** The balancer's name in Azure. */
const NAME = "signer-balancer";

export interface BalancerArgs {
  readonly context: StackContext;
  readonly address: PublicIPAddress;
  /** Id of the virtual network that the machines are in. */
  readonly networkId: pulumi.Input<string>;
  /** The machines' interfaces, none of which has the address any more. */
  readonly interfaces: readonly NetworkInterface[];
}

/** A balancer that sends what is new to machines whose signer is ready. */
export class Balancer extends pulumi.ComponentResource {
  readonly balancer: LoadBalancer;

  constructor(name: string, args: BalancerArgs, options?: pulumi.ComponentResourceOptions) {
    super("tezos-signer:infra:Balancer", name, {}, options);
    const { context, address, interfaces } = args;
    const part = (kind: string, name: string) => ({
      id: pulumi.interpolate`${context.group.id}/providers/Microsoft.Network/loadBalancers/${NAME}/${kind}/${name}`,
    });
    this.balancer = new LoadBalancer(
      context.named("balancer"),
      {
        resourceGroupName: context.group.name,
        loadBalancerName: NAME,
        location: context.location,
        sku: { name: "Standard", tier: "Regional" },
        frontendIPConfigurations: [{ name: "address", publicIPAddress: { id: address.id } }],
        backendAddressPools: [
          {
            name: "machines",
            loadBalancerBackendAddresses: interfaces.map((card, index) => ({
              name: `machine-${index + 1}`,
              ipAddress: card.ipConfigurations.apply((all) => all?.[0]?.privateIPAddress ?? ""),
              virtualNetwork: { id: args.networkId },
            })),
          },
        ],
        probes: [
          {
            name: "ready",
            protocol: "Http",
            port: SIGNER_PORT,
            requestPath: PROBE.path,
            intervalInSeconds: PROBE.interval,
            probeThreshold: PROBE.threshold,
          },
        ],
        loadBalancingRules: [
          {
            name: "signer",
            protocol: "Tcp",
            frontendPort: SIGNER_PORT,
            backendPort: SIGNER_PORT,
            frontendIPConfiguration: part("frontendIPConfigurations", "address"),
            backendAddressPool: part("backendAddressPools", "machines"),
            probe: part("probes", "ready"),
            // A connection that is idle for longer ends with a reset: a client that waits in silence is told.
            idleTimeoutInMinutes: 4,
            enableTcpReset: true,
            disableOutboundSnat: true, // each machine has a way out of its own
            loadDistribution: "Default",
          },
        ],
        tags: context.tags,
      },
      { ...inGroup(this, context), dependsOn: [...interfaces] },
    );
    this.registerOutputs({});
  }
}

/** What the plan shows of the balancer. */
export const BALANCER_KINDS: Kinds = {
  "azure-native:network:LoadBalancer": {
    word: "balancer",
    name: "loadBalancerName",
    shown: [
      "sku.name",
      "probes.0.requestPath",
      "probes.0.intervalInSeconds| seconds",
      "probes.0.probeThreshold| times",
    ],
  },
};
