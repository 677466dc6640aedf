/**
 * Asks Azure which machines it has, with the rights of whoever runs Pulumi. It only reads.
 * @module
 */
import type { Image } from "../config/machine-image.ts";
import type { Offer, OfferedImage, OfferedSize, Quota } from "./judgement.ts";

/** Azure's public cloud, the only one that this project knows. */
const ENDPOINT = "https://management.azure.com";

/** The newest version of each that azure-native's own modules have, and so one that Azure keeps; and Subscriptions - Get. */
const SKUS_VERSION = "2021-07-01";
const SUBSCRIPTIONS_VERSION = "2022-12-01";
const COMPUTE_VERSION = "2024-11-01";

/** The list of a region's sizes is long, and slow lines exist. */
const TIMEOUT_MS = 60_000;

/** Where it is asked. */
export interface Place {
  /** As in `/subscriptions/GUID`. */
  readonly subscription: string;
  readonly location: string;
  readonly token: string;
}

/**
 * Returns what Azure has in a region.
 * @throws Error where Azure does not say
 */
export async function offered(place: Place, image: Image): Promise<Offer> {
  const { subscription, location } = place;
  const compute = `${subscription}/providers/Microsoft.Compute`;
  const filter = encodeURIComponent(`location eq '${location}'`);
  const [subscribed, skus, usages, found] = await Promise.all([
    get<{ state?: string }>(`${subscription}?api-version=${SUBSCRIPTIONS_VERSION}`, place),
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
    subscription: subscribed?.state ?? "not there",
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

async function all<Entry>(path: string, place: Place): Promise<Entry[]> {
  const entries: Entry[] = [];
  let next: string | undefined = path;
  while (next !== undefined) {
    const page: { value?: Entry[]; nextLink?: string } | undefined = await get(next, place);
    if (page?.value === undefined) throw new Error(`no list at ${path.split("?")[0]}`);
    entries.push(...page.value);
    next = page.nextLink?.startsWith(`${ENDPOINT}/`) ? page.nextLink.slice(ENDPOINT.length) : undefined;
  }
  return entries;
}

/** @returns undefined where there is nothing of that name */
async function get<Body>(path: string, { token }: Pick<Place, "token">): Promise<Body | undefined> {
  const headers = { authorization: `Bearer ${token}` };
  let response: Response;
  try {
    response = await fetch(ENDPOINT + path, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    const { cause, message } = error as Error;
    throw new Error(`${ENDPOINT} does not answer: ${cause instanceof Error ? cause.message : message}`);
  }
  if (response.status === 404) return undefined;
  const body: unknown = await response.json().catch(() => undefined);
  if (response.ok && body !== undefined) return body as Body;
  const code = (body as { error?: { code?: string } } | undefined)?.error?.code ?? "";
  throw new Error(`${path.split("?")[0]}: ${response.status} ${code}`.trim());
}
