import { VirtualMachine } from "@pulumi/azure-native/compute/index.js";
import * as pulumi from "@pulumi/pulumi";
import type { Image } from "../config/machine-image.ts";
import { inGroup, type StackContext } from "./context.ts";
import type { Kinds } from "./kind.ts";

export interface MachineArgs {
  readonly context: StackContext;
  readonly interfaceId: pulumi.Input<string>;
  readonly identityId: pulumi.Input<string>;
  readonly size: string;
  readonly image: Image;
  readonly sshPublicKey: string;
  /** What it does at its first boot, base64. Azure cannot change it: another one is another machine. */
  readonly customData: string;
  /** What it is told, as text: user-data.ts. Azure changes it in place, and the machine reads it again. */
  readonly userData: pulumi.Input<string>;
  /** The release that userData names: it must be there first. */
  readonly release: pulumi.Resource;
}

/** The machine's name, in Azure and its own. */
export const MACHINE_NAME = "signer";

/** The user that logs in by SSH, where the firewall lets anyone. */
export const ADMIN = "deploy";

/**
 * Sizes that Azure refuses to new subscriptions since their retirement was announced, and what to set instead
 * (retired-sizes-list: Bv1 ends on 2028-11-15). The successors have no less memory.
 */
const SUCCESSORS: Readonly<Record<string, string>> = {
  Standard_B1ls: "Standard_B2ats_v2",
  Standard_B1s: "Standard_B2ats_v2",
  Standard_B1ms: "Standard_B2als_v2",
  Standard_B2s: "Standard_B2als_v2",
};

/**
 * What Azure fixes when it makes a machine. Each by its own name: beside them the platform writes what it likes, and a
 * machine is not replaced for that.
 */
const FIXED = [
  "osProfile.computerName",
  "osProfile.adminUsername",
  "osProfile.customData",
  "osProfile.linuxConfiguration.disablePasswordAuthentication",
  "osProfile.linuxConfiguration.provisionVMAgent",
  "osProfile.linuxConfiguration.ssh",
  "storageProfile.imageReference",
  "securityProfile.securityType",
  "securityProfile.uefiSettings",
  "hardwareProfile.vmSize",
];

/** A small machine that runs the signer. It holds nothing that is needed after it: it may be replaced at any time. */
export class Machine extends pulumi.ComponentResource {
  readonly id: pulumi.Output<string>;

  constructor(name: string, args: MachineArgs, options?: pulumi.ComponentResourceOptions) {
    super("tezos-signer:infra:Machine", name, {}, options);
    const { context, size } = args;
    new VirtualMachine(
      context.named("machine"),
      {
        resourceGroupName: context.group.name,
        vmName: MACHINE_NAME,
        location: context.location,
        hardwareProfile: { vmSize: size },
        identity: { type: "UserAssigned", userAssignedIdentities: [args.identityId] },
        networkProfile: { networkInterfaces: [{ id: args.interfaceId, primary: true, deleteOption: "Detach" }] },
        osProfile: {
          computerName: MACHINE_NAME,
          adminUsername: ADMIN,
          customData: args.customData,
          allowExtensionOperations: true, // `az vm run-command` is the way in: port 22 stays closed
          linuxConfiguration: {
            disablePasswordAuthentication: true,
            provisionVMAgent: true,
            ssh: { publicKeys: [{ path: `/home/${ADMIN}/.ssh/authorized_keys`, keyData: args.sshPublicKey }] },
          },
        },
        storageProfile: {
          imageReference: { ...args.image },
          osDisk: {
            createOption: "FromImage",
            deleteOption: "Delete", // the default keeps, and bills, the disk of every machine that was replaced
            caching: "ReadWrite",
            managedDisk: { storageAccountType: "StandardSSD_LRS" },
          },
        },
        securityProfile: {
          securityType: "TrustedLaunch",
          uefiSettings: { secureBootEnabled: true, vTpmEnabled: true },
        },
        diagnosticsProfile: { bootDiagnostics: { enabled: true } }, // the boot log is readable with port 22 closed
        userData: pulumi.output(args.userData).apply((text) => Buffer.from(text).toString("base64")),
        tags: context.tags,
      },
      {
        ...inGroup(this, context),
        dependsOn: [args.release],
        // Azure fixes these at creation, and the provider plans an update that fails (pulumi-azure-native#577). A size is
        // fixed too where one of the two has a temporary disk, as Standard_B1s has and its successor has not (resize-vm).
        replaceOnChanges: FIXED,
        // Azure Policy and Update Manager write it, and a refresh takes it over.
        ignoreChanges: ["osProfile.linuxConfiguration.patchSettings"],
        deleteBeforeReplace: true, // the new machine takes over name and network interface
        hooks: { onError: [new pulumi.ErrorHook(context.named("machine-size"), sayWhichSize(size))] },
      },
    );
    // From names, not from the resource: a preview of a replacement would not know it, and alerts would show false changes.
    this.id = pulumi.interpolate`${context.group.id}/providers/Microsoft.Compute/virtualMachines/${MACHINE_NAME}`;
    this.registerOutputs({ id: this.id });
  }
}

/** Where Azure refuses the size, says which one to set; tries nothing again. */
function sayWhichSize(size: string): pulumi.ErrorHookFunction {
  return async ({ errors }) => {
    if (errors.some((error) => /SkuNotAvailable|QuotaExceeded|not available in location/i.test(error))) {
      const successor = SUCCESSORS[size];
      const advice =
        successor === undefined
          ? "`az vm list-skus --location LOCATION --size Standard_B` shows what you may set vmSize to"
          : `set its successor: pulumi config set vmSize ${successor}`;
      // Waited for: where the hook has ended, the engine ends the program, and a message under way is lost.
      await pulumi.log.error(`Azure refuses the size ${size} here; ${advice}`);
    }
    return false;
  };
}

/** What the plan shows of the machine. */
export const MACHINE_KINDS: Kinds = {
  "azure-native:compute:VirtualMachine": {
    word: "machine",
    name: "vmName",
    shown: [
      "hardwareProfile.vmSize",
      "storageProfile.imageReference.offer",
      "storageProfile.osDisk.managedDisk.storageAccountType",
    ],
  },
};
