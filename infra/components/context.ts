import type { ResourceGroup } from "@pulumi/azure-native/resources/index.js";
import * as pulumi from "@pulumi/pulumi";

/** Where a stack's resources stand, and what all of them share. */
export interface Place {
  readonly group: ResourceGroup;
  readonly location: string;
  readonly tags: Readonly<Record<string, string>>;
  /** 16 hex digits, random, made once: the end of names that must be unique in the world, and the watermark store's id. */
  readonly id: pulumi.Output<string>;
  /** Keys with money behind them: locks, purge protection, and Pulumi refuses to delete. */
  readonly production: boolean;
}

/**
 * Options of a resource inside the group. Deleting the group deletes it, so `destroy` sends one request for all.
 * It inherits `protect` from the component.
 */
export function inside(parent: pulumi.Resource, place: Place): pulumi.CustomResourceOptions {
  return { parent, deletedWith: place.group };
}

/**
 * The id of a built-in role. Roles are named within the subscription, which is the second part of every resource's id.
 * @param scope the resource that the role is given on
 */
export function roleDefinitionId(scope: pulumi.CustomResource, role: string): pulumi.Output<string> {
  const subscription = scope.id.apply((id) => id.split("/").slice(0, 3).join("/"));
  return pulumi.interpolate`${subscription}/providers/Microsoft.Authorization/roleDefinitions/${role}`;
}
