import type { ResourceGroup } from "@pulumi/azure-native/resources/index.js";
import * as pulumi from "@pulumi/pulumi";
import type { Kinds } from "./kind.ts";

/** Values shared by every component of a signer. */
export interface StackContext {
  readonly group: ResourceGroup;
  readonly location: string;
  readonly tags: Readonly<Record<string, string>>;
  /** 16 hex digits, random, made once: the end of names that must be unique in the world, and the watermark store's id. */
  readonly id: pulumi.Output<string>;
  /** Keys with money behind them: locks, purge protection, and Pulumi refuses to delete. */
  readonly production: boolean;
  /**
   * Returns the name in the program of a part. Pulumi knows a resource by it, and under another one deletes it and makes
   * it anew: test/infra/urns.test.ts pins all of them.
   */
  readonly named: (part: string) => string;
}

/**
 * Returns the options of a resource in the signer's group: deleted with the group, so that `destroy` sends one request
 * for all. It inherits `protect` from the component.
 */
export function inGroup(parent: pulumi.Resource, context: StackContext): pulumi.CustomResourceOptions {
  return { parent, deletedWith: context.group };
}

/**
 * Returns the id of a built-in role. Roles are named within the subscription, which is the second part of every
 * resource's id.
 * @param scope the resource that the role is given on
 */
export function roleDefinitionId(scope: pulumi.CustomResource, role: string): pulumi.Output<string> {
  const subscription = scope.id.apply((id) => id.split("/").slice(0, 3).join("/"));
  return pulumi.interpolate`${subscription}/providers/Microsoft.Authorization/roleDefinitions/${role}`;
}

/** What stands beside the components, and they share. */
export const CONTEXT_KINDS: Kinds = {
  "random:index/randomId:RandomId": { word: "random id", name: "byteLength", chosen: { hex: "<random>" } },
  "azure-native:resources:ResourceGroup": { word: "resource group", name: "resourceGroupName", shown: ["location"] },
  "azure-native:managedidentity:UserAssignedIdentity": {
    word: "machine's identity",
    name: "resourceName",
    chosen: { principalId: "<machine>", clientId: "<client>", tenantId: "<tenant>" },
  },
};
