import { badRequest, conflict } from "../arm.ts";
import { list, text } from "../properties.ts";
import type { Resource, Subscription } from "../subscription.ts";

/** What may have a public address, and where it names it. */
const USERS = [
  ["azure-native:network:NetworkInterface", "ipConfigurations"],
  ["azure-native:network:LoadBalancer", "frontendIPConfigurations"],
] as const;

/** Returns the id of the interface or balancer that has a public address now; undefined where it is free. */
export function addressUser(id: string, cloud: Subscription): string | undefined {
  return USERS.flatMap(([type, path]) =>
    cloud
      .ofType(type)
      .filter(({ inputs }) => list(inputs, path).some((one) => same(text(one, "publicIPAddress.id"), id))),
  ).map((user) => user.id)[0];
}

/**
 * An address is in one place at a time: whoever wants it next waits until the one before has let go of it. Azure's SDK for
 * JavaScript has the answer recorded, for a balancer.
 * @param own id of whoever wants it
 * @throws ArmError where another one has it
 */
export function refuseUsedAddress(id: string, own: string, cloud: Subscription): void {
  const user = addressUser(id, cloud);
  if (user === undefined || same(user, own)) return;
  throw badRequest(
    "PublicIPAddressInUse",
    `Resource ${own} is referencing public IP address ${id} that is already allocated to resource ${user}.`,
  );
}

export function isStandard({ inputs }: Resource): boolean {
  return text(inputs, "sku.name") === "Standard";
}

/** @throws ArmError where a resource that another one names is not there */
export function must(cloud: Subscription, id: string): Resource {
  const found = cloud.get(id);
  if (found === undefined)
    throw badRequest("InvalidResourceReference", `Resource ${id} referenced by resource was not found.`);
  return found;
}

export function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

export function inUse(code: string, id: string, user: string) {
  return conflict(code, `${id} is in use by ${user} and cannot be deleted.`);
}
