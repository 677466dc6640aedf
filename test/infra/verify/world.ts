import type { Row } from "../../../infra/preflight/row.ts";
import type { StackAtAzure } from "../../../infra/preflight/stack-at-azure.ts";
import { rowsOf, rowsOfAll } from "../../../infra/preflight/table.ts";
import type { StateResource } from "../../../infra/recovery/state.ts";
import { MACHINE_ROWS } from "../../../infra/verify/machine-rows.ts";
import { type Site, standing, type Way } from "../../../infra/verify/site.ts";
import { TABLE_ROWS } from "../../../infra/verify/table-rows.ts";
import { inThrowAwayVault } from "../../../infra/verify/vault.ts";
import { LOOKS, verify } from "../../../infra/verify/verify.ts";
import { Az } from "../../emulators/azure-resource-manager/az.ts";
import { Cloud } from "../../emulators/azure-resource-manager/cloud.ts";
import { Management } from "../../emulators/azure-resource-manager/management.ts";
import "../../emulators/azure-resource-manager/management-endpoint.ts";
import { list, type Properties, text } from "../../emulators/azure-resource-manager/properties.ts";
import type { Agent } from "../../emulators/azure-resource-manager/run-commands.ts";
import { plan, settings } from "../../fixtures/stack-configs.ts";
import { callsIn } from "../../harness/shell-words.ts";
import { PlayedNetwork, PROGRAMS, SIGNER } from "./played-network.ts";

/** From this computer; on the machine and in its table; in a vault to throw away. */
export type Part = "all" | "looks" | "machine" | "vault";

export const ID = "0123456789abcdef";
const GROUP = "tezos-signer-dev";
const IP = "20.50.100.10";
const RELEASE = "1a2b3c4d5e6f".padEnd(64, "0");

/** A stack that is up, in a subscription, with a machine; and whoever types commands. */
export class World implements AsyncDisposable {
  readonly cloud: Cloud;
  readonly network: PlayedNetwork;
  readonly #management: Management;
  readonly #agent: Agent;
  config: Record<string, string>;
  address = "198.51.100.9";
  /** How connections from this computer go, by port. */
  ways: Record<number, Way> = { 6732: "silent", 22: "silent" };
  /** What Pulumi finds changed. */
  changed: string[] = [];

  private constructor(cloud: Cloud, network: PlayedNetwork, management: Management, config: Record<string, string>) {
    this.cloud = cloud;
    this.network = network;
    this.#management = management;
    this.#agent = cloud.runCommands.agent;
    this.config = config;
  }

  static async start(config: Readonly<Record<string, string>> = {}): Promise<World> {
    const cloud = new Cloud();
    const network = await PlayedNetwork.start();
    const world = new World(cloud, network, await Management.start(cloud), { ...config });
    cloud.services = {
      made: async (name, properties) => {
        await network.vault(name, policiesIn(properties));
      },
      key: async (vault, name, { curveName }) => {
        network.vaults.get(vault)?.createKey(name, { crv: curveName === "P-256K" ? "P-256K" : "P-256" });
      },
      deleted: (vault) => network.close(vault),
      run: (_, script) => network.run(script),
    };
    await world.putBack();
    return world;
  }

  get home(): string {
    return `${this.cloud.subscription}/resourceGroups/${GROUP}`;
  }

  /** What an `up` makes, or makes again after a refresh. */
  async putBack(): Promise<void> {
    const { resources } = await plan(this.config);
    const { cloud, home, network } = this;
    const hold = (id: string, type: string, inputs: Properties) =>
      cloud.hold({ id: `${home}${id}`, type: `azure-native:${type}`, inputs, outputs: {} });
    const inputs = (name: string) => resources.find((resource) => resource.name === name)?.inputs ?? {};
    hold("", "resources:ResourceGroup", {});
    hold(
      "/providers/Microsoft.Network/networkSecurityGroups/signer-firewall",
      "network:NetworkSecurityGroup",
      inputs("firewall"),
    );
    const properties = known(inputs("vault").properties, cloud.tenant) as Properties;
    hold(`/providers/Microsoft.KeyVault/vaults/tezos-${ID}`, "keyvault:Vault", {
      ...inputs("vault"),
      properties,
      vaultName: `tezos-${ID}`,
    });
    for (const [name, account] of [
      ["account", `tezos${ID}`],
      ["release-account", `tzrel${ID}`],
    ] as const) {
      hold(`/providers/Microsoft.Storage/storageAccounts/${account}`, "storage:StorageAccount", {
        ...inputs(name),
        accountName: account,
      });
    }
    hold("/providers/Microsoft.Compute/virtualMachines/signer", "compute:VirtualMachine", {});
    const waits = `${home}/providers/Microsoft.Compute/virtualMachines/signer/runCommands/await-ready`;
    const script = { source: { script: "true" }, parameters: [{ name: "RELEASE", value: RELEASE }] };
    cloud.hold({
      id: waits,
      type: "azure-native:compute:VirtualMachineRunCommandByVirtualMachine",
      inputs: {},
      outputs: {},
    });
    cloud.runCommands.forget(waits);
    cloud.runCommands.agent = this.#agent;
    cloud.runCommands.busy = 0;
    cloud.account.serviceTags = ["AzureCloud", "AzureKeyVault", "Storage"];
    cloud.runCommands.run({ id: waits, inputs: script }, 3_600);
    if (!network.vaults.has(`tezos-${ID}`)) await network.vault(`tezos-${ID}`, policiesIn(properties));
    network.vaults.get(`tezos-${ID}`)?.firewall.open();
    for (const [objectId, keys] of Object.entries(policiesIn(properties))) {
      network.vaults.get(`tezos-${ID}`)?.policies.grant(objectId, keys as []);
    }
    this.changed = [];
    network.takesSharedKeys = false;
    network.elsewhere = "silent";
    network.slow = false;
    Object.assign(network.programs, PROGRAMS);
    network.twists.length = 0;
    cloud.account.faults.length = 0;
    this.ways = { 6732: "silent", 22: "silent" };
  }

  /** What is verified: everything, or a part. */
  async rows(part: Part = "all"): Promise<Row[]> {
    const site = this.site();
    if (part === "looks") return rowsOfAll(LOOKS, site);
    if (part === "machine") return [...(await rowsOf(MACHINE_ROWS, site)), ...(await rowsOf(TABLE_ROWS, site))];
    if (part === "vault") return inThrowAwayVault(site);
    return verify(site, new AbortController().signal, () => undefined);
  }

  /** The part of the vault, which a signal ends. */
  vaultRows(signal: AbortSignal): Promise<Row[]> {
    const site = this.site();
    const asker = { ...site.asker, signal };
    return inThrowAwayVault({ ...site, asker, machine: { ...site.machine, asker } });
  }

  /** Notes what Azure is asked from now on: method and path. */
  asked(): () => readonly string[] {
    const { asked } = this.#management;
    const before = asked.length;
    return () => asked.slice(before);
  }

  /** Is told each request as it comes. */
  onAsked(see: (line: string) => void): void {
    this.#management.onAsked = see;
  }

  /** What Pulumi remembers, as far as it is asked. */
  get remembered(): StateResource[] {
    const urn = (type: string, name: string) => `urn:pulumi:dev::tezos-signer::${type}::${name}`;
    const outputs = {
      version: "0.2.0",
      release: RELEASE,
      publicIp: IP,
      vaultUri: `https://tezos-${ID}.vault.azure.net`,
      identityClientId: SIGNER.clientId,
      vmName: "signer",
    };
    const id = "random:index/randomId:RandomId";
    return [
      { urn: urn("pulumi:pulumi:Stack", "dev"), type: "pulumi:pulumi:Stack", outputs },
      { urn: urn(id, "id"), type: id, outputs: { hex: ID } },
    ];
  }

  site(): Site {
    const { cloud } = this;
    const stack: StackAtAzure = {
      stack: "dev",
      chosen: "dev",
      settings: settings(this.config),
      subscription: cloud.subscription,
      configured: undefined,
      asker: { token: cloud.managementToken ?? "", renew: async () => cloud.managementToken ?? "" },
      objectId: cloud.deployer.objectId,
      group: GROUP,
      standing: new Set([this.home.toLowerCase()]),
      remembered: this.remembered,
      id: ID,
    };
    return {
      ...stack,
      ...standing(stack),
      now: new Date("2026-11-29T12:00:00Z"),
      ownAddress: async () => this.address,
      reach: async (_, port) => this.ways[port] ?? "silent",
      ask: (url, headers) => this.network.outside(url, headers),
      vaultToken: async () => "a token of whoever is logged in",
      changedBeside: async () => this.changed,
    };
  }

  /** Types the command that a row names. @throws Error where there is no such command, or it is refused */
  async type(command: string): Promise<void> {
    if (/^npm run up(?: -- --refresh)?$/.test(command)) return this.putBack();
    if (command === "npm run verify") {
      this.cloud.account.faults.length = 0;
      this.network.twists.length = 0;
      return;
    }
    const words = callsIn(command).at(-1) ?? [];
    if (words[0] !== "az") throw new Error(`nobody knows ${command}`);
    if (words.slice(1, 3).join(" ") === "vm deallocate") this.ways = { 6732: "silent", 22: "silent" };
    else new Az(this.cloud).run(words.slice(1));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#management.close();
    await this.network[Symbol.asyncDispose]();
  }
}

function policiesIn(properties: Properties): Record<string, string[]> {
  return Object.fromEntries(
    list(properties, "accessPolicies").map((policy) => {
      const { keys } = policy.permissions as { keys: string[] };
      return [text(policy, "objectId"), keys];
    }),
  );
}

/** Puts in what only Azure chooses. */
function known(value: unknown, tenant: string): unknown {
  const text = JSON.stringify(value)
    .replaceAll("<machine>", SIGNER.objectId)
    .replaceAll("<tenant>", tenant)
    .replaceAll(/"<[^"]*>\/32"/g, `"${IP}/32"`);
  return JSON.parse(text);
}
