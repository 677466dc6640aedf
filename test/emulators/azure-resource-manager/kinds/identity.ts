import { text } from "../properties.ts";
import type { Kind } from "../subscription.ts";
import { inGroup } from "./in-group.ts";

/** Resource group and user-assigned identity. */
export const IDENTITY: Readonly<Record<string, Kind>> = {
  "azure-native:resources:ResourceGroup": {
    replaces: ["resourceGroupName", "location"],
    id: (inputs, cloud) => `${cloud.subscription}/resourceGroups/${text(inputs, "resourceGroupName")}`,
    put: (inputs) => ({ name: text(inputs, "resourceGroupName"), properties: { provisioningState: "Succeeded" } }),
  },
  "azure-native:managedidentity:UserAssignedIdentity": {
    ...inGroup("Microsoft.ManagedIdentity/userAssignedIdentities", ["resourceName"], /^[A-Za-z0-9][\w-]{2,127}$/),
    // A deleted identity made again is another one: its ids hold for one life.
    put: (inputs, cloud, before) => ({
      principalId: text(before?.outputs, "principalId") || cloud.guid(`principal ${cloud.calls.length}`),
      clientId: text(before?.outputs, "clientId") || cloud.guid(`client ${cloud.calls.length}`),
      tenantId: cloud.tenant,
      type: "Microsoft.ManagedIdentity/userAssignedIdentities",
      location: inputs.location,
    }),
  },
};
