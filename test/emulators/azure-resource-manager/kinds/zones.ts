import { isDeepStrictEqual } from "node:util";
import { badRequest, conflict } from "../arm.ts";
import { type Properties, text, texts } from "../properties.ts";
import type { Resource } from "../subscription.ts";

/** Regions without zones (reliability/regions-list); every other one has three. */
const WITHOUT_ZONES = new Set(["westus", "northcentralus", "ukwest"]);

/**
 * A machine is in one zone or in none, for its whole life.
 * @throws ArmError for a zone that the region has not, and where it would be another one
 */
export function allowZones(inputs: Properties, before: Resource | undefined): void {
  const zones = texts(inputs, "zones");
  const location = text(inputs, "location");
  const there = WITHOUT_ZONES.has(location) ? [] : ["1", "2", "3"];
  if (zones.length > 1) throw badRequest("InvalidParameter", "A virtual machine may have one zone at most.");
  for (const zone of zones.filter((each) => !there.includes(each))) {
    const message = `The zone(s) '${zone}' for resource 'Microsoft.Compute/virtualMachines/${text(inputs, "vmName")}' is not supported. The supported zones for location '${location}' are '${there.join(",")}'`;
    throw badRequest("AvailabilityZoneNotSupported", message);
  }
  if (before !== undefined && !isDeepStrictEqual(texts(before.inputs, "zones"), zones)) {
    const message = "Zones cannot be added/updated/removed once the resource is created.";
    throw conflict("ResourceAvailabilityZonesCannotBeModified", message);
  }
}
