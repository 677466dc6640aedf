/**
 * The machine: size, image and the quota of processors, by what capacity/ asks before a machine is replaced.
 * @module
 */
import { z } from "zod";
import { read } from "../arm/answer.ts";
import { get } from "../arm/client.ts";
import { offered } from "../capacity/ask-compute.ts";
import { find, misfits, type Offer, type OfferedSize, overQuota, successor } from "../capacity/judgement.ts";
import { type Image, imageFor } from "../config/machine-image.ts";
import { places } from "../config/pair.ts";
import { askForMore } from "./quota-request.ts";
import { type Check, type Facts, notKnown, notOk, ok, type Row, same, stands } from "./row.ts";

const MACHINES_OF = "Microsoft.Compute/virtualMachines";

/** A size that is to be had instead, as a command; where there is none, what shows more. */
function otherSize(size: string, offer: Offer, location: string): string {
  const other = successor(size, offer);
  if (other !== undefined) return `pulumi config set vmSize ${other}`;
  return `az vm list-skus --location ${location} --size Standard_B --output table`;
}

/** Another size within its quota, or more of the first quota that is too small. */
function moreCores(
  found: OfferedSize,
  offer: Offer,
  { subscription, settings }: Pick<Facts, "subscription" | "settings">,
  count: number,
): string {
  const other = successor(found.name, offer);
  if (other !== undefined) return `pulumi config set vmSize ${other}`;
  const quotas = [...offer.quotas].filter(([name]) => same(name, found.family) || name === "cores");
  const [name, { used }] = quotas.find(([, { used, limit }]) => limit - used < count * found.vCPUs) ?? [
    found.family,
    { used: 0 },
  ];
  return askForMore(subscription, "Microsoft.Compute", settings.location, name, used + count * found.vCPUs);
}

/** Judges the three rows. */
export function machine(offer: Offer, facts: Pick<Facts, "subscription" | "settings" | "standing">): Row[] {
  const { vmSize: size, image, location } = facts.settings;
  const found = find(offer, size);
  if (found === undefined) {
    return [
      notOk("size", `there is no size ${size} in ${location}`, otherSize(size, offer, location)),
      imageRow(offer, size, image),
      notKnown("cores", "the size is not to be had"),
    ];
  }
  const all = places(facts.settings);
  const count = all.filter(({ suffix }) => !stands(facts, `${MACHINES_OF}/signer${suffix}`)).length;
  const broken = count === 0 ? [] : [...overQuota(found, offer, undefined, count)];
  return [
    found.refused === undefined
      ? ok(
          "size",
          all.some(({ zone }) => zone !== undefined)
            ? `${size} is sold in ${location}, without a restriction; whether in the zones 1 and 2 is not asked`
            : `${size} is sold in ${location}, without a restriction; the machine names no zone`,
        )
      : notOk(
          "size",
          `this subscription does not get ${size} in ${location} (${found.refused})`,
          otherSize(size, offer, location),
        ),
    imageRow(offer, size, image),
    broken.length === 0
      ? ok(
          "cores",
          count === 0 ? "the machine stands, and has its own" : `${count * found.vCPUs} vCPUs, within the quotas`,
        )
      : notOk("cores", broken.join("; "), moreCores(found, offer, facts, count)),
  ];
}

function imageRow(offer: Offer, size: string, image: Image): Row {
  const text = `${image.publisher}:${image.offer}:${image.sku}:${image.version}`;
  const usual = `pulumi config set image ${imageFor(size)}`;
  if (offer.image === undefined) return notOk("image", `there is no image ${text} in this region`, usual);
  const found = find(offer, size);
  const broken = found === undefined ? [] : [...misfits(found, offer.image)];
  return broken.length === 0 ? ok("image", text) : notOk("image", `${text}: ${broken.join("; ")}`, usual);
}

export const MACHINES: Check = {
  rows: ["size", "image", "cores"],
  async examine(facts: Facts) {
    const { settings, subscription, asker } = facts;
    const { image, location } = settings;
    const offer = await offered({ subscription, location, ...asker }, image);
    return machine(offer, facts);
  },
};

/** Virtual Machine Images - List and Get (Microsoft.Compute, 2024-11-01). */
const VERSION = "2024-11-01";

const Version = z.object({
  properties: z.object({ plan: z.object({ product: z.string() }).nullish() }),
});

/** Judges the image's terms. One that is bought names a plan, and the machine that the stack makes names none. */
export function terms({ properties }: z.output<typeof Version>, size: string): Row {
  const product = properties.plan?.product;
  if (product === undefined) return ok("image's terms", "there is nothing to accept");
  const says = `the image is ${product}, which is bought with a plan, and the machine names none: Azure would refuse it`;
  return notOk("image's terms", says, `pulumi config set image ${imageFor(size)}`);
}

export const TERMS: Check = {
  rows: ["image's terms"],
  async examine({ settings, subscription, asker }: Facts) {
    const { publisher, offer, sku, version } = settings.image;
    const names = [publisher, offer, sku].map(encodeURIComponent);
    const versions = `${subscription}/providers/Microsoft.Compute/locations/${settings.location}/publishers/${names[0]}/artifacttypes/vmimage/offers/${names[1]}/skus/${names[2]}/versions`;
    const newest = `${versions}?api-version=${VERSION}&$top=1&$orderby=${encodeURIComponent("name desc")}`;
    const listed = z.array(z.object({ name: z.string() }));
    const chosen =
      version === "latest" ? read(listed, (await get(newest, asker)) ?? [], "the list of images")[0]?.name : version;
    if (chosen === undefined) return [notKnown("image's terms", "there is no such image")];
    const found = await get(`${versions}/${encodeURIComponent(chosen)}?api-version=${VERSION}`, asker);
    if (found === undefined) return [notKnown("image's terms", "there is no such image")];
    return [terms(read(Version, found, "the image"), settings.vmSize)];
  },
};
