/**
 * Policies that would deny what the plan makes, by Azure's own judgement of it.
 * @module
 */
import { z } from "zod";
import { read } from "../arm/answer.ts";
import { question } from "../arm/client.ts";
import type { PlannedResource } from "../plan/plan.ts";
import { type Check, type Facts, notKnown, notOk, ok, type Row, word } from "./row.ts";

/**
 * Policy Restrictions - Check At Subscription Scope, At Resource Group Scope (Microsoft.PolicyInsights, 2023-03-01): what
 * the assignments of this scope and of all above it would say of a resource. It is asked by POST and changes nothing.
 */
const VERSION = "2023-03-01";

const Reference = z.object({ policyAssignmentId: z.string(), policyDefinitionId: z.string().optional() });

const Evaluation = z.object({
  policyInfo: Reference,
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

/** What is judged: the rows, the resource's name in the program, and what of it policies forbid most. */
const JUDGED: Readonly<Record<string, string>> = {
  "release-account": "policy of the releases' account",
  account: "policy of the watermarks' account",
  address: "policy of the address",
  interface: "policy of the network interface",
  vault: "policy of the vault",
  machine: "policy of the machine",
};

/** Azure's names of the types that are judged. */
const TYPES: Readonly<Record<string, string>> = {
  "azure-native:storage:StorageAccount": "Microsoft.Storage/storageAccounts",
  "azure-native:network:PublicIPAddress": "Microsoft.Network/publicIPAddresses",
  "azure-native:network:NetworkInterface": "Microsoft.Network/networkInterfaces",
  "azure-native:keyvault:Vault": "Microsoft.KeyVault/vaults",
  "azure-native:compute:VirtualMachine": "Microsoft.Compute/virtualMachines",
};

/** What a body holds beside `properties`. */
const BESIDE = new Set(["location", "tags", "sku", "kind", "identity"]);

/** Inputs that are called otherwise in a body. */
const RENAMED: Readonly<Record<string, string>> = {
  networkRuleSet: "networkAcls",
  enableHttpsTrafficOnly: "supportsHttpsTrafficOnly",
};

/** Inputs that are in the path. */
const IN_PATH = /^(?:resourceGroupName|vaultName|accountName|vmName|networkInterfaceName|publicIpAddressName)$/;

type Properties = Readonly<Record<string, unknown>>;

/**
 * Returns a resource as a request to Azure holds it, as far as policies look at it. What only Azure knows, such as ids, and
 * what is nobody's business, such as userData, is left out.
 */
export function content({ type, inputs }: Pick<PlannedResource, "type" | "inputs">): Properties {
  const own = Object.entries(inputs).filter(([name]) => !IN_PATH.test(name) && name !== "userData");
  const beside = own.filter(([name]) => BESIDE.has(name) && name !== "identity");
  const given = type === "azure-native:keyvault:Vault" ? ((inputs.properties ?? {}) as Properties) : undefined;
  const properties = own.filter(([name]) => !BESIDE.has(name)).map(([name, value]) => [RENAMED[name] ?? name, value]);
  return known({
    type: TYPES[type],
    ...Object.fromEntries(beside),
    properties: given ?? configured(Object.fromEntries(properties)),
  }) as Properties;
}

/** Where a list holds its entries' values under `properties`, and which names stay beside it. */
const NESTED: Readonly<Record<string, string>> = { ipConfigurations: "name", networkInterfaces: "id" };

/** Puts values under `properties` where Azure has them so, at every depth; a machine's first boot is left out. */
function configured(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(configured);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([name]) => name !== "customData");
  return Object.fromEntries(entries.map(([name, inner]) => [name, asEntries(inner, NESTED[name])]));
}

function asEntries(value: unknown, beside: string | undefined): unknown {
  if (beside === undefined || !Array.isArray(value)) return configured(value);
  return (value as Properties[]).map(({ [beside]: kept, ...properties }) => ({ [beside]: kept, properties }));
}

/** Leaves out what the plan shows as unknown: `<tenant>`. An id of a resource to be is kept, since it says that there is one. */
function known(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(known);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => !(typeof inner === "string" && /^<\w+>/.test(inner)));
  return Object.fromEntries(entries.map(([name, inner]) => [name, known(inner)]));
}

/** Judges Azure's answer about one resource. */
export function denied(row: string, answer: z.output<typeof Restrictions>, subscription: string): Row {
  const evaluations = answer.contentEvaluationResult?.policyEvaluations ?? [];
  const denial = evaluations.find(({ evaluationResult, effectDetails }) => {
    return /^NonCompliant$/i.test(evaluationResult) && /^deny$/i.test(effectDetails?.policyEffect ?? "deny");
  });
  if (denial === undefined) {
    // Azure names another result where it could not judge.
    const other = evaluations.find(({ evaluationResult }) => !/^(?:Non)?Compliant$/i.test(evaluationResult));
    if (other === undefined) return ok(row, "no policy denies it");
    return notKnown(
      row,
      `Azure could not judge it by the policy ${other.policyInfo.policyAssignmentId.split("/").at(-1)}`,
    );
  }
  const { policyAssignmentId } = denial.policyInfo;
  const says = `the policy ${policyAssignmentId.split("/").at(-1)} would deny it; somebody who may exempt from policies exempts the subscription, or a group that this stack gets`;
  return notOk(
    row,
    says,
    `az policy exemption create --name tezos-signer --exemption-category Waiver --policy-assignment ${word(policyAssignmentId)} --scope ${subscription}`,
  );
}

/** One check a resource, so that one that Azure does not judge hides no other. */
export const POLICIES: readonly Check[] = Object.entries(JUDGED).map(([name, row]): Check => {
  return {
    rows: [row],
    async examine({ plan, subscription, group, standing, asker }: Facts) {
      const resource = plan.resources.find((one) => one.name === name);
      if (resource === undefined) return [ok(row, "the plan has none")];
      const scope = standing === undefined ? subscription : `${subscription}/resourceGroups/${group}`;
      const path = `${scope}/providers/Microsoft.PolicyInsights/checkPolicyRestrictions?api-version=${VERSION}`;
      const answer = await question(path, { resourceDetails: { resourceContent: content(resource) } }, asker);
      return [denied(row, read(Restrictions, answer, "the judgement of the policies"), subscription)];
    },
  };
});
