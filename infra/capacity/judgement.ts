/**
 * Whether Azure has a machine of a size and an image, and which other size it has instead. Pure.
 * @module
 */

/** A size that a region offers, as its list of SKUs tells. */
export interface OfferedSize {
  readonly name: string;
  /** Under which the quota counts it. */
  readonly family: string;
  readonly vCPUs: number;
  readonly memoryGB: number;
  readonly processor: string;
  /** Of Hyper-V: `V1`, `V2`. */
  readonly generations: readonly string[];
  readonly trustedLaunch: boolean;
  /** Why this subscription does not get it here; undefined where it does. */
  readonly refused: string | undefined;
}

/** An image, as the list of images tells. */
export interface OfferedImage {
  readonly processor: string;
  readonly generation: string;
}

/** vCPUs of a family, or of a region. */
export interface Quota {
  readonly used: number;
  readonly limit: number;
}

/** What Azure has for a subscription in a region. */
export interface Offer {
  readonly sizes: readonly OfferedSize[];
  /** By family; all of the region together is `cores`. */
  readonly quotas: ReadonlyMap<string, Quota>;
  /** The image that is wanted; undefined where there is none of that name. */
  readonly image: OfferedImage | undefined;
}

/** In these a subscription takes what is new; in others it still deletes (subscription-states). */
const OPEN = ["Enabled", "Warned", "PastDue"];

/** Tells whether a subscription of that state is closed to whatever is new. */
export function isClosed(subscription: string): boolean {
  return !OPEN.some((state) => same(state, subscription));
}

/**
 * Small sizes that run a signer, the cheapest first by East US list price; those of Arm for images of Arm. Each has a
 * GB of memory at least, which is what the machine's own files are made for (Azure's pages bv1-, basv2-, bsv2- and
 * bpsv2-series). An hour in US dollars: B2ats_v2 0.0094, B1s 0.0104, B1ms 0.0207, B2als_v2 0.0376, B2s 0.0416, B2as_v2
 * 0.0752, D2as_v5 0.086, D2s_v5 0.096, as docs/cost.md and public programs have them; for Intel's and Arm's sizes of the
 * second version no source was found, and they stand beside AMD's of the same memory. A wrong order names a size that
 * costs some dollars more.
 */
export const SMALL_SIZES = [
  "Standard_B2pts_v2",
  "Standard_B2ats_v2",
  "Standard_B1s",
  "Standard_B2ts_v2",
  "Standard_B1ms",
  "Standard_B2pls_v2",
  "Standard_B2als_v2",
  "Standard_B2s",
  "Standard_B2ls_v2",
  "Standard_B2ps_v2",
  "Standard_B2as_v2",
  "Standard_B2s_v2",
  "Standard_D2as_v5",
  "Standard_D2s_v5",
];

/**
 * Says why Azure would not make a machine.
 * @param size that is wanted
 * @param instead size of the machine that goes first, whose vCPUs are free then; undefined where none goes
 * @returns a sentence each; none where Azure would make it, as far as it tells beforehand
 */
export function objections(size: string, offer: Offer, instead?: string): string[] {
  const offered = find(offer, size);
  if (offered === undefined) return [`there is no size ${size} in this region`];
  if (offer.image === undefined) return ["there is no such image in this region"];
  return [
    ...(offered.refused === undefined ? [] : [`this subscription does not get ${size} here (${offered.refused})`]),
    ...misfits(offered, offer.image),
    ...overQuota(offered, offer, instead),
  ];
}

/** Says why a size does not start an image. */
export function* misfits(
  { name, processor, generations, trustedLaunch }: OfferedSize,
  image: OfferedImage,
): Iterable<string> {
  if (image.processor !== processor) yield `the image is for ${image.processor}, and ${name} is ${processor}`;
  if (image.generation !== "V2") yield `the image is of generation ${image.generation}, and Trusted Launch needs V2`;
  if (!generations.includes(image.generation)) yield `${name} does not start images of generation ${image.generation}`;
  if (!trustedLaunch) yield `${name} has no Trusted Launch`;
}

/** Says which quota is too small. @param instead as for `objections` @param count of machines that are to be made */
export function* overQuota(size: OfferedSize, { sizes, quotas }: Offer, instead?: string, count = 1): Iterable<string> {
  const freed = sizes.find(({ name }) => same(name, instead ?? ""));
  for (const family of [size.family, "cores"]) {
    const quota = [...quotas].find(([name]) => same(name, family))?.[1];
    if (quota === undefined) continue;
    const free = freed !== undefined && (family === "cores" || same(freed.family, family)) ? freed.vCPUs : 0;
    const left = quota.limit - quota.used + free;
    if (left >= count * size.vCPUs) continue;
    const what = family === "cores" ? "the region" : family;
    const machines = count === 1 ? `${size.name} has` : `${count} of ${size.name} have`;
    yield `${machines} ${count * size.vCPUs} vCPUs, and the quota of ${what} leaves ${Math.max(0, left)} of ${quota.limit}`;
  }
}

/**
 * Returns the cheapest size that this subscription gets, that starts the image, and that has no less memory.
 * @param size that is not to be had
 */
export function successor(size: string, offer: Offer, instead?: string): string | undefined {
  const memory = find(offer, size)?.memoryGB ?? 0;
  return SMALL_SIZES.find((name) => {
    const offered = find(offer, name);
    if (offered === undefined || same(name, size) || offered.memoryGB < memory) return false;
    return objections(name, offer, instead).length === 0;
  });
}

/** Returns a size that the region has. */
export function find({ sizes }: Offer, size: string): OfferedSize | undefined {
  return sizes.find(({ name }) => same(name, size));
}

/** Azure's names are the same in any case. */
function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
