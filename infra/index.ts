/**
 * The stack: settings -> components -> outputs.
 * Pulumi starts it through index.js, which asks for a Node.js that can read this file.
 * @module
 */
import { join } from "node:path";
import { UserAssignedIdentity } from "@pulumi/azure-native/managedidentity/index.js";
import { ResourceGroup } from "@pulumi/azure-native/resources/index.js";
import * as pulumi from "@pulumi/pulumi";
import { RandomId } from "@pulumi/random";
import { type Release as MadeRelease, makeRelease } from "../release/make.ts";
import { SIGNER_PORT } from "../signer/contract.ts";
import { Alerts } from "./components/alerts.ts";
import type { Place } from "./components/context.ts";
import { DestroyGuard } from "./components/destroy-guard.ts";
import { ADMIN, MACHINE_NAME, Machine } from "./components/machine.ts";
import { Network } from "./components/network.ts";
import { type Release, Releases } from "./components/releases.ts";
import { KeyVault } from "./components/vault.ts";
import { WatermarkTable } from "./components/watermark-table.ts";
import { ConfigurationError, parseConfig } from "./config/parse.ts";
import type { StackConfig } from "./config/schema.ts";
import { signerSettings } from "./config/signer-settings.ts";
import { warnings } from "./config/warnings.ts";
import { bootScript } from "./custom-data.ts";
import { firewallRules } from "./firewall.ts";
import { estimateCost } from "./plan/cost.ts";
import { ANNOUNCED_RELEASE, otherThanAnnounced } from "./release/announced-release.ts";
import { earlierReleases } from "./release/earlier-releases.ts";
import { userData } from "./user-data.ts";

/** The program that Pulumi runs. */
export default async function program() {
  const settings = readSettings();
  for (const warning of warnings(settings)) pulumi.log.warn(warning);
  return build(settings, bootScript(), await checkoutRelease(), await earlierReleases());
}

/**
 * Registers everything.
 * @param customData what the machine does on its first boot, base64
 * @param release what it runs from then on
 * @param earlier file names of the releases that the stack holds already
 * @returns the stack's outputs
 */
export function build(settings: StackConfig, customData: string, release: Release, earlier: readonly string[] = []) {
  const { location, production, stack } = settings;
  const tags = { ...settings.tags, project: "tezos-signer", stack, production: String(production) };
  const kept = { protect: production };

  const id = new RandomId("id", { byteLength: 8 }, kept);
  const group = new ResourceGroup("group", { resourceGroupName: `tezos-signer-${stack}`, location, tags }, kept);
  const place: Place = { group, location, tags, id: id.hex, production };
  const identity = new UserAssignedIdentity(
    "identity",
    { resourceGroupName: group.name, resourceName: "signer-identity", location, tags },
    // Changed tags would hide principalId from a preview, and everything that names it would look replaced.
    { ...kept, deletedWith: group, ignoreChanges: ["tags"] },
  );
  const network = new Network("network", { place, rules: firewallRules(settings) }, kept);
  const vault = new KeyVault(
    "key-vault",
    {
      place,
      tenantId: identity.tenantId,
      signerId: identity.principalId,
      subnetId: network.subnetId,
      publicIp: network.publicIp,
      keyImporter: settings.keyImporter,
      keys: settings.keys,
    },
    kept,
  );
  const watermarks = new WatermarkTable(
    "watermark-table",
    { place, signerId: identity.principalId, subnetId: network.subnetId, redundancy: settings.redundancy },
    kept,
  );
  const releases = new Releases("releases", { place, readerId: identity.principalId, release, earlier });
  const machine = new Machine("signer", {
    place,
    interfaceId: network.interfaceId,
    identityId: identity.id,
    size: settings.vmSize,
    image: settings.image,
    sshPublicKey: settings.sshPublicKey,
    customData,
    release: releases.blob,
    userData: pulumi
      .all([vault.uri, watermarks.endpoint, watermarks.table, id.hex, identity.clientId, releases.url])
      .apply(([vaultUri, tableEndpoint, table, storeId, clientId, url]) => {
        const { version, sha256 } = release;
        const own = signerSettings(settings, { vaultUri, tableEndpoint, table, storeId, clientId });
        return userData({ version, sha256, url, clientId }, settings.adminIp.length > 0, own);
      }),
  });
  const guarded: pulumi.Resource[] = [machine, releases];
  if (settings.monitoring) {
    guarded.push(
      new Alerts("alerts", { place, vaultId: vault.id, machine, size: settings.vmSize, email: settings.alertEmail }),
    );
  }
  if (production) new DestroyGuard("destroy-guard", guarded);

  const { publicIp } = network;
  const signerUrl = pulumi.interpolate`http://${publicIp}:${SIGNER_PORT}`;
  return {
    version: release.version,
    release: release.sha256,
    signerUrl,
    publicIp,
    vaultUri: vault.uri,
    watermarkStoreId: id.hex,
    identityClientId: identity.clientId,
    resourceGroup: group.name,
    vmName: MACHINE_NAME,
    ...(settings.adminIp.length > 0 ? { sshCommand: pulumi.interpolate`ssh ${ADMIN}@${publicIp}` } : {}),
    importCommand: pulumi.interpolate`octez-client list known remote keys ${signerUrl} # then: octez-client import secret key signer ${signerUrl}/ADDRESS`,
    estimatedMonthlyCost: costOutput(settings),
  };
}

/** This checkout's release, made now unless it is there. @throws RunError where it cannot be made or is not the announced one */
async function checkoutRelease(): Promise<Release> {
  const say = (line: string) => void pulumi.log.info(line);
  let made: MadeRelease;
  try {
    made = await makeRelease(join(import.meta.dirname, ".."), say);
  } catch (error) {
    throw new pulumi.RunError(`the release was not made: ${error instanceof Error ? error.message : error}`);
  }
  const { version, sha256, name, file } = made;
  const refusal = otherThanAnnounced(sha256, process.env[ANNOUNCED_RELEASE]);
  if (refusal !== undefined) throw new pulumi.RunError(refusal);
  return { version, sha256, name, source: new pulumi.asset.FileAsset(file) };
}

/** The stack's configuration, without the project's name before each key. */
export function readSettings(): StackConfig {
  const prefix = `${pulumi.getProject()}:`;
  const own = Object.entries(pulumi.runtime.allConfig()).filter(([key]) => key.startsWith(prefix));
  try {
    return parseConfig(
      Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value])),
      pulumi.getStack(),
    );
  } catch (error) {
    // Pulumi prints the message of a RunError, and the stack trace of any other.
    if (error instanceof ConfigurationError) throw new pulumi.RunError(error.message);
    throw error;
  }
}

function costOutput(settings: StackConfig) {
  const { usd, assumptions } = estimateCost(settings);
  return { usd, assumptions };
}
