import { CONSENSUS_KINDS } from "../contract.ts";
import { ownCommand } from "../own-command.ts";
import { type KeyPolicy, type Lack, type Permission, type Policy, policyOf } from "./policy.ts";

/** Where a signer's settings are changed: in the configuration of the stack that made its machine, or in its settings file. */
export type SettingsHome = "stack" | "file";

/**
 * Says which setting would let a request wait for a person, and which would let it be signed unasked.
 * @param lack why the policy refuses it
 * @returns sentences for whoever may change the settings
 */
export function cureOf(policy: Policy, address: string, lack: Lack, home: SettingsHome): string {
  if (lack.needsOwnRule) {
    const lists = `its \`confirm\` (a person is asked each time) or its \`allow\``;
    return `Give policy.${address} a rule with ${lack.kinds.join(", ")} in ${lists}, and the lists of policy.default, which it replaces.`;
  }
  const who = policy.keys.has(address) ? address : "default";
  const rule = policyOf(policy, address);
  const cures = lack.chain === undefined ? kindCures(lack.kinds) : [chainCure(lack.chain)];
  const isPlain = home === "stack" && who === "default" && isStacksOwn(policy);
  const words = cures.map(
    (cure) => `${cure.purpose}: ${isPlain ? cure.inPlainStack(rule) : addition(cure, who, rule, home)}.`,
  );
  return [...words, home === "stack" ? "Then npm run up." : ""].join(" ").trimEnd();
}

/** One way to let a request through. */
interface Cure {
  readonly purpose: string;
  readonly list: "allow" | "confirm" | "chains";
  readonly added: readonly string[];
  /** What is typed where the stack has the policy that it has by itself. */
  readonly inPlainStack: (rule: KeyPolicy) => string;
}

function kindCures(kinds: readonly Permission[]): readonly Cure[] {
  const unasked: Cure = {
    purpose: "To sign that unasked",
    list: "allow",
    added: kinds,
    inPlainStack: ({ allow, confirm = [] }) => {
      const rules = { default: { allow: [...allow, ...kinds], ...(confirm.length === 0 ? {} : { confirm }) } };
      // The stack takes one of the two.
      const first = confirm.length === 0 ? "" : "pulumi config rm confirm && ";
      return `${first}${set("policy", rules)}`;
    },
  };
  const canWait = !kinds.some((kind) => CONSENSUS_KINDS.some((each) => each === kind));
  if (!canWait) return [unasked];
  const asked: Cure = {
    purpose: `To have a person asked each time, at \`${ownCommand("confirm")}\``,
    list: "confirm",
    added: kinds,
    inPlainStack: ({ confirm = [] }) => set("confirm", [...confirm, ...kinds]),
  };
  return [asked, unasked];
}

function chainCure(chain: string): Cure {
  return {
    purpose: "If the baker is meant to be on that chain",
    list: "chains",
    added: [chain],
    inPlainStack: ({ chains = [] }) => set("chains", [...chains, chain]),
  };
}

/** What is added to a list, and where. */
function addition({ list, added }: Cure, who: string, rule: KeyPolicy, home: SettingsHome): string {
  const place = `policy.${who}.${list}`;
  if (home === "file") return `add ${added.join(", ")} to ${place} in the signer's settings`;
  const length = rule[list]?.length ?? 0;
  return added.map((each, index) => `pulumi config set --path '${place}[${length + index}]' ${each}`).join(" && ");
}

function set(key: string, value: unknown): string {
  return `pulumi config set ${key} '${JSON.stringify(value)}'`;
}

/** Whether the policy is the one that a stack has whose configuration has no `policy`. */
function isStacksOwn({ default: rule, keys }: Policy): boolean {
  return keys.size === 0 && rule?.authentication === undefined && rule?.allow.join() === CONSENSUS_KINDS.join();
}
