import { ROLES } from "./account.ts";
import { ArmError, badRequest, conflict } from "./arm.ts";
import type { Cloud } from "./cloud.ts";
import { LOCK } from "./locks.ts";
import { platformWrites } from "./platform.ts";
import { list, text, texts } from "./properties.ts";
import type { Resource } from "./subscription.ts";

/** What a person types to `az` in docs/, and what messages of the program tell him to type. */

/** What follows each `--name` of a command. */
class Options {
  readonly #words: readonly string[];

  constructor(words: readonly string[]) {
    this.#words = words;
  }

  /** @throws Error where it is missing or has no value */
  all(name: string): string[] {
    const at = this.#words.indexOf(`--${name}`);
    const rest = this.#words.slice(at + 1);
    const end = rest.findIndex((word) => word.startsWith("--"));
    const values = rest.slice(0, end < 0 ? rest.length : end);
    if (at < 0 || values.length === 0 || values[0] === "") {
      throw new Error(`az ${this.#words.join(" ")}: --${name} is missing`);
    }
    return values;
  }

  get(name: string): string {
    return this.all(name)[0] as string;
  }

  has(name: string): boolean {
    return this.#words.includes(`--${name}`);
  }
}

/** A key that was taken out of a vault: it opens in the same subscription and geography alone. */
interface Backup {
  readonly subscription: string;
  readonly geography: string | undefined;
  readonly key: Resource;
}

/** What a command does, by its words. @returns what it prints, if anything */
type Act = (options: Options, cloud: Cloud, backups: Map<string, Backup>) => unknown;

const MACHINE = "azure-native:compute:VirtualMachine";

const GEOGRAPHIES: Readonly<Record<string, string>> = {
  northeurope: "Europe",
  westeurope: "Europe",
  eastus: "United States",
  germanywestcentral: "Germany",
};

const COMMANDS: Readonly<Record<string, Act>> = {
  // Another subscription, which is as it should be.
  "account set": (options, cloud) => {
    options.get("subscription");
    cloud.state = "Enabled";
    Object.assign(cloud.account, { quotaId: "PayAsYouGo_2014-09-01", spendingLimit: "Off" });
  },
  "account get-access-token": (_options, { managementToken, subscription }) =>
    JSON.stringify({ accessToken: managementToken, subscription: subscription.split("/")[2] }),
  "group create": (options, cloud) => {
    const inputs = { resourceGroupName: options.get("name"), location: options.get("location") };
    cloud.create("azure-native:resources:ResourceGroup", "by hand", inputs);
  },
  "role assignment create": (options, { account }) => {
    const role = ROLES[options.get("role")];
    if (role === undefined) throw new Error(`az: Role '${options.get("role")}' doesn't exist.`);
    options.get("assignee");
    options.get("scope");
    account.permissions.push(role);
  },
  "provider register": (options, { account }) => {
    if (!account.unregistered.delete(options.get("namespace"))) throw new Error("az: nothing to register");
  },
  "policy exemption create": (options, { account }) => {
    const assignment = options.get("policy-assignment");
    if (options.get("exemption-category") !== "Waiver") throw new Error("az: not allowed");
    options.get("scope");
    options.get("name");
    if (!account.policies.some((policy) => policy.assignment === assignment)) throw new Error("az: no such assignment");
    account.policies = account.policies.filter((policy) => policy.assignment !== assignment);
  },
  "lock delete": (options, cloud) => {
    const lock = cloud.get(options.get("ids"));
    if (lock?.type !== LOCK) throw new Error(`az: no lock ${options.get("ids")}`);
    cloud.delete(LOCK, "by hand", lock.id);
  },
  "vm list": (options, cloud) => {
    const home = `${cloud.subscription}/resourceGroups/${options.get("resource-group")}/`.toLowerCase();
    const ids = cloud.ofType(MACHINE).flatMap(({ id }) => (id.toLowerCase().startsWith(home) ? [id] : []));
    if (options.get("query") !== "[].id" || options.get("output") !== "tsv") throw new Error("az: not played here");
    return ids.join("\n");
  },
  "vm deallocate": (options, cloud) => {
    for (const { id } of machinesIn(options, cloud)) cloud.stopped.add(id.toLowerCase());
  },
  "vm start": (options, cloud) => {
    for (const { id } of machinesIn(options, cloud)) cloud.stopped.delete(id.toLowerCase());
  },
  "vm delete": (options, cloud) => {
    for (const { id } of machinesIn(options, cloud)) cloud.delete(MACHINE, "by hand", id);
  },
  rest: (options, { account, offer }) => {
    const quota =
      /\/providers\/Microsoft\.(\w+)\/locations\/\w+\/providers\/Microsoft\.Quota\/quotas\/(\w+)\?api-version=/;
    const [, provider = "", name = ""] = quota.exec(options.get("url")) ?? [];
    const { limit } = (JSON.parse(options.get("body")) as { properties: { limit: { value: number } } }).properties;
    if (options.get("method") !== "patch") throw new Error("az: a quota is changed by PATCH");
    if (provider === "Compute") offer.limits[name] = limit.value;
    else {
      const known = (provider === "Network" ? account.network : account.storage)[name];
      if (known === undefined) throw new Error(`az: there is no quota ${provider} ${name}`);
      known.limit = limit.value;
    }
  },
  "keyvault list-deleted": (_options, { softDeleted }) =>
    JSON.stringify([...softDeleted].map(([name, [vault]]) => ({ name, vaultId: vault?.id }))),
  "keyvault purge": (options, { softDeleted, account }) => {
    const name = options.get("name");
    options.get("location");
    if (account.protectedVaults.has(name)) throw new Error("az: (DeletedVaultPurge) purge protection is enabled");
    if (!softDeleted.delete(name)) throw new Error(`az: no deleted Vault with the name '${name}' was found`);
  },
  // Into its own group and region, which have to be there, and as it was: nothing else that is asked for is heard (#21306).
  "keyvault recover": (options, cloud) => {
    const [name, group] = [options.get("name"), options.get("resource-group")];
    const [vault, ...keys] = cloud.softDeleted.get(name) ?? [];
    const home = `${cloud.subscription}/resourceGroups/${group}`;
    if (cloud.get(home) === undefined) {
      throw new ArmError(404, "ResourceGroupNotFound", `Resource group '${group}' could not be found.`);
    }
    if (
      vault === undefined ||
      text(vault.inputs, "location") !== options.get("location") ||
      !vault.id.toLowerCase().startsWith(`${home}/`.toLowerCase())
    ) {
      throw conflict("SoftDeletedVaultDoesNotExist", `A soft deleted vault with the given name does not exist.`);
    }
    for (const resource of [vault, ...keys]) cloud.hold(resource);
    cloud.softDeleted.delete(name);
  },
  "keyvault network-rule add": (options, cloud) => {
    const vault = vaultOf(options.get("name"), cloud);
    const rules = list(vault.inputs, "properties.networkAcls.ipRules");
    const value = `${options.get("ip-address")}/32`;
    platformWrites(cloud, vault.id, "properties.networkAcls.ipRules", [...rules, { value }]);
  },
  "keyvault set-policy": (options, cloud) => {
    const vault = vaultOf(options.get("name"), cloud);
    const objectId = options.get("object-id");
    const mine = { tenantId: cloud.tenant, objectId, permissions: { keys: options.all("key-permissions") } };
    const policies = list(vault.inputs, "properties.accessPolicies");
    const others = policies.filter((policy) => text(policy, "objectId") !== objectId);
    platformWrites(cloud, vault.id, "properties.accessPolicies", [...others, mine]);
  },
  "keyvault key recover": (options, cloud) => {
    const vault = vaultOf(options.get("vault-name"), cloud);
    allow(vault, "recover", cloud);
    const id = `${vault.id}/keys/${options.get("name")}`.toLowerCase();
    const key = cloud.deletedKeys.get(id);
    if (key === undefined) throw new ArmError(404, "KeyNotFound", `Deleted Key not found: ${options.get("name")}`);
    cloud.hold(key);
    cloud.deletedKeys.delete(id);
  },
  "keyvault key set-attributes": (options, cloud) => {
    const vault = vaultOf(options.get("vault-name"), cloud);
    allow(vault, "update", cloud);
    const id = `${vault.id}/keys/${options.get("name")}`;
    platformWrites(cloud, id, "properties.attributes.enabled", options.get("enabled") === "true");
  },
  "keyvault key backup": (options, cloud, backups) => {
    const vault = vaultOf(options.get("vault-name"), cloud);
    allow(vault, "backup", cloud);
    const name = options.get("name");
    const key = cloud.get(`${vault.id}/keys/${name}`);
    if (key === undefined) throw new ArmError(404, "KeyNotFound", `A key with (name/id) ${name} was not found.`);
    backups.set(options.get("file"), { subscription: cloud.subscription, geography: geographyOf(vault), key });
  },
  "keyvault key restore": (options, cloud, backups) => {
    const vault = vaultOf(options.get("vault-name"), cloud);
    allow(vault, "restore", cloud);
    const backup = backups.get(options.get("file"));
    if (backup?.subscription !== cloud.subscription || backup.geography !== geographyOf(vault)) {
      throw badRequest("BadParameter", "The backup is of another subscription or geography.");
    }
    const { type, inputs } = backup.key;
    const { resourceGroupName, vaultName } = vault.inputs;
    cloud.create(type, "by hand", { ...inputs, vaultName, resourceGroupName });
  },
};

/** Azure's command line, for one login on one computer. */
export class Az {
  readonly #cloud: Cloud;
  /** Of keys, by file. */
  readonly #backups = new Map<string, Backup>();

  constructor(cloud: Cloud) {
    this.#cloud = cloud;
  }

  /**
   * Runs one command.
   * @param words without `az`
   * @returns what it prints
   * @throws ArmError where Azure refuses, Error for a command or an option that is not known here
   */
  run(words: readonly string[]): string {
    const first = words.findIndex((word) => word.startsWith("--"));
    const name = words.slice(0, first < 0 ? words.length : first).join(" ");
    const act = COMMANDS[name];
    if (act === undefined) throw new Error(`the fake az knows no ${words.join(" ")}`);
    return String(act(new Options(words), this.#cloud, this.#backups) ?? "");
  }
}

/** Machines by their ids, or one by its name. @throws ArmError where one is not there */
function machinesIn(options: Options, cloud: Cloud): Resource[] {
  const ids = options.has("ids")
    ? options.all("ids")
    : [
        `${cloud.subscription}/resourceGroups/${options.get("resource-group")}/providers/Microsoft.Compute/virtualMachines/${options.get("name")}`,
      ];
  return ids.map((id) => {
    const found = cloud.get(id);
    if (found?.type === MACHINE) return found;
    throw new ArmError(404, "ResourceNotFound", `The Resource '${id}' was not found.`);
  });
}

function vaultOf(name: string, cloud: Cloud): Resource {
  const found = cloud.ofType("azure-native:keyvault:Vault").find(({ inputs }) => text(inputs, "vaultName") === name);
  if (found === undefined) throw new ArmError(404, "ResourceNotFound", `The vault '${name}' was not found.`);
  return found;
}

function geographyOf(vault: Resource): string | undefined {
  return GEOGRAPHIES[text(vault.inputs, "location")];
}

/** The vault's own firewall and policies judge whoever has to do with its keys. */
function allow(vault: Resource, permission: string, { deployer }: Cloud): void {
  const { address, objectId } = deployer;
  const rules = list(vault.inputs, "properties.networkAcls.ipRules").map((rule) => text(rule, "value"));
  const policy = list(vault.inputs, "properties.accessPolicies").find((one) => text(one, "objectId") === objectId);
  const refused = (message: string): ArmError => new ArmError(403, "Forbidden", message);
  if (!rules.includes(`${address}/32`)) throw refused(`Client address is not authorized. Client address: ${address}`);
  if (!texts(policy, "permissions.keys").includes(permission)) {
    throw refused(`The user '${objectId}' does not have keys ${permission} permission.`);
  }
}
