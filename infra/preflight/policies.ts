/**
 * Policies that would deny what the plan makes, by Azure's own judgement of it.
 * @module
 */
import { exemption, type PolicyVerdict, policyVerdict } from "../arm/policy-restrictions.ts";
import { content } from "../arm/resource-content.ts";
import { type Check, type Facts, notKnown, notOk, ok, type Row } from "./row.ts";

/** What is judged: the rows, the resource's name in the program, and what of it policies forbid most. */
const JUDGED: Readonly<Record<string, string>> = {
  "release-account": "policy of the releases' account",
  account: "policy of the watermarks' account",
  address: "policy of the address",
  interface: "policy of the network interface",
  vault: "policy of the vault",
  machine: "policy of the machine",
};

/** Says what policies would do with a resource. */
function denied(row: string, verdict: PolicyVerdict, subscription: string): Row {
  if (verdict.kind === "allowed") return ok(row, "no policy denies it");
  const name = verdict.assignment.split("/").at(-1);
  if (verdict.kind === "not judged") return notKnown(row, `Azure could not judge it by the policy ${name}`);
  const says = `the policy ${name} would deny it; somebody who may exempt from policies exempts the subscription, or a group that this stack gets`;
  return notOk(row, says, exemption(verdict.assignment, subscription));
}

/** One check a resource, so that one that Azure does not judge hides no other. */
export const POLICIES: readonly Check[] = Object.entries(JUDGED).map(([name, row]): Check => {
  return {
    rows: [row],
    async examine({ plan, subscription, group, standing, asker }: Facts) {
      const resource = plan.resources.find((one) => one.name === name);
      if (resource === undefined) return [ok(row, "the plan has none")];
      const scope = standing === undefined ? subscription : `${subscription}/resourceGroups/${group}`;
      return [denied(row, await policyVerdict(scope, content(resource), asker), subscription)];
    },
  };
});
