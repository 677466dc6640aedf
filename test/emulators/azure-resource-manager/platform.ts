import type { Properties } from "./properties.ts";
import type { Subscription } from "./subscription.ts";

/**
 * Writes into a resource as Azure's own services do: Azure Policy, Update Manager, somebody in the portal. Pulumi sees it
 * at its next refresh, among the inputs as well as in the outputs.
 * @param path of names, such as `osProfile.linuxConfiguration`
 */
export function platformWrites(cloud: Subscription, id: string, path: string, value: unknown): void {
  const resource = cloud.get(id);
  if (resource === undefined) throw new Error(`there is no ${id}`);
  const { inputs, outputs } = resource;
  cloud.hold({ ...resource, inputs: written(inputs, path, value), outputs: written(outputs, path, value) });
}

function written(properties: Properties, path: string, value: unknown): Properties {
  const [name = "", ...rest] = path.split(".");
  if (rest.length === 0) return { ...properties, [name]: value };
  return { ...properties, [name]: written((properties[name] ?? {}) as Properties, rest.join("."), value) };
}
