import { VirtualMachine, type VirtualMachineArgs } from "@pulumi/azure-native/compute/index.js";
import type { ResourceGroup } from "@pulumi/azure-native/resources/index.js";
import * as pulumi from "@pulumi/pulumi";
import { advice, adviceUnasked, ask, beforeReplacing } from "../capacity/before-replacing.ts";
import { successor } from "../capacity/judgement.ts";
import { amongValid, refusesSize } from "../capacity/refused-size.ts";
import { fixedParts } from "../capacity/standing-machine.ts";
import type { Image } from "../config/machine-image.ts";
import type { Place } from "../config/pair.ts";
import { inGroup, type StackContext } from "./context.ts";
import type { Kinds } from "./kind.ts";

export interface MachineArgs {
  readonly context: StackContext;
  /** Which of the signer's machines it is. */
  readonly place: Place;
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
  /** Resolves once it may be touched: while another machine is, it goes on signing. Rejects where it may not. */
  readonly turn: Promise<unknown>;
}

/** The machine's name, in Azure and its own. */
export const MACHINE_NAME = "signer";

/** Returns the name of one of the signer's machines. */
export function machineName({ suffix }: Pick<Place, "suffix">): string {
  return `${MACHINE_NAME}${suffix}`;
}

/**
 * Returns the id in Azure of one of the signer's machines. From names, not from the resource: a preview of a replacement
 * would not know it, and alerts would show false changes; and the machine itself is told it.
 */
export function machineIdIn(group: ResourceGroup, place: Pick<Place, "suffix">): pulumi.Output<string> {
  return pulumi.interpolate`${group.id}/providers/Microsoft.Compute/virtualMachines/${machineName(place)}`;
}

/** The user that logs in by SSH, where the firewall lets anyone. */
export const ADMIN = "deploy";

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
  "zones",
];

/** A small machine that runs the signer. It holds nothing that is needed after it: it may be replaced at any time. */
export class Machine extends pulumi.ComponentResource {
  readonly id: pulumi.Output<string>;
  /** What its names have at their end. */
  readonly suffix: string;
  /** Itself. */
  readonly machine: VirtualMachine;
  /**
   * Rejects where the machine must stay as it is. A program has to wait for it before it ends: Pulumi deletes what a
   * program that has ended did not register, and so this machine.
   */
  readonly asked: Promise<unknown>;

  constructor(name: string, args: MachineArgs, options?: pulumi.ComponentResourceOptions) {
    super("tezos-signer:infra:Machine", name, {}, options);
    const { context, size, place } = args;
    const vmName = machineName(place);
    const named = (part: string) => context.named(`${part}${place.suffix}`);
    const zones = place.zone === undefined ? {} : { zones: [place.zone] };
    const fixed = {
      ...zones,
      hardwareProfile: { vmSize: size },
      osProfile: {
        computerName: vmName,
        adminUsername: ADMIN,
        customData: args.customData,
        allowExtensionOperations: true, // `az vm run-command` is the way in: port 22 stays closed
        linuxConfiguration: {
          disablePasswordAuthentication: true,
          provisionVMAgent: true,
          ssh: { publicKeys: [{ path: `/home/${ADMIN}/.ssh/authorized_keys`, keyData: args.sshPublicKey }] },
        },
      },
      imageReference: { ...args.image },
      securityProfile: {
        securityType: "TrustedLaunch",
        uefiSettings: { secureBootEnabled: true, vTpmEnabled: true },
      },
    };
    const inputs: VirtualMachineArgs = {
      resourceGroupName: context.group.name,
      vmName,
      location: context.location,
      ...zones,
      hardwareProfile: fixed.hardwareProfile,
      identity: { type: "UserAssigned", userAssignedIdentities: [args.identityId] },
      networkProfile: { networkInterfaces: [{ id: args.interfaceId, primary: true, deleteOption: "Detach" }] },
      osProfile: fixed.osProfile,
      storageProfile: {
        imageReference: fixed.imageReference,
        osDisk: {
          createOption: "FromImage",
          deleteOption: "Delete", // the default keeps, and bills, the disk of every machine that was replaced
          caching: "ReadWrite",
          managedDisk: { storageAccountType: "StandardSSD_LRS" },
        },
      },
      securityProfile: fixed.securityProfile,
      diagnosticsProfile: { bootDiagnostics: { enabled: true } }, // the boot log is readable with port 22 closed
      tags: context.tags,
    };
    const { location, production } = context;
    const wanted = {
      size,
      image: args.image,
      location,
      fixed: fixedParts(fixed),
      inputs: { ...inputs },
      isProtected: production,
    };
    const asked = beforeReplacing(wanted, context.id, named("machine"), name, this);
    this.asked = asked;
    this.suffix = place.suffix;
    const ready = Promise.all([asked, args.turn]).then(() => [args.release]);
    for (const promise of [asked, ready]) promise.catch(() => undefined); // whoever waits for it says it
    const machine = new VirtualMachine(
      named("machine"),
      { ...inputs, userData: pulumi.output(args.userData).apply((text) => Buffer.from(text).toString("base64")) },
      {
        ...inGroup(this, context),
        // Pulumi waits for a promise of whatever dependsOn may be; its type knows fewer.
        dependsOn: ready as Promise<pulumi.Resource[]>,
        // Azure fixes these at creation, and the provider plans an update that fails (pulumi-azure-native#577). A size is
        // fixed too where one of the two has a temporary disk, as Standard_B1s has and its successor has not (resize-vm).
        replaceOnChanges: FIXED,
        // Azure Policy and Update Manager write it, and a refresh takes it over.
        ignoreChanges: ["osProfile.linuxConfiguration.patchSettings"],
        deleteBeforeReplace: true, // the new machine takes over name and network interface
        hooks: { onError: [new pulumi.ErrorHook(named("machine-size"), sayWhichSize(args, this))] },
        transforms: production ? [openOnceAsked(asked)] : [],
      },
    );
    this.machine = machine;
    this.id = machineIdIn(context.group, place);
    // Known once Azure has made it, and asked before it would be replaced.
    this.registerOutputs({ id: this.id, fixed: machine.id.apply(() => wanted.fixed) });
  }
}

/**
 * Takes the component's protection from the machine once Azure was asked for another one. Without that it stays
 * protected: `pulumi up --replace` and `pulumi state taint` replace what the program leaves as it is, and tell it nothing.
 * @param asked whether it may be replaced
 */
function openOnceAsked(asked: Promise<boolean>): pulumi.ResourceTransform {
  return async ({ props, opts }) => ((await asked) ? { props, opts: { ...opts, protect: false } } : undefined);
}

/** Where Azure refuses the size, says which one to set; tries nothing again. */
function sayWhichSize({ size, image, context }: MachineArgs, parent: pulumi.Resource): pulumi.ErrorHookFunction {
  return async ({ errors }) => {
    const refusal = errors.find(refusesSize);
    if (refusal !== undefined) {
      const { id } = await pulumi.runtime.serializeProperties("group", { id: context.group.id });
      const what = await ask({ image, location: context.location }, { id: String(id) }, parent).then(
        (offer) => advice(successor(size, offer)),
        (error: Error) => {
          const listed = amongValid(refusal, size, image);
          return listed === undefined ? adviceUnasked(error) : advice(listed);
        },
      );
      // Waited for: where the hook has ended, the engine ends the program, and a message under way is lost.
      await pulumi.log.error(`Azure refuses the size ${size} here; ${what}`);
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
