/**
 * One signer with all that it needs, as a component of Pulumi: this project's own stack is its first user (index.ts),
 * and any other program may have it by a relative import or a workspace link (docs/deploy.md, "In a program of yours").
 * @module
 */
import { UserAssignedIdentity } from "@pulumi/azure-native/managedidentity/index.js";
import { ResourceGroup } from "@pulumi/azure-native/resources/index.js";
import * as pulumi from "@pulumi/pulumi";
import { RandomId } from "@pulumi/random";
import { customData } from "../cloud-init/custom-data.ts";
import { SIGNER_PORT } from "../signer/contract.ts";
import { settingsVersion } from "../signer/settings/version.ts";
import { Alerts } from "./components/alerts.ts";
import type { StackContext } from "./components/context.ts";
import { DestroyGuard } from "./components/destroy-guard.ts";
import { Figures } from "./components/figures.ts";
import { Machine, machineIdIn, machineName } from "./components/machine.ts";
import { NETWORK_NAME, Network } from "./components/network.ts";
import { Readiness, readinessNames } from "./components/readiness.ts";
import { type Release, Releases } from "./components/releases.ts";
import { KeyVault } from "./components/vault.ts";
import { WatermarkTable } from "./components/watermark-table.ts";
import { isBalanced, type Place, places } from "./config/pair.ts";
import type { StackConfig } from "./config/schema.ts";
import { signerSettings } from "./config/signer-settings.ts";
import { groupName } from "./config/stack-name.ts";
import { firewallRules } from "./firewall.ts";
import { Inspection, valuesOf } from "./inspection.ts";
import type { Report } from "./readiness/report.ts";
import { order, Turns } from "./readiness/turns.ts";
import { standsInTheWay } from "./standing/check.ts";
import { userData } from "./user-data.ts";

export { type SignerConfiguration, signerConfiguration } from "./config/signer-configuration.ts";

export interface TezosSignerArgs {
  /** What `signerConfiguration` made of the configuration. */
  readonly settings: StackConfig;
  /** What the machine runs: release/checkout-release.ts makes it. */
  readonly release: Release;
  /** File names of the releases that the signer's storage holds already: release/earlier-releases.ts asks for them. */
  readonly earlierReleases?: readonly string[];
  /** A group for this signer and no other, since its parts have fixed names in it; absent: `tezos-signer-STACK`. */
  readonly resourceGroup?: ResourceGroup;
  /**
   * A subnet for the machine, in the same region, with the service endpoints Microsoft.KeyVault and Microsoft.Storage;
   * absent: a network of its own.
   */
  readonly subnetId?: pulumi.Input<string>;
  /** A Log Analytics workspace for the vault's audit log, where `monitoring` is on; absent: one of its own. */
  readonly logWorkspaceId?: pulumi.Input<string>;
  /** What the machine does on its first boot, base64; absent: this checkout's bootstrap. */
  readonly customData?: string;
  /**
   * Registers the parts at the program's root and under their bare names, as this project's own stack has had them
   * since 0.1.0: by their URNs Pulumi knows them in every version, forwards and back. A program of its own leaves it
   * out; its parts are below the component, and their names begin with the component's.
   */
  readonly partsAtRoot?: boolean;
}

/** A vault that signs, the machine that asks it, the table of watermarks, and the network around them. */
export class TezosSigner extends pulumi.ComponentResource {
  /** Where the baker asks for signatures. */
  readonly signerUrl: pulumi.Output<string>;
  /** The signer's address, which stays when a machine is replaced. */
  readonly publicIp: pulumi.Output<string>;
  /** Each machine by its name in Azure, with the address by which one logs in. */
  readonly machines: readonly { readonly name: string; readonly address: pulumi.Output<string> }[];
  readonly vaultUri: pulumi.Output<string>;
  /** Id of the watermark store, to which each key is bound. */
  readonly watermarkStoreId: pulumi.Output<string>;
  /** Client id of the identity under which the machine signs. */
  readonly identityClientId: pulumi.Output<string>;
  /** Name of the group that holds everything. */
  readonly resourceGroup: pulumi.Output<string>;
  /** What the signer says of itself once it is ready; undefined where the settings do not wait for it. */
  readonly report: pulumi.Output<Report> | undefined;

  constructor(name: string, args: TezosSignerArgs, options?: pulumi.ComponentResourceOptions) {
    const inspection = new Inspection(options); // before the component, from which its parts inherit the transformation
    super("tezos-signer:infra:TezosSigner", name, {}, inspection.options);
    const { settings, release } = args;
    const { location, production, stack } = settings;
    const balanced = isBalanced(settings);
    const all = places(settings);
    const tags = { ...settings.tags, project: "tezos-signer", stack, production: String(production) };
    const named = (part: string) => (args.partsAtRoot ? part : `${name}-${part}`);
    const open = args.partsAtRoot ? {} : { parent: this };
    const kept = { ...open, protect: production };

    const id = new RandomId(named("id"), { byteLength: 8 }, kept);
    inspection.waitFor(this.#standsInTheWay(args, id, named));
    const group =
      args.resourceGroup ??
      new ResourceGroup(named("group"), { resourceGroupName: groupName(stack), location, tags }, kept);
    const context: StackContext = { group, location, tags, id: id.hex, production, named };
    const identity = new UserAssignedIdentity(
      named("identity"),
      { resourceGroupName: group.name, resourceName: "signer-identity", location, tags },
      // Changed tags would hide principalId from a preview, and everything that names it would look replaced.
      { ...kept, deletedWith: group, ignoreChanges: ["tags"] },
    );
    const network = new Network(
      named("network"),
      { context, rules: firewallRules(settings), subnetId: args.subnetId, places: all, balanced },
      kept,
    );
    const vault = new KeyVault(
      named("key-vault"),
      {
        context,
        tenantId: identity.tenantId,
        signerId: identity.principalId,
        subnetId: network.subnetId,
        joinsAfter: network.interface,
        machineIps: network.connections.map(({ address }) => address),
        keyImporter: settings.keyImporter,
        keys: settings.keys,
      },
      kept,
    );
    const watermarks = new WatermarkTable(
      named("watermark-table"),
      {
        context,
        signerId: identity.principalId,
        subnetId: network.subnetId,
        joinsAfter: vault.vault,
        redundancy: settings.redundancy,
      },
      kept,
    );
    const releases = new Releases(
      named("releases"),
      { context, readerId: identity.principalId, release, earlier: args.earlierReleases ?? [] },
      open,
    );
    /** What a machine's signer is told: the same, but for the name under which its own figures are sent. */
    const told = (place: Place) =>
      pulumi
        .all([vault.uri, watermarks.endpoint, watermarks.table, id.hex, identity.clientId, machineIdIn(group, place)])
        .apply(([vaultUri, tableEndpoint, table, storeId, clientId, machineId]) =>
          signerSettings(settings, { vaultUri, tableEndpoint, table, storeId, clientId, machineId }),
        );
    const access = { ssh: settings.adminIp.length > 0, metrics: settings.metricsIp.map(({ text }) => text) };
    const guarded: pulumi.Resource[] = [releases];
    const machines: Machine[] = [];
    const reports: pulumi.Output<Report>[] = [];
    const turns = new Turns(order(all, id.hex, (place) => readinessNames(named, place)));
    for (const place of all.toReversed()) {
      const own = told(place);
      const connection = network.connections[place.number - 1];
      if (connection === undefined) throw new Error(`no interface for ${machineName(place)}`);
      const part = (name: string) => named(`${name}${place.suffix}`);
      const machine = new Machine(
        part("signer"),
        {
          context,
          place,
          interfaceId: connection.interface.id,
          identityId: identity.id,
          size: settings.vmSize,
          image: settings.image,
          sshPublicKey: settings.sshPublicKey,
          customData: args.customData ?? Buffer.from(customData()).toString("base64"),
          release: releases.blob,
          turn: turns.of(place),
          userData: pulumi.all([own, identity.clientId, releases.url]).apply(([own, clientId, url]) => {
            const { version, sha256 } = release;
            const { maintenance } = place;
            return userData({ version, sha256, url, clientId }, access, own, maintenance);
          }),
        },
        kept,
      );
      machines.unshift(machine);
      guarded.unshift(machine);
      if (!settings.waitForSigner) continue;
      const readiness = new Readiness(
        part("readiness"),
        {
          context,
          place,
          machine: machine.machine,
          balanced,
          machines: all.length,
          waiting: turns.after(place),
          release: release.sha256,
          settings: own.apply(settingsVersion),
          keys: [...settings.keys.map(({ name }) => name), settings.keyImporter?.objectId ?? []].flat().join(" "),
          after: [
            ...[vault.vault, ...vault.keys, watermarks.role, releases.role],
            ...(network.balancer === undefined ? [] : [network.balancer.balancer]),
          ],
        },
        open,
      );
      reports.unshift(readiness.report);
      turns.note(place, valuesOf("turn", { report: readiness.report }));
      guarded.push(readiness);
    }
    if (settings.monitoring) {
      const { vmSize: size, alertEmail: email, alertWebhook: webhook } = settings;
      const watched = { context, vaultId: vault.id, machines, size, email, webhook, workspaceId: args.logWorkspaceId };
      guarded.push(new Alerts(named("alerts"), watched, open));
      const machineIds = all.map((place) => machineIdIn(group, place));
      guarded.push(new Figures(named("figures"), { context, signerId: identity.principalId, machineIds }, open));
    }
    if (production) new DestroyGuard(named("destroy-guard"), guarded, open);

    const outputs = inspection.complete({
      // A program that ends without the machine would have it deleted.
      signerUrl: pulumi
        .all([network.publicIp, ...machines.map(({ asked }) => asked)])
        .apply(([ip]) => `http://${ip}:${SIGNER_PORT}`),
      publicIp: network.publicIp,
      vaultUri: vault.uri,
      watermarkStoreId: id.hex,
      identityClientId: identity.clientId,
      resourceGroup: group.name,
      ...(reports.length === 0 ? {} : { report: pulumi.all(reports).apply(([first]) => first as Report) }),
    });
    this.signerUrl = outputs.signerUrl;
    this.publicIp = outputs.publicIp;
    this.vaultUri = outputs.vaultUri;
    this.watermarkStoreId = outputs.watermarkStoreId;
    this.identityClientId = outputs.identityClientId;
    this.resourceGroup = outputs.resourceGroup;
    this.report = outputs.report;
    this.machines = all.map((place, index) => ({
      name: machineName(place),
      address: network.connections[index]?.address ?? network.publicIp,
    }));
    this.registerOutputs(outputs);
  }

  /** Asks what stands already. An id that is known is one that Pulumi remembers, or has just made: then it has a state. */
  async #standsInTheWay(args: TezosSignerArgs, id: RandomId, named: (part: string) => string): Promise<string[]> {
    const { settings, subnetId: subnet } = args;
    const values = await valuesOf("signer", { hex: id.hex, group: args.resourceGroup?.name, subnet });
    const known = (name: string) => (typeof values[name] === "string" ? values[name] : undefined);
    if (known("hex") === undefined) return [];
    const resourceGroup = args.resourceGroup === undefined ? groupName(settings.stack) : known("group");
    const own =
      resourceGroup && `/resourceGroups/${resourceGroup}/providers/Microsoft.Network/virtualNetworks/${NETWORK_NAME}`;
    const network = subnet === undefined ? own : known("subnet")?.split("/subnets/")[0];
    return standsInTheWay({ ...settings, resourceGroup, network }, named, this);
  }
}
