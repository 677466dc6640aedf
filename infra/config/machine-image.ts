/**
 * The machine's image and size, as far as they must fit each other. Pure.
 * @module
 */

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

/** Ubuntu 24.04 and newer mark generation 1; before, generation 2 and Arm were marked. */
function secondGeneration(offer: string, sku: string): string {
  if (/^0001-com-ubuntu-/.test(offer)) return /gen2|arm64/i.test(sku) ? sku : `${sku}-gen2`;
  return sku.replace(/-gen1$/i, "");
}

/**
 * Says why an image does not start on a size: it is for another processor.
 * @returns undefined where it does
 */
export function misfit(image: Image, size: string): string | undefined {
  const [wanted, has] = [processorOfImage(image), processorOfSize(size)];
  if (wanted === has) return undefined;
  const sku = has === "Arm" ? "server-arm64" : "server";
  return `is for ${wanted}, and ${size} has an ${has} processor; take Canonical:ubuntu-24_04-lts:${sku}:latest`;
}

function processorOfImage({ sku }: Image): Processor {
  return /arm64/i.test(sku) ? "Arm" : "x64";
}

/** A `p` among the letters after the number of processors means Arm (vm-naming-conventions): Standard_B2pts_v2. */
function processorOfSize(size: string): Processor {
  return /^Standard_[A-Z]+\d+(-\d+)?[a-z]*p[a-z]*(_|$)/.test(size) ? "Arm" : "x64";
}
