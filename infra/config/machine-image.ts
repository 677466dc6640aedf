/**
 * The machine's image and size: their names, and how far they must fit each other. Pure.
 * @module
 */
import { didYouMean, question } from "../../signer/settings/nearest.ts";

/** A marketplace image, by the four parts of its URN. */
export interface Image {
  readonly publisher: string;
  readonly offer: string;
  readonly sku: string;
  readonly version: string;
}

type Processor = "x64" | "Arm";

/**
 * Reads an image's URN.
 * @throws Error for another form, and for an image of generation 1
 */
export function readImage(text: string): Image {
  const [publisher, offer, sku, version, ...rest] = text.split(":");
  if (!publisher || !offer || !sku || !version || rest.length > 0) {
    throw new Error("is not publisher:offer:sku:version");
  }
  const second = secondGeneration(offer, sku);
  if (second !== sku) {
    throw new Error(
      `is of generation 1, and the machine's Trusted Launch needs generation 2; take ${publisher}:${offer}:${second}:${version}`,
    );
  }
  return { publisher, offer, sku, version };
}

/** Ubuntu 24.04 and newer mark generation 1; before, generation 2 and Arm were marked. Confidential machines have 2 alone. */
function secondGeneration(offer: string, sku: string): string {
  if (/^0001-com-ubuntu-/i.test(offer)) return /gen2|arm64|cvm/i.test(sku) ? sku : `${sku}-gen2`;
  return sku.replace(/-gen1$/i, "");
}

/**
 * Says why an image does not start on a size: it is for another processor.
 * @returns undefined where it does
 */
export function misfit(image: Image, size: string): string | undefined {
  const [wanted, has] = [processorOfImage(image), processorOfSize(size)];
  if (wanted === has) return undefined;
  return `is for ${wanted}, and ${size} has an ${has} processor; take ${imageFor(size)}`;
}

/** Returns the image of the release that this project is made for, for a size's processor. */
export function imageFor(size: string): string {
  return `Canonical:ubuntu-24_04-lts:${processorOfSize(size) === "Arm" ? "server-arm64" : "server"}:latest`;
}

/** Returns a small size for an image's processor. */
export function sizeFor(image: Image): string {
  return processorOfImage(image) === "Arm" ? "Standard_B2pts_v2" : "Standard_B2ats_v2";
}

/**
 * Says why an image that Azure may well take is not the one that the machine's own files were made for.
 * @returns undefined where it is
 */
export function strangeness({ publisher, offer, sku }: Image): string | undefined {
  if (publisher.toLowerCase() !== "canonical") {
    return `is ${publisher}'s${didYouMean(publisher, ["Canonical"])}: the machine's own files are made for Canonical's Ubuntu, its packages and its cloud-init`;
  }
  if (/cvm|confidential/i.test(`${offer} ${sku}`)) {
    return "is for confidential machines, and this one has Trusted Launch instead: Azure may refuse it";
  }
  const year = /^ubuntu-(\d\d)_/.exec(offer)?.[1];
  if (year === undefined || Number(year) < 24) {
    return "is not Ubuntu 24.04 or newer, which the machine's own files are made for";
  }
  return undefined;
}

function processorOfImage({ sku }: Image): Processor {
  return /arm64/i.test(sku) ? "Arm" : "x64";
}

/** A `p` among the letters after the number of processors means Arm (vm-naming-conventions): Standard_B2pts_v2. */
function processorOfSize(size: string): Processor {
  return /^Standard_[A-Z]+\d+(-\d+)?[a-z]*p[a-z]*(_|$)/.test(size) ? "Arm" : "x64";
}

/** Letters, the number of processors, small letters, and what a part or a version adds (vm-naming-conventions). */
const SIZE = /^Standard_[A-Z]+\d+(-\d+)?[a-z]*(_[A-Za-z0-9]+)*$/;

/**
 * Reads the name of a size, by its form: which sizes there are depends on region and subscription.
 * @throws Error for another form
 */
export function readSize(text: string): string {
  if (SIZE.test(text)) return text;
  throw new Error(`is not a size's name, which begins with Standard_${question(sizeMeantBy(text))}`);
}

/** Spells a size's name as Azure does. @returns undefined where it cannot be one */
export function sizeMeantBy(text: string): string | undefined {
  const spelled = text
    .replace(/^standard[\s_-]*/i, "")
    .replaceAll(/[\s_]+/g, "_")
    .replace(/^([a-z]+)([\d-]+[a-z]*)/i, (_, family: string, size: string) => family.toUpperCase() + size.toLowerCase())
    .replace(/_V(?=\d+$)/, "_v");
  return SIZE.test(`Standard_${spelled}`) ? `Standard_${spelled}` : undefined;
}
