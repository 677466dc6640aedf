import { isDeepStrictEqual } from "node:util";
import { ArmError, badRequest, conflict } from "../arm.ts";
import { at, list, type Properties, text, texts } from "../properties.ts";
import type { Kind, Resource, Subscription } from "../subscription.ts";
import { must, same } from "./addresses.ts";
import { inGroup, USUAL_NAME } from "./in-group.ts";
import { allowZones } from "./zones.ts";

const MACHINE = "azure-native:compute:VirtualMachine";

/** Long enough for every script here; Azure's own handler takes 256 KiB of it (run-command-handler-linux, cmds.go). */
const SCRIPT = 256 * 1_024;

/** What Azure fixes when it makes a machine. */
const IMMUTABLE = [
  "osProfile.customData",
  "osProfile.computerName",
  "osProfile.adminUsername",
  "osProfile.linuxConfiguration.disablePasswordAuthentication",
  "osProfile.linuxConfiguration.provisionVMAgent",
  "osProfile.linuxConfiguration.ssh",
  "storageProfile.imageReference",
  "storageProfile.osDisk.managedDisk",
  "securityProfile.securityType",
];

const RUN_COMMAND = inGroup("Microsoft.Compute/virtualMachines/runCommands", ["vmName", "runCommandName"], USUAL_NAME);

/** Virtual machine, and what is run on it. The provider lists no replacement for its body: a change of the above is sent, and refused. */
export const COMPUTE: Readonly<Record<string, Kind>> = {
  [MACHINE]: {
    ...inGroup("Microsoft.Compute/virtualMachines", ["vmName"], USUAL_NAME),
    put: machine,
    // Azure writes into each which machine it is of. Whether a lock for reading alone refuses that, no page says: here it does.
    joins: (inputs) => list(inputs, "networkProfile.networkInterfaces").map((nic) => text(nic, "id")),
    delete: withItsParts,
  },
  "azure-native:compute:VirtualMachineRunCommandByVirtualMachine": {
    ...RUN_COMMAND,
    put: runCommand,
    finish: (resource, cloud, patience) => cloud.runCommands.run(resource, patience),
  },
};

function machine(inputs: Properties, cloud: Subscription, before: Resource | undefined): Properties {
  const size = text(inputs, "hardwareProfile.vmSize");
  if (before === undefined) cloud.offer.allow(inputs, cloud.refusedSizes, [...cloud.resources.values()]);
  if (
    before !== undefined &&
    cloud.offer.hasTemporaryDisk(size) !== cloud.offer.hasTemporaryDisk(text(before.inputs, "hardwareProfile.vmSize"))
  ) {
    throw conflict(
      "OperationNotAllowed",
      "Unable to resize the VM since changing from resource disk to non-resource disk VM size and vice-versa is not allowed.",
    );
  }
  allowZones(inputs, before);
  for (const path of IMMUTABLE) {
    if (before !== undefined && !isDeepStrictEqual(at(inputs, path), at(before.inputs, path))) {
      throw conflict("PropertyChangeNotAllowed", `Changing property '${path}' is not allowed.`);
    }
  }
  bytes(text(inputs, "osProfile.customData"), 65_535, "osProfile.customData");
  bytes(text(inputs, "userData"), 65_536, "userData");
  for (const identity of texts(inputs, "identity.userAssignedIdentities")) {
    if (cloud.get(identity) === undefined) {
      throw new ArmError(400, "FailedIdentityOperation", `The identity ${identity} was not found.`);
    }
  }
  for (const nic of list(inputs, "networkProfile.networkInterfaces")) {
    must(cloud, text(nic, "id"));
    const other = cloud
      .ofType(MACHINE)
      .find(
        (machine) =>
          machine.id !== before?.id &&
          list(machine.inputs, "networkProfile.networkInterfaces").some((used) =>
            same(text(used, "id"), text(nic, "id")),
          ),
      );
    if (other !== undefined)
      throw badRequest("NicInUse", `Network Interface ${text(nic, "id")} is used by existing resource ${other.id}.`);
  }
  const { customData: _, ...osProfile } = at(inputs, "osProfile") as Properties;
  return {
    vmId: text(before?.outputs, "vmId") || cloud.guid(`machine ${cloud.calls.length}`),
    osProfile, // Azure never gives customData back
    userData: undefined, // nor userData, unless asked with $expand
    provisioningState: "Succeeded",
  };
}

function runCommand(inputs: Properties, cloud: Subscription, before: Resource | undefined): Properties {
  const machine = cloud
    .ofType(MACHINE)
    .find(({ inputs: own }) => ["resourceGroupName", "vmName"].every((key) => same(text(own, key), text(inputs, key))));
  if (machine === undefined) {
    const message = `Can not perform requested operation on nested resource. Parent resource '${text(inputs, "vmName")}' not found.`;
    throw new ArmError(404, "ParentResourceNotFound", message);
  }
  const script = text(inputs, "source.script");
  if (script === "") throw badRequest("InvalidParameter", "Only one of script, scriptUri or commandId must be given.");
  if (Buffer.byteLength(script) > SCRIPT) throw badRequest("InvalidParameter", "The script is too long.");
  // With it the PUT of a script that fails is a failure; this one plays those that are asked how they went.
  if (inputs.treatFailureAsDeploymentFailure === true) throw new Error("the fake Azure plays no such deployments");
  cloud.runCommands.allow();
  if (before === undefined) cloud.runCommands.forget(RUN_COMMAND.id(inputs, cloud));
  return { provisioningState: "Succeeded" };
}

/** What a machine was told to take with it when it goes, Azure deletes after it. */
function withItsParts({ inputs }: Resource, cloud: Subscription): void {
  for (const nic of list(inputs, "networkProfile.networkInterfaces")) {
    if (text(nic, "deleteOption") === "Delete") cloud.resources.delete(text(nic, "id").toLowerCase());
  }
}

/** Both are base64, and limited in what they decode to. */
function bytes(base64: string, limit: number, name: string): void {
  const decoded = Buffer.from(base64, "base64");
  if (decoded.toString("base64") !== base64) throw badRequest("InvalidParameter", `${name} must be Base64 encoded.`);
  if (decoded.length > limit)
    throw badRequest("InvalidParameter", `${name} has ${decoded.length} bytes; the limit is ${limit}.`);
}
