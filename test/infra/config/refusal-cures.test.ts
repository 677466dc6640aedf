import { expect } from "chai";
import { signerSettings } from "../../../infra/config/signer-settings.ts";
import { cureOf } from "../../../signer/policy/cure.ts";
import { decideByPolicy, type Policy } from "../../../signer/policy/policy.ts";
import { parseSettings } from "../../../signer/settings/parse.ts";
import { parsePayload } from "../../../signer/tezos/payload/payload.ts";
import { REQUESTS, type RequestName } from "../../fixtures/policy-requests.ts";
import { settings } from "../../fixtures/stack-configs.ts";

const KEY = "tz3iDzR5UeBCsKP9v1teMuRYiVjx66s75RbC";
const AZURE = {
  vaultUri: "https://tezos-0123456789abcdef.vault.azure.net",
  tableEndpoint: "https://tezos0123456789abcdef.table.core.windows.net",
  table: "watermarks",
  storeId: "0123456789abcdef",
  clientId: "00000000-0000-4000-8000-000000000000",
  machineId:
    "/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/signer",
};
type Config = Readonly<Record<string, string>>;

/** The policy of the signer that a stack with this configuration makes. */
function policyOf(config: Config): Policy {
  return parseSettings(signerSettings(settings(config), AZURE), "userData").policy;
}

function decide(policy: Policy, request: RequestName) {
  return decideByPolicy(policy, KEY, parsePayload(REQUESTS[request]));
}

/** What is advised, as the command lines of each purpose. */
function cures(policy: Policy, request: RequestName, home: "stack" | "file" = "stack"): readonly string[] {
  const decision = decide(policy, request);
  if (decision.verdict !== "refuse") throw new Error(`${request} is not refused`);
  const cure = cureOf(policy, KEY, decision.lack, home);
  return cure.split(/\. (?=To |If |Then )|\.$/).filter((part) => part !== "");
}

/** Does to a configuration what `pulumi config set` and `rm` do. @throws Error for any other command */
function typed(config: Config, advice: string): Config {
  const values: Record<string, string> = { ...config };
  for (const line of advice.slice(advice.indexOf(": pulumi ") + 2).split(" && ")) {
    const [, removed] = /^pulumi config rm (\w+)$/.exec(line) ?? [];
    const [, name, value = ""] = /^pulumi config set (\w+) '([^']+)'$/.exec(line) ?? [];
    if (removed !== undefined) delete values[removed];
    else if (name !== undefined) values[name] = value;
    else values.policy = withItem(values.policy ?? "", line);
  }
  return values;
}

/** Puts one item into a list of a policy, behind the others. */
function withItem(policy: string, line: string): string {
  const [, who = "", list = "", at = "", item = ""] =
    /^pulumi config set --path 'policy\.(\w+)\.(\w+)\[(\d+)\]' (\w+)$/.exec(line) ?? [];
  const rules = JSON.parse(policy) as Record<string, Record<string, string[]>>;
  const rule = rules[who];
  if (rule === undefined) throw new Error(`no such command: ${line}`);
  const items = rule[list] ?? [];
  expect(items.length).to.equal(Number(at));
  return JSON.stringify({ ...rules, [who]: { ...rule, [list]: [...items, item] } });
}

const OWN = {
  policy: JSON.stringify({
    default: { allow: ["attestation"] },
    [KEY]: { allow: ["block", "preattestation", "attestation"], confirm: ["transaction", "reveal"] },
  }),
};

describe("what a policy's refusal advises", () => {
  for (const [name, config] of Object.entries({
    "a plain stack": {},
    "a stack with confirm": { confirm: '["reveal"]' },
    "a stack with policies": OWN,
  })) {
    for (const request of ["ballot yay", "stake", "delegation"] as const) {
      it(`lets ${name} ask a person about ${request}, or sign it unasked, and refuses nothing that it signed`, () => {
        const [asked = "", unasked = "", then = ""] = cures(policyOf(config), request);
        expect(asked).to.match(/^To have a person asked each time, at `npm run signer -- confirm`: pulumi config set /);
        expect(unasked).to.match(/^To sign that unasked: pulumi config /);
        expect(then).to.equal("Then npm run up");
        const waits = policyOf(typed(config, asked));
        const signs = policyOf(typed(config, unasked));
        expect(decide(waits, request).verdict).to.equal("confirm");
        expect(decide(signs, request).verdict).to.equal("allow");
        for (const [policy, other] of [waits, signs].flatMap(
          (each) =>
            [
              [each, "block"],
              [each, "attestation"],
            ] as const,
        )) {
          expect(decide(policy, other).verdict).to.equal("allow");
        }
      });
    }
  }

  it("names every kind of a batch that is in no list", () => {
    const [asked = ""] = cures(policyOf({}), "transfer and delegation");
    expect(decide(policyOf(typed({}, asked)), "transfer and delegation").verdict).to.equal("confirm");
  });

  it("does not let a block or a vote wait for a person", () => {
    const policy: Policy = { default: { allow: ["attestation"] }, keys: new Map() };
    expect(cures(policy, "block", "file")).to.deep.equal([
      "To sign that unasked: add block to policy.default.allow in the signer's settings",
    ]);
  });

  it("names the chain that a stack lacks, beside those that it has", () => {
    const chains = '["NetXdQprcVkpaWU"]';
    const [chain = ""] = cures(policyOf({ chains }), "attestation on another chain");
    expect(chain).to.match(/^If the baker is meant to be on that chain: /);
    const policy = policyOf(typed({ chains }, chain));
    expect(decide(policy, "attestation on another chain").verdict).to.equal("allow");
    expect(decide(policy, "attestation").verdict).to.equal("allow");
  });

  it("wants a rule of the key's own where the default's would not count, and says that it replaces the default", () => {
    const policy: Policy = { default: { allow: ["drain_delegate"] }, keys: new Map() };
    expect(cures(policy, "drain delegate").join()).to.match(
      new RegExp(`^Give policy\\.${KEY} a rule with drain_delegate .*replaces$`),
    );
  });

  it("names the list in the settings file where the signer has one", () => {
    const policy: Policy = { keys: new Map([[KEY, { allow: ["block"] }]]) };
    expect(cures(policy, "ballot yay", "file")).to.deep.equal([
      `To have a person asked each time, at \`npm run signer -- confirm\`: add ballot to policy.${KEY}.confirm in the signer's settings`,
      `To sign that unasked: add ballot to policy.${KEY}.allow in the signer's settings`,
    ]);
  });
});
