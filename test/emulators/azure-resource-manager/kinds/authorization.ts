import { ArmError, badRequest, conflict } from "../arm.ts";
import { lockNotFound } from "../functions.ts";
import { type Properties, text } from "../properties.ts";
import type { Kind, Subscription } from "../subscription.ts";
import { must, same } from "./addresses.ts";

const ROLE = "azure-native:authorization:RoleAssignment";

/** Role assignment and lock. */
export const AUTHORIZATION: Readonly<Record<string, Kind>> = {
  [ROLE]: {
    replaces: ["scope", "roleAssignmentName", "principalId"],
    autoname: { key: "roleAssignmentName", make: (seed) => seed },
    id: (inputs) =>
      `${text(inputs, "scope")}/providers/Microsoft.Authorization/roleAssignments/${text(inputs, "roleAssignmentName")}`,
    put: role,
  },
  "azure-native:authorization:ManagementLockByScope": {
    replaces: ["scope", "lockName"],
    id: (inputs) => `${text(inputs, "scope")}/providers/Microsoft.Authorization/locks/${text(inputs, "lockName")}`,
    missing: (id) => {
      throw lockNotFound(id.split("/").at(-1) ?? "");
    },
    put: (inputs, cloud) => {
      mayAuthorize(cloud, "Microsoft.Authorization/locks/write");
      must(cloud, text(inputs, "scope"));
      return {};
    },
  },
};

function role(inputs: Properties, cloud: Subscription): Properties {
  mayAuthorize(cloud, "Microsoft.Authorization/roleAssignments/write");
  must(cloud, text(inputs, "scope"));
  if (
    !/^\/subscriptions\/[^/]+\/providers\/Microsoft.Authorization\/roleDefinitions\/[0-9a-f-]{36}$/.test(
      text(inputs, "roleDefinitionId"),
    )
  ) {
    throw badRequest("InvalidRoleDefinitionId", "The role definition id is not valid.");
  }
  // A fresh identity has not reached the directory that the default type, User, is looked up in.
  if (text(inputs, "principalType") !== "ServicePrincipal") {
    throw badRequest("PrincipalNotFound", `Principal ${text(inputs, "principalId")} does not exist in the directory.`);
  }
  const twin = cloud
    .ofType(ROLE)
    .find((other) =>
      ["scope", "principalId", "roleDefinitionId"].every((key) => same(text(other.inputs, key), text(inputs, key))),
    );
  if (twin !== undefined) throw conflict("RoleAssignmentExists", "The role assignment already exists.");
  return { type: "Microsoft.Authorization/roleAssignments" };
}

function mayAuthorize({ deployer }: Subscription, action: string): void {
  if (!deployer.assignsRoles) {
    throw new ArmError(
      403,
      "AuthorizationFailed",
      `The client '${deployer.objectId}' does not have authorization to perform action '${action}'.`,
    );
  }
}
