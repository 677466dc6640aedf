import { ArmError } from "./arm.ts";
import { type Properties, text } from "./properties.ts";
import type { Subscription } from "./subscription.ts";

/** Functions of the provider: they tell and change nothing. By Pulumi's token. */
export const FUNCTIONS: Readonly<Record<string, (args: Properties, cloud: Subscription) => Properties>> = {
  "azure-native:authorization:getClientConfig": (_args, { subscription, tenant, deployer }) => ({
    clientId: "04b07795-8ddb-461a-bbee-02f9e1bf7b46", // the public one of Azure's command line
    objectId: deployer.objectId,
    subscriptionId: subscription.split("/")[2],
    tenantId: tenant,
  }),
  "azure-native:authorization:getManagementLockByScope": (args, cloud) => {
    const name = text(args, "lockName");
    const lock = cloud.get(`${text(args, "scope")}/providers/Microsoft.Authorization/locks/${name}`);
    if (lock === undefined) throw lockNotFound(name);
    return { id: lock.id, name, level: lock.inputs.level, notes: lock.inputs.notes };
  },
  "azure-native:compute:getVirtualMachineRunCommandByVirtualMachine": (args, cloud) => {
    const [group, machine, name] = ["resourceGroupName", "vmName", "runCommandName"].map((key) => text(args, key));
    const provider = `providers/Microsoft.Compute/virtualMachines/${machine}/runCommands/${name}`;
    const found = cloud.get(`${cloud.subscription}/resourceGroups/${group}/${provider}`);
    if (found === undefined) {
      throw new ArmError(404, "ResourceNotFound", `The Resource '${provider}' was not found.`);
    }
    if (cloud.runCommands.hidden) throw new ArmError(403, "AuthorizationFailed", "Reading is not allowed.");
    // How it went is told to those who ask for it by name.
    const view = args.expand === "instanceView" ? { instanceView: cloud.runCommands.view(found.id) } : {};
    return { ...found.outputs, ...view };
  },
  "azure-native:authorization:getClientToken": (_args, { managementToken }) => {
    if (managementToken === undefined) throw new ArmError(401, "InvalidAuthenticationToken", "There is no token.");
    return { token: managementToken };
  },
};

/** What Azure says of a lock that is not there, and the provider takes for a failure (pulumi-azure-native#4482). */
export function lockNotFound(name: string): ArmError {
  return new ArmError(404, "LockNotFound", `The lock '${name}' could not be found.`);
}
