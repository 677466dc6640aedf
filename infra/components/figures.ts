import { createHash } from "node:crypto";
import { Workbook } from "@pulumi/azure-native/applicationinsights/index.js";
import { RoleAssignment } from "@pulumi/azure-native/authorization/index.js";
import * as pulumi from "@pulumi/pulumi";
import { inGroup, roleDefinitionId, type StackContext } from "./context.ts";
import type { Kinds } from "./kind.ts";
import { workbook } from "./workbook.ts";

export interface FiguresArgs {
  readonly context: StackContext;
  /** Principal of the machine's identity, as which the signer sends its figures. */
  readonly signerId: pulumi.Input<string>;
  /** Ids of the machines, whose figures they are; the first one first. */
  readonly machineIds: pulumi.Output<string>[];
}

/** Built-in role Monitoring Metrics Publisher: writes metrics, and reads nothing. */
const METRICS_PUBLISHER = "3913510d-42f4-4e42-8a64-420c390055eb";

/** The signer's own figures in Azure Monitor: its right to send them, and a workbook that shows them. */
export class Figures extends pulumi.ComponentResource {
  constructor(name: string, args: FiguresArgs, options?: pulumi.ComponentResourceOptions) {
    super("tezos-signer:infra:Figures", name, {}, options);
    const { context, machineIds } = args;
    const child = inGroup(this, context);
    new RoleAssignment(
      context.named("figures-role"),
      {
        // Of the group, not of the machine: an assignment goes with what it is on, and the machine may be replaced.
        scope: context.group.id,
        // Known beforehand, so that `npm run recover` finds it; and another one for another identity, since Azure changes none.
        roleAssignmentName: pulumi.all([context.id, args.signerId]).apply(([id, to]) => guidOf(`figures ${id} ${to}`)),
        principalId: args.signerId,
        principalType: "ServicePrincipal", // see watermark-table.ts
        roleDefinitionId: roleDefinitionId(context.group, METRICS_PUBLISHER),
      },
      child,
    );
    new Workbook(
      context.named("workbook"),
      {
        resourceGroupName: context.group.name,
        resourceName: context.id.apply((id) => guidOf(`workbook ${id}`)), // Azure takes a GUID for a workbook's name, and nothing else
        location: context.location,
        kind: "shared",
        category: "workbook",
        displayName: "Tezos signer",
        sourceId: pulumi.all(machineIds).apply(([first = ""]) => first),
        serializedData: pulumi.all(machineIds).apply((ids) => JSON.stringify(workbook(ids))),
        tags: context.tags,
      },
      child,
    );
    this.registerOutputs({});
  }
}

/** Makes a GUID of a text with the stack's own id: the same in every `up`. */
function guidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  // Version 8: of our own making (RFC 9562 5.8).
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** What the plan shows of the figures, beside their role (watermark-table.ts). */
export const FIGURES_KINDS: Kinds = {
  "azure-native:applicationinsights:Workbook": { word: "workbook", name: "resourceName", shown: ["displayName"] },
};
