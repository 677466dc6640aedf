/**
 * One machine with the signer's address, or machines behind a balancer that has it. Pure.
 * @module
 */
import { MAINTENANCE } from "../../signer/contract.ts";
import type { StackConfig } from "./schema.ts";

type Wanted = Pick<StackConfig, "instances" | "balancer">;

/** Says whether the signer's address is a balancer's. One that stood in front of two may stay in front of one. */
export function isBalanced({ instances, balancer }: Wanted): boolean {
  return balancer || instances > 1;
}

/** Regions without availability zones (learn.microsoft.com, "List of Azure regions", 2026-11). A new one has some. */
const WITHOUT_ZONES = `
  australiacentral australiacentral2 australiasoutheast brazilsoutheast canadaeast francesouth germanynorth jioindiacentral
  jioindiawest koreasouth northcentralus norwaywest southafricawest southindia swedensouth switzerlandwest uaecentral ukwest
  westcentralus westindia westus
`
  .trim()
  .split(/\s+/);

/** Says whether a region has zones: buildings of their own power, cooling and network. */
export function hasZones(location: string): boolean {
  return !WITHOUT_ZONES.includes(location);
}

/** One machine of a signer. */
export interface Place {
  /** From 1. */
  readonly number: number;
  /** What its names have at their end: nothing for the first, which is what a signer of one machine has. */
  readonly suffix: string;
  /** Its zone; undefined where it has none: alone with the address, or in a region without zones. */
  readonly zone: string | undefined;
  /** When it installs security upgrades, and restarts if one asks for it: UTC, every day. Never two at once. */
  readonly maintenance: string;
}

/** The hours of the first machine and of the second, as far apart as they can be. */
const HOURS = [MAINTENANCE, "16:30"];

/** Returns the machines of a signer, the first one first. */
export function places(settings: Wanted & Pick<StackConfig, "location">): Place[] {
  const zoned = isBalanced(settings) && hasZones(settings.location);
  return HOURS.slice(0, settings.instances).map((maintenance, index) => ({
    number: index + 1,
    suffix: index === 0 ? "" : `-${index + 1}`,
    zone: zoned ? String(index + 1) : undefined,
    maintenance,
  }));
}
