/**
 * What a signer that stands does not become: another region, another group or subscription, a key of another curve, and
 * whatever its own locks refuse. Pulumi would begin with it and end half-way. Pure.
 * @module
 */
import { isBalanced } from "../config/pair.ts";
import type { StackConfig } from "../config/schema.ts";
import type { StandingSigner } from "./standing-signer.ts";

/** What an `up` would make of it. */
export interface Wanted
  extends Pick<StackConfig, "location" | "production" | "monitoring" | "keys" | "instances" | "balancer"> {
  /** Name of the resource group; undefined where a preview does not know it yet. */
  readonly resourceGroup: string | undefined;
  /** Id of the virtual network, or its end from the group on; undefined where a preview does not know it yet. */
  readonly network: string | undefined;
}

/** What Azure says of this moment. */
export interface Selected {
  /** Id of the subscription in which new resources would be made. */
  readonly subscription: string;
  readonly tenant: string;
  /** The vault's lock is in force, as far as Azure tells. */
  readonly isVaultLocked: boolean;
}

/**
 * Says that Pulumi remembers no vault where one stood: another would have its name, which is taken. So it is where a
 * refresh was made as somebody whom Azure does not show the subscription (pulumi-azure-native#4599), and where the vault
 * or its group was deleted by hand.
 */
export function forgotten({ forgottenVault }: StandingSigner): string[] {
  if (forgottenVault === undefined) return [];
  return [
    `this signer had the vault ${forgottenVault}, and Pulumi does not remember it: a refresh did not find it. If it is there, ` +
      "put the copy of Pulumi's memory back (docs/disaster.md, \"Pulumi's memory\"); if it was deleted, docs/disaster.md, " +
      '"The vault", says how it comes back. With nothing in it that is needed: npm run destroy, then npm run up',
  ];
}

/** Returns a sentence for each thing that cannot be, with what to do; none where the `up` may go on. */
export function refusals(standing: StandingSigner, wanted: Wanted, selected: Selected): string[] {
  return RULES.flatMap((rule) => rule(standing, wanted, selected) ?? []);
}

type Rule = (standing: StandingSigner, wanted: Wanted, selected: Selected) => string | string[] | undefined;

const RULES: readonly Rule[] = [
  function otherSubscription({ subscription, tenant }, _wanted, selected) {
    if (subscription === undefined || subscription === selected.subscription.toLowerCase()) return undefined;
    const login = tenant === undefined || tenant === selected.tenant ? "" : `az login --tenant ${tenant}; `;
    return (
      `subscription ${selected.subscription} is selected, and the signer stands in ${subscription}: ` +
      `${login}az account set --subscription ${subscription}. Where ARM_SUBSCRIPTION_ID or azure-native:subscriptionId ` +
      "is set, it selects instead"
    );
  },
  function otherRegion({ location }, wanted) {
    if (location === undefined || location === wanted.location) return undefined;
    return (
      `location = ${wanted.location}: the signer stands in ${location}, and its vault, table and address cannot move. ` +
      `Another region is another stack; for this one: pulumi config set location ${location}. ` +
      "One with nothing in it that is needed: npm run destroy first"
    );
  },
  function otherGroup({ resourceGroup }, wanted) {
    if (resourceGroup === undefined || wanted.resourceGroup === undefined) return undefined;
    if (resourceGroup.toLowerCase() === wanted.resourceGroup.toLowerCase()) return undefined;
    return (
      `the resource group would be ${wanted.resourceGroup}, and the signer stands in ${resourceGroup}: its vault, table ` +
      "and address cannot move. A stack that was renamed gets its name back by pulumi stack rename"
    );
  },
  function otherNetwork({ network }, wanted) {
    if (network === undefined || wanted.network === undefined) return undefined;
    if (network.toLowerCase().endsWith(wanted.network.toLowerCase())) return undefined;
    return (
      `subnetId: the signer's network interface is in ${network}, and would be in ${wanted.network}: Azure moves none into ` +
      "another virtual network, and nothing after it would be done. Another subnet of the same one may be given; another " +
      "network is another signer"
    );
  },
  function balancerGone({ isBalanced: stands }, wanted) {
    if (!stands || isBalanced(wanted)) return undefined;
    return (
      "instances = 1: the signer's address is the balancer's, and the machine's interface cannot take it while that stands. " +
      "The balancer stays in front of one machine: pulumi config set balancer true. docs/pair.md, " +
      '"Without the balancer again", says what it takes to be without it'
    );
  },
  function otherCurve({ keys }, wanted) {
    return wanted.keys
      .filter(({ name, curve }) => (keys[name] ?? curve) !== curve)
      .map(
        ({ name, curve }) =>
          `keys: ${name} has the curve ${keys[name]} and cannot get ${curve}: give the new key a name of its own`,
      );
  },
  function keyTakenOut({ keys, isProduction }, wanted) {
    const named = new Set(wanted.keys.map(({ name }) => name));
    const left = isProduction && wanted.production ? Object.keys(keys).filter((name) => !named.has(name)) : [];
    return left.map(
      (name) =>
        `keys: ${name} is in the vault of this production stack, which keeps it: name it again (docs/change.md)`,
    );
  },
  function productionOff({ isProduction }, wanted) {
    if (!isProduction || wanted.production) return undefined;
    return "production = false: what it has locked and protected stays so. Set it back, or take the stack down: docs/destroy.md";
  },
  function alertsOff({ isMonitored, vaultLock }, wanted, { isVaultLocked }) {
    if (!isMonitored || wanted.monitoring || !wanted.production) return undefined;
    if (vaultLock === undefined) {
      return "monitoring = false: the lock that production puts on the vault would keep its audit log. Turn monitoring off first, and production on by the next up";
    }
    if (!isVaultLocked) return undefined;
    return (
      `monitoring = false: the vault's lock ${vaultLock.lockName} keeps its audit log. Leave monitoring on (without ` +
      'alertEmail nobody is mailed), or lift the lock for this one change (docs/change.md, "Alerts off in production"): ' +
      `az lock delete --ids ${vaultLock.id}`
    );
  },
];
