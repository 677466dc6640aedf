/**
 * The stack: configuration -> one signer -> outputs.
 * Pulumi starts it through index.js, which asks for a Node.js that can read this file.
 * @module
 */
import * as pulumi from "@pulumi/pulumi";
import { apiWarnings } from "./api-versions.ts";
import { MACHINE_NAME } from "./components/machine.ts";
import type { Release } from "./components/releases.ts";
import { ownKeys } from "./config/namespaces.ts";
import type { StackConfig } from "./config/schema.ts";
import { warnings } from "./config/warnings.ts";
import { estimateCost } from "./cost.ts";
import { inspected } from "./inspection.ts";
import { told } from "./readiness/told.ts";
import { machineCommands, readyCommands } from "./ready-commands.ts";
import { checkoutRelease } from "./release/checkout-release.ts";
import { earlierReleases } from "./release/earlier-releases.ts";
import { misplaced } from "./stack-folder.ts";
import { signerConfiguration, TezosSigner } from "./tezos-signer.ts";

/** Builds the stack of Pulumi's configuration: the program that Pulumi runs. */
export default async function program() {
  const misplacement = misplaced(process.cwd());
  if (misplacement !== undefined) throw new pulumi.RunError(misplacement);
  const settings = readSettings();
  for (const warning of [...warnings(settings), ...apiWarnings()]) pulumi.log.warn(warning);
  return build(settings, await checkoutRelease(), await earlierReleases());
}

/**
 * Registers everything.
 * @param release what the machine runs
 * @param earlier file names of the releases that the stack holds already
 * @param customData what the machine does on its first boot, base64; absent: this checkout's bootstrap
 * @returns the stack's outputs, known only once they break no rule
 */
export function build(settings: StackConfig, release: Release, earlier: readonly string[] = [], customData?: string) {
  const signer = new TezosSigner("tezos-signer", {
    settings,
    release,
    earlierReleases: earlier,
    partsAtRoot: true,
    ...(customData === undefined ? {} : { customData }),
  });
  const { signerUrl, publicIp, vaultUri, watermarkStoreId, identityClientId, resourceGroup, report } = signer;
  const { usd, assumptions } = estimateCost(settings);
  const [first, second] = signer.machines.map(({ name, address }) => ({ machine: name, address }));
  const open = { ssh: settings.adminIp.length > 0, metrics: settings.metricsIp.length > 0 };
  return inspected({
    version: release.version,
    release: release.sha256,
    signerUrl,
    publicIp,
    vaultUri,
    watermarkStoreId,
    identityClientId,
    resourceGroup,
    vmName: MACHINE_NAME,
    ...(report === undefined
      ? {}
      : { signer: pulumi.all([report, signerUrl]).apply(([said, url]) => told(said, url)) }),
    ...(first === undefined ? {} : readyCommands({ signerUrl, resourceGroup, ...first }, open)),
    ...(second === undefined
      ? {}
      : { secondMachine: { vmName: second.machine, ...machineCommands({ resourceGroup, ...second }, open) } }),
    estimatedMonthlyCost: { usd, assumptions },
  });
}

/** Returns the stack's configuration, and warns of keys that nobody reads. @throws pulumi.RunError naming every mistake */
export function readSettings(): StackConfig {
  const { config, warnings } = ownKeys(pulumi.runtime.allConfig(), pulumi.getProject());
  for (const warning of warnings) pulumi.log.warn(warning);
  return signerConfiguration(pulumi.getStack(), config);
}
