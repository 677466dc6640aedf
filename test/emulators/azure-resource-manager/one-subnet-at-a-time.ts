import { setTimeout as wait } from "node:timers/promises";
import { badRequest } from "./arm.ts";
import { list, type Properties, text } from "./properties.ts";

/** How long a subnet is being updated by whoever joins it: longer than the engine takes to send its next request. */
const UPDATING = 50;

/**
 * A subnet changes with each resource that joins it, and meanwhile it lets no other in: a storage account, a vault and an
 * interface that come at once find it "in Updating state". The provider does not try again (client_azcore.go retries
 * AnotherOperationInProgress and statuses of its own). Texts: Azure/azure-rest-api-specs#11143,
 * hashicorp/terraform-provider-azurerm#30197; a vault's own is not recorded anywhere.
 */
export class OneSubnetAtATime {
  readonly #updating = new Set<string>();

  /**
   * Makes or changes a resource, alone in each subnet that it joins.
   * @throws ArmError where another one is just joining
   */
  async join<T>(type: string, inputs: Properties, act: () => T): Promise<T> {
    const subnets = subnetsOf(inputs);
    const busy = subnets.find((id) => this.#updating.has(id));
    if (busy !== undefined) throw refusal(type, busy);
    const result = act();
    for (const id of subnets) this.#updating.add(id);
    if (subnets.length > 0) await wait(UPDATING);
    for (const id of subnets) this.#updating.delete(id);
    return result;
  }
}

/** Subnets that a vault, a storage account or an interface names. */
function subnetsOf(inputs: Properties): string[] {
  return [
    ...list(inputs, "properties.networkAcls.virtualNetworkRules").map((rule) => text(rule, "id")),
    ...list(inputs, "networkRuleSet.virtualNetworkRules").map((rule) => text(rule, "virtualNetworkResourceId")),
    ...list(inputs, "ipConfigurations").map((configuration) => text(configuration, "subnet.id")),
  ].map((id) => id.toLowerCase());
}

function refusal(type: string, subnet: string) {
  if (type === "azure-native:network:NetworkInterface") {
    const message = `Cannot proceed with operation because resource ${subnet} is not in Succeeded state. Resource is in Updating state and the last operation that updated/is updating the resource is PutSubnetOperation.`;
    return badRequest("ReferencedResourceNotProvisioned", message);
  }
  const name = subnet.split("/").at(-1);
  const network = subnet.split("/").slice(0, -2).join("/");
  const message = `Validation of network acls failure: SubnetsNotProvisioned:Cannot proceed with operation because subnets ${name} of the virtual network ${network} are not provisioned. They are in Updating state..`;
  return badRequest("NetworkAclsValidationFailure", message);
}
