/**
 * What the policies of an organisation would say of a resource, by Azure's own judgement. Asking changes nothing.
 * @module
 */
import { z } from "zod";
import { read } from "./answer.ts";
import { type Asker, question } from "./client.ts";
import { word } from "./word.ts";

/**
 * Policy Restrictions - Check At Subscription Scope, At Resource Group Scope (Microsoft.PolicyInsights, 2023-03-01): what
 * the assignments of this scope and of all above it would say of a resource. It is asked by POST and changes nothing.
 */
const VERSION = "2023-03-01";

const Evaluation = z.object({
  policyInfo: z.object({ policyAssignmentId: z.string(), policyDefinitionId: z.string().optional() }),
  evaluationResult: z.string(),
  effectDetails: z.object({ policyEffect: z.string().optional() }).optional(),
});

const Restrictions = z
  .object({
    fieldRestrictions: z.array(z.unknown()).optional(),
    contentEvaluationResult: z.object({ policyEvaluations: z.array(Evaluation).default([]) }).optional(),
  })
  // One of the two is there in any answer: what has neither is none, and says nothing about policies.
  .refine(({ fieldRestrictions, contentEvaluationResult }) => {
    return fieldRestrictions !== undefined || contentEvaluationResult !== undefined;
  });

/** What policies would do with a resource, and the assignment's id of the first that does so. */
export type PolicyVerdict =
  | { readonly kind: "allowed" }
  | { readonly kind: "denied" | "not judged"; readonly assignment: string };

/**
 * Asks what the policies of a scope, and of all above it, would do with a resource.
 * @param scope id of the subscription or of the resource group that it is in
 * @param resourceContent the resource, as resource-content.ts has it
 * @throws Error where Azure does not say
 */
export async function policyVerdict(scope: string, resourceContent: object, asker: Asker): Promise<PolicyVerdict> {
  const path = `${scope}/providers/Microsoft.PolicyInsights/checkPolicyRestrictions?api-version=${VERSION}`;
  const answer = await question(path, { resourceDetails: { resourceContent } }, asker);
  const { contentEvaluationResult } = read(Restrictions, answer, "the judgement of the policies");
  const evaluations = contentEvaluationResult?.policyEvaluations ?? [];
  const denial = evaluations.find(({ evaluationResult, effectDetails }) => {
    return /^NonCompliant$/i.test(evaluationResult) && /^deny$/i.test(effectDetails?.policyEffect ?? "deny");
  });
  if (denial !== undefined) return { kind: "denied", assignment: denial.policyInfo.policyAssignmentId };
  // Azure names another result where it could not judge.
  const other = evaluations.find(({ evaluationResult }) => !/^(?:Non)?Compliant$/i.test(evaluationResult));
  if (other === undefined) return { kind: "allowed" };
  return { kind: "not judged", assignment: other.policyInfo.policyAssignmentId };
}

/** Returns the command that exempts a scope from an assignment; whoever may exempt from policies types it. */
export function exemption(assignment: string, scope: string): string {
  return `az policy exemption create --name tezos-signer --exemption-category Waiver --policy-assignment ${word(assignment)} --scope ${scope}`;
}
