import { ROLES } from "./account.ts";
import type { Subscription } from "./subscription.ts";

/** The options of a command, by name. */
function option(words: readonly string[], name: string): string {
  const at = words.indexOf(`--${name}`);
  const value = words[at + 1];
  if (at < 0 || value === undefined) throw new Error(`az ${words.join(" ")}: --${name} is missing`);
  return value;
}

type Act = (words: readonly string[], cloud: Subscription) => void;

/** What Azure's command line does to the subscription, by the words of the command. */
const COMMANDS: Readonly<Record<string, Act>> = {
  // Another subscription, which is as it should be.
  "account set": (words, cloud) => {
    option(words, "subscription");
    cloud.state = "Enabled";
    Object.assign(cloud.account, { quotaId: "PayAsYouGo_2014-09-01", spendingLimit: "Off" });
  },
  "role assignment create": (words, { account }) => {
    const role = ROLES[option(words, "role")];
    if (role === undefined) throw new Error(`az: Role '${option(words, "role")}' doesn't exist.`);
    if (option(words, "assignee") === "" || option(words, "scope") === "") throw new Error("az: nobody, or nowhere");
    account.permissions.push(role);
  },
  "provider register": (words, { account }) => {
    if (!account.unregistered.delete(option(words, "namespace"))) throw new Error("az: nothing to register");
  },
  "keyvault purge": (words, { softDeleted, account }) => {
    const name = option(words, "name");
    option(words, "location");
    if (account.protectedVaults.has(name)) throw new Error("az: (DeletedVaultPurge) purge protection is enabled");
    if (!softDeleted.delete(name)) throw new Error(`az: no deleted Vault with the name '${name}' was found`);
  },
  "policy exemption create": (words, { account }) => {
    const assignment = option(words, "policy-assignment");
    if (option(words, "exemption-category") !== "Waiver") throw new Error("az: not allowed");
    option(words, "scope");
    option(words, "name");
    if (!account.policies.some((policy) => policy.assignment === assignment)) throw new Error("az: no such assignment");
    account.policies = account.policies.filter((policy) => policy.assignment !== assignment);
  },
  "lock delete": (words, { account }) => {
    const id = option(words, "ids");
    if (!account.locks.some((lock) => lock.id === id)) throw new Error(`az: no lock ${id}`);
    account.locks = account.locks.filter((lock) => lock.id !== id);
  },
  rest: (words, { account, offer }) => {
    const quota =
      /\/providers\/Microsoft\.(\w+)\/locations\/\w+\/providers\/Microsoft\.Quota\/quotas\/(\w+)\?api-version=/;
    const [, provider = "", name = ""] = quota.exec(option(words, "url")) ?? [];
    const { limit } = (JSON.parse(option(words, "body")) as { properties: { limit: { value: number } } }).properties;
    if (option(words, "method") !== "patch") throw new Error("az: a quota is changed by PATCH");
    if (provider === "Compute") offer.limits[name] = limit.value;
    else {
      const known = (provider === "Network" ? account.network : account.storage)[name];
      if (known === undefined) throw new Error(`az: there is no quota ${provider} ${name}`);
      known.limit = limit.value;
    }
  },
};

/** Does what a command of az does. @throws Error in its words where it is refused, or is none */
export function az(words: readonly string[], cloud: Subscription): void {
  const name = Object.keys(COMMANDS).find((each) => `${words.join(" ")} `.startsWith(`${each} `));
  if (name === undefined) throw new Error(`the fake az knows no ${words.join(" ")}`);
  COMMANDS[name]?.(words, cloud);
}
