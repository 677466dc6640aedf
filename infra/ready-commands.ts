/**
 * Command lines for whoever keeps a signer, with its names filled in: outputs of the stack.
 * @module
 */
import * as pulumi from "@pulumi/pulumi";
import { ADMIN } from "./components/machine.ts";

/** What the command lines name. */
export interface Named {
  readonly signerUrl: pulumi.Input<string>;
  /** Name of the machine in Azure. */
  readonly machine: string;
  /** The address by which one logs in. */
  readonly address: pulumi.Input<string>;
  readonly resourceGroup: pulumi.Input<string>;
}

/** Run command brings home the last 4,096 bytes, so the scripts cut where it costs least (docs/machine.md). */
const SCRIPTS = {
  statusCommand: "tezos-signer status 2>&1 | head -c 4000",
  logCommand: "journalctl --unit tezos-signer --lines 10 --output cat --no-pager | tail -c 4000",
};

/**
 * Writes the command lines.
 * @param hasSsh whether an address may log in; without one nobody reaches `confirm`
 */
export function readyCommands({ signerUrl, resourceGroup, ...there }: Named, hasSsh: boolean) {
  return {
    importCommand: pulumi.interpolate`octez-client import secret key signer ${signerUrl}/ADDRESS`,
    ...machineCommands({ resourceGroup, ...there }, hasSsh),
  };
}

/** Writes those that are for one machine. @param hasSsh as above */
export function machineCommands({ machine, address, resourceGroup }: Omit<Named, "signerUrl">, hasSsh: boolean) {
  const login = pulumi.interpolate`${ADMIN}@${address}`;
  const onMachine = (script: string) =>
    pulumi.interpolate`az vm run-command invoke --resource-group ${resourceGroup} --name ${machine} --command-id RunShellScript --query 'value[0].message' --output tsv --scripts '${script}'`;
  const bySsh = {
    sshCommand: pulumi.interpolate`ssh ${login}`,
    confirmCommand: pulumi.interpolate`ssh -t ${login} sudo tezos-signer confirm`,
  };
  return {
    statusCommand: onMachine(SCRIPTS.statusCommand),
    logCommand: onMachine(SCRIPTS.logCommand),
    ...(hasSsh ? bySsh : {}),
  };
}
