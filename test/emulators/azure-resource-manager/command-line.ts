import { ArmError, badRequest, conflict } from "./arm.ts";
import type { Cloud } from "./cloud.ts";
import { platformWrites } from "./platform.ts";
import { at, list, type Properties, text, texts } from "./properties.ts";
import type { Resource } from "./subscription.ts";

/** What `az` does with a vault that was deleted, and what its keys need to go on: the words of docs/destroy.md. */

const GEOGRAPHIES: Readonly<Record<string, string>> = {
  northeurope: "Europe",
  westeurope: "Europe",
  eastus: "United States",
  germanywestcentral: "Germany",
};

/** A key that was taken out of a vault: it opens in the same subscription and geography alone. */
interface Backup {
  readonly subscription: string;
  readonly geography: string;
  readonly key: Resource;
}

export class AzureCommandLine {
  readonly #cloud: Cloud;
  /** By file. */
  readonly #backups = new Map<string, Backup>();

  constructor(cloud: Cloud) {
    this.#cloud = cloud;
  }

  /**
   * Runs one command.
   * @param words without `az`
   * @returns what it prints
   * @throws ArmError where Azure refuses, Error for a command that is not known here
   */
  run(words: readonly string[]): string {
    const first = words.findIndex((word) => word.startsWith("--"));
    const options = new Map<string, string[]>();
    let values: string[] = [];
    for (const word of words.slice(first)) {
      if (word.startsWith("--")) {
        values = [];
        options.set(word.slice(2), values);
      } else values.push(word);
    }
    const option = (name: string) => options.get(name)?.[0] ?? "";
    switch (words.slice(0, first).join(" ")) {
      case "keyvault list-deleted":
        return JSON.stringify([...this.#cloud.softDeleted].map(([name, [vault]]) => ({ name, vaultId: vault?.id })));
      case "group create": {
        const inputs = { resourceGroupName: option("name"), location: option("location") };
        this.#cloud.create("azure-native:resources:ResourceGroup", "by hand", inputs);
        return "";
      }
      case "keyvault recover":
        return this.#recover(option("name"), option("resource-group"), option("location"));
      case "keyvault network-rule add": {
        const rules = list(this.#vault(option("name")).inputs, "properties.networkAcls.ipRules");
        const value = `${option("ip-address")}/32`;
        return this.#write(option("name"), "properties.networkAcls.ipRules", [...rules, { value }]);
      }
      case "keyvault set-policy": {
        const policies = list(this.#vault(option("name")).inputs, "properties.accessPolicies");
        const objectId = option("object-id");
        const mine = { tenantId: this.#cloud.tenant, objectId, permissions: { keys: options.get("key-permissions") } };
        const others = policies.filter((policy) => text(policy, "objectId") !== objectId);
        return this.#write(option("name"), "properties.accessPolicies", [...others, mine]);
      }
      case "keyvault key backup":
        return this.#backup(option("vault-name"), option("name"), option("file"));
      case "keyvault key restore":
        return this.#restore(option("vault-name"), option("file"));
      default:
        throw new Error(`the fake az knows no ${words.join(" ")}`);
    }
  }

  /** Into its own group and region, which have to be there, and as it was: nothing else that is asked for is heard (#21306). */
  #recover(name: string, group: string, location: string): string {
    const [vault, ...keys] = this.#cloud.softDeleted.get(name) ?? [];
    const home = `${this.#cloud.subscription}/resourceGroups/${group}`;
    if (this.#cloud.get(home) === undefined) {
      throw new ArmError(404, "ResourceGroupNotFound", `Resource group '${group}' could not be found.`);
    }
    if (
      vault === undefined ||
      text(vault.inputs, "location") !== location ||
      !vault.id.toLowerCase().startsWith(`${home}/`.toLowerCase())
    ) {
      throw conflict("SoftDeletedVaultDoesNotExist", `A soft deleted vault with the given name does not exist.`);
    }
    for (const resource of [vault, ...keys]) this.#cloud.hold(resource);
    this.#cloud.softDeleted.delete(name);
    return "";
  }

  #backup(name: string, key: string, file: string): string {
    const vault = this.#vault(name);
    this.#allow(vault, "backup");
    const found = this.#cloud.get(`${vault.id}/keys/${key}`);
    if (found === undefined) throw new ArmError(404, "KeyNotFound", `A key with (name/id) ${key} was not found.`);
    const geography = GEOGRAPHIES[text(vault.inputs, "location")] ?? "";
    this.#backups.set(file, { subscription: this.#cloud.subscription, geography, key: found });
    return "";
  }

  #restore(name: string, file: string): string {
    const vault = this.#vault(name);
    this.#allow(vault, "restore");
    const backup = this.#backups.get(file);
    if (
      backup === undefined ||
      backup.subscription !== this.#cloud.subscription ||
      backup.geography !== GEOGRAPHIES[text(vault.inputs, "location")]
    ) {
      throw badRequest("BadParameter", "The backup is of another subscription or geography.");
    }
    const { type, inputs } = backup.key;
    const { resourceGroupName } = vault.inputs;
    this.#cloud.create(type, "by hand", { ...inputs, vaultName: name, resourceGroupName });
    return "";
  }

  /** The vault's own firewall and policies judge whoever has to do with its keys. */
  #allow(vault: Resource, permission: string): void {
    const { address, objectId } = this.#cloud.deployer;
    const rules = list(vault.inputs, "properties.networkAcls.ipRules").map((rule) => text(rule, "value"));
    const policy = list(vault.inputs, "properties.accessPolicies").find((one) => text(one, "objectId") === objectId);
    const refused = (message: string): ArmError => new ArmError(403, "Forbidden", message);
    if (!rules.includes(`${address}/32`)) throw refused(`Client address is not authorized. Client address: ${address}`);
    if (!texts(policy, "permissions.keys").includes(permission)) {
      throw refused(`The user '${objectId}' does not have keys ${permission} permission.`);
    }
  }

  #write(name: string, path: string, value: unknown): string {
    platformWrites(this.#cloud, this.#vault(name).id, path, value);
    return "";
  }

  #vault(name: string): Resource {
    const found = this.#cloud
      .ofType("azure-native:keyvault:Vault")
      .find(({ inputs }) => at(inputs as Properties, "vaultName") === name);
    if (found === undefined) throw new ArmError(404, "ResourceNotFound", `The vault '${name}' was not found.`);
    return found;
  }
}
