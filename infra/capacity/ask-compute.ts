/**
 * Asks Azure which machines it has, with the rights of whoever runs Pulumi. It only reads.
 * @module
 */
import { all, get } from "../arm/client.ts";
import type { Image } from "../config/machine-image.ts";
import type { Offer, OfferedImage, OfferedSize, Quota } from "./judgement.ts";

/** The newest version of each that azure-native's own modules have, and so one that Azure keeps. */
const SKUS_VERSION = "2021-07-01";
const COMPUTE_VERSION = "2024-11-01";

/** Where it is asked. */
export interface Place {
  /** As in `/subscriptions/GUID`. */
  readonly subscription: string;
  readonly location: string;
  readonly token: string;
  readonly timeoutMs?: number;
}

/**
 * Returns what Azure has in a region.
 * @throws Error where Azure does not say
 */
export async function offered(place: Place, image: Image): Promise<Offer> {
  const { subscription, location } = place;
  const compute = `${subscription}/providers/Microsoft.Compute`;
  const filter = encodeURIComponent(`location eq '${location}'`);
  const [skus, usages, found] = await Promise.all([
    all<Sku>(`${compute}/skus?api-version=${SKUS_VERSION}&$filter=${filter}`, place),
    all<Usage>(`${compute}/locations/${location}/usages?api-version=${COMPUTE_VERSION}`, place),
    imageOffered(`${compute}/locations/${location}`, image, place),
  ]);
  return {
    sizes: skus.filter(({ resourceType }) => resourceType === "virtualMachines").map((sku) => sizeOf(sku, location)),
    quotas: new Map(
      usages.map(({ name, currentValue, limit }): [string, Quota] => [name.value, { used: currentValue, limit }]),
    ),
    image: found,
  };
}

interface Sku {
  readonly resourceType: string;
  readonly name: string;
  readonly family?: string;
  readonly capabilities?: readonly { readonly name: string; readonly value: string }[];
  readonly restrictions?: readonly {
    readonly type?: string;
    readonly reasonCode?: string;
    readonly restrictionInfo?: { readonly locations?: readonly string[] };
  }[];
}

interface Usage {
  readonly name: { readonly value: string };
  readonly currentValue: number;
  readonly limit: number;
}

/** A restriction of single zones is none here: the machine names no zone. */
function sizeOf({ name, family = "", capabilities = [], restrictions = [] }: Sku, location: string): OfferedSize {
  const capability = (wanted: string) => capabilities.find((one) => one.name === wanted)?.value;
  const restriction = restrictions.find(({ type, restrictionInfo }) => {
    const locations = restrictionInfo?.locations ?? [location];
    return type === "Location" && locations.some((one) => one.toLowerCase() === location.toLowerCase());
  });
  return {
    name,
    family,
    vCPUs: Number(capability("vCPUs") ?? 0),
    memoryGB: Number(capability("MemoryGB") ?? 0),
    processor: capability("CpuArchitectureType") ?? "x64",
    generations: (capability("HyperVGenerations") ?? "V1").split(","),
    trustedLaunch: capability("TrustedLaunchDisabled")?.toLowerCase() !== "true",
    refused: restriction === undefined ? undefined : (restriction.reasonCode ?? "restricted"),
  };
}

async function imageOffered(region: string, image: Image, place: Place): Promise<OfferedImage | undefined> {
  const [publisher, offer, sku] = [image.publisher, image.offer, image.sku].map(encodeURIComponent);
  const versions = `${region}/publishers/${publisher}/artifacttypes/vmimage/offers/${offer}/skus/${sku}/versions`;
  const newest = `${versions}?api-version=${COMPUTE_VERSION}&$top=1&$orderby=${encodeURIComponent("name desc")}`;
  const version =
    image.version === "latest" ? (await get<{ name: string }[]>(newest, place))?.[0]?.name : image.version;
  if (version === undefined) return undefined;
  const found = await get<{ properties?: { architecture?: string; hyperVGeneration?: string } }>(
    `${versions}/${encodeURIComponent(version)}?api-version=${COMPUTE_VERSION}`,
    place,
  );
  if (found === undefined) return undefined;
  const { architecture = "x64", hyperVGeneration = "V1" } = found.properties ?? {};
  return { processor: architecture, generation: hyperVGeneration };
}
