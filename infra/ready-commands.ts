/**
 * Command lines for whoever keeps a signer, with its names filled in: outputs of the stack.
 * @module
 */
import * as pulumi from "@pulumi/pulumi";
import { METRICS_PORT } from "../signer/contract.ts";
import { ADMIN } from "./components/machine.ts";

/** What the command lines name. */
export interface Named {
  readonly signerUrl: pulumi.Input<string>;
  /** Name of the machine in Azure. */
  readonly machine: string;
  /** The machine's own address: where one logs in, and where its metrics are read. */
  readonly address: pulumi.Input<string>;
  readonly resourceGroup: pulumi.Input<string>;
}

/** Run command brings home the last 4,096 bytes, so the scripts cut where it costs least (docs/machine.md). */
const SCRIPTS = {
  statusCommand: "tezos-signer status 2>&1 | head -c 4000",
  // A token has 33 bytes, and a certificate of its kind some 600.
  metricsCommand: "cd /etc/tezos-signer/metrics && cat token cert.pem",
  logCommand: "journalctl --unit tezos-signer --lines 10 --output cat --no-pager | tail -c 4000",
};

/** Whether an address may log in, without which nobody reaches `confirm`; and whether one may read metrics. */
interface Open {
  readonly ssh: boolean;
  readonly metrics: boolean;
}

/** Writes the command lines. */
export function readyCommands({ signerUrl, ...there }: Named, open: Open) {
  return {
    importCommand: pulumi.interpolate`octez-client import secret key signer ${signerUrl}/ADDRESS`,
    ...machineCommands(there, open),
  };
}

/** Writes those that are for one machine. */
export function machineCommands({ machine, address, resourceGroup }: Omit<Named, "signerUrl">, open: Open) {
  const login = pulumi.interpolate`${ADMIN}@${address}`;
  const onMachine = (script: string) =>
    pulumi.interpolate`az vm run-command invoke --resource-group ${resourceGroup} --name ${machine} --command-id RunShellScript --query 'value[0].message' --output tsv --scripts '${script}'`;
  const bySsh = {
    sshCommand: pulumi.interpolate`ssh ${login}`,
    confirmCommand: pulumi.interpolate`ssh -t ${login} sudo tezos-signer confirm`,
  };
  const byToken = {
    metricsUrl: pulumi.interpolate`https://${address}:${METRICS_PORT}`,
    metricsCommand: onMachine(SCRIPTS.metricsCommand),
  };
  return {
    statusCommand: onMachine(SCRIPTS.statusCommand),
    logCommand: onMachine(SCRIPTS.logCommand),
    ...(open.ssh ? bySsh : {}),
    ...(open.metrics ? byToken : {}),
  };
}
