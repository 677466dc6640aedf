/**
 * Asks Azure which machines it has, with the rights of whoever runs Pulumi. It only reads.
 * @module
 */
import { z } from "zod";
import { read } from "../arm/answer.ts";
import { ArmRefusal, all, get } from "../arm/client.ts";
import type { Image } from "../config/machine-image.ts";
import type { Offer, OfferedImage, OfferedSize, Quota } from "./judgement.ts";

/** The newest version of each that azure-native's own modules have, and so one that Azure keeps; and Subscriptions - Get. */
const SKUS_VERSION = "2021-07-01";
const SUBSCRIPTIONS_VERSION = "2022-12-01";
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
    all(`${compute}/skus?api-version=${SKUS_VERSION}&$filter=${filter}`, place),
    all(`${compute}/locations/${location}/usages?api-version=${COMPUTE_VERSION}`, place),
    imageOffered(`${compute}/locations/${location}`, image, place),
  ]);
  const sizes = read(z.array(Sku), skus, "the list of sizes");
  return {
    sizes: sizes.filter(({ resourceType }) => resourceType === "virtualMachines").map((sku) => sizeOf(sku, location)),
    quotas: new Map(
      read(z.array(Usage), usages, "the list of quotas").map(({ name, currentValue, limit }): [string, Quota] => [
        name.value,
        { used: currentValue, limit },
      ]),
    ),
    image: found,
  };
}

/**
 * Returns whether a resource of Compute is there.
 * @param id Azure's
 * @throws Error where Azure does not say
 */
export async function shown(id: string, token: string): Promise<boolean> {
  return (await get(`${id}?api-version=${COMPUTE_VERSION}`, { token })) !== undefined;
}

/**
 * Returns a subscription's state, as Azure names it.
 * @throws Error where Azure does not say
 */
export async function subscriptionState({
  subscription,
  token,
}: Pick<Place, "subscription" | "token">): Promise<string> {
  try {
    const found = await get(`${subscription}?api-version=${SUBSCRIPTIONS_VERSION}`, { token });
    if (found !== undefined) return read(Subscribed, found, "the subscription").state;
  } catch (error) {
    if (!(error instanceof ArmRefusal) || error.status !== 404) throw error;
  }
  return "not there";
}

const Subscribed = z.object({ state: z.string() });

const Sku = z.object({
  resourceType: z.string(),
  name: z.string(),
  family: z.string().optional(),
  capabilities: z.array(z.object({ name: z.string(), value: z.string() })).optional(),
  restrictions: z
    .array(
      z.object({
        type: z.string().optional(),
        reasonCode: z.string().optional(),
        restrictionInfo: z.object({ locations: z.array(z.string()).optional() }).optional(),
      }),
    )
    .optional(),
});

type Sku = z.output<typeof Sku>;

const Usage = z.object({ name: z.object({ value: z.string() }), currentValue: z.number(), limit: z.number() });

const Versions = z.array(z.object({ name: z.string() }));

const Version = z.object({
  properties: z.object({ architecture: z.string().optional(), hyperVGeneration: z.string().optional() }),
});

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
  const listed = async () => read(Versions, (await get(newest, place)) ?? [], "the list of images")[0]?.name;
  const version = image.version === "latest" ? await listed() : image.version;
  if (version === undefined) return undefined;
  const found = await get(`${versions}/${encodeURIComponent(version)}?api-version=${COMPUTE_VERSION}`, place);
  if (found === undefined) return undefined;
  const { architecture = "x64", hyperVGeneration = "V1" } = read(Version, found, "the image").properties;
  return { processor: architecture, generation: hyperVGeneration };
}
