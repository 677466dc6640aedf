/**
 * What Azure offers of machines in a region: sizes, the subscription's quota, images; and what it answers where it does
 * not. Codes and texts are those that its pages and public reports show.
 */
import { ArmError, badRequest, conflict } from "./arm.ts";
import { type Properties, text } from "./properties.ts";

/** A size, as far as the list of SKUs tells of it. */
interface Size {
  readonly family: string;
  readonly vCPUs: number;
  readonly memoryGB: number;
  readonly processor: "x64" | "Arm64";
  readonly generations: string;
  /** MiB; 0 for none. */
  readonly temporaryDisk: number;
  readonly trustedLaunch: boolean;
}

function size(family: string, vCPUs: number, memoryGB: number, more: Partial<Size> = {}): Size {
  const usual = { processor: "x64", generations: "V1,V2", temporaryDisk: 0, trustedLaunch: true } as const;
  return { family, vCPUs, memoryGB, ...usual, ...more };
}

const BS = "standardBSFamily";
const BASV2 = "standardBasv2Family";
const BPSV2 = "standardBpsv2Family";

const SIZES: Readonly<Record<string, Size>> = {
  Standard_B1ls: size(BS, 1, 0.5, { temporaryDisk: 4096 }),
  Standard_B1s: size(BS, 1, 1, { temporaryDisk: 4096 }),
  Standard_B1ms: size(BS, 1, 2, { temporaryDisk: 4096 }),
  Standard_B2s: size(BS, 2, 4, { temporaryDisk: 8192 }),
  Standard_B2ats_v2: size(BASV2, 2, 1),
  Standard_B2als_v2: size(BASV2, 2, 4),
  Standard_B2ts_v2: size("standardBsv2Family", 2, 1),
  Standard_B2pts_v2: size(BPSV2, 2, 1, { processor: "Arm64", generations: "V2" }),
  Standard_B2pls_v2: size(BPSV2, 2, 4, { processor: "Arm64", generations: "V2" }),
  Standard_D2as_v5: size("standardDASv5Family", 2, 8),
  Standard_DC2as_v5: size("standardDCASv5Family", 2, 8, { generations: "V2", trustedLaunch: false }),
  Standard_A1_v2: size("standardAv2Family", 1, 2, { generations: "V1", temporaryDisk: 10_240 }),
};

/** An image, as the list of images tells of it. */
interface Image {
  readonly hyperVGeneration: "V1" | "V2";
  readonly architecture: "x64" | "Arm64";
}

const IMAGES: Readonly<Record<string, Image>> = {
  "canonical:ubuntu-24_04-lts:server": { hyperVGeneration: "V2", architecture: "x64" },
  "canonical:ubuntu-24_04-lts:server-gen1": { hyperVGeneration: "V1", architecture: "x64" },
  "canonical:ubuntu-24_04-lts:server-arm64": { hyperVGeneration: "V2", architecture: "Arm64" },
  "canonical:ubuntu-24_04-lts:minimal": { hyperVGeneration: "V2", architecture: "x64" },
  "canonical:ubuntu-26_04-lts:server": { hyperVGeneration: "V2", architecture: "x64" },
  // One whose name says neither: only the list tells.
  "canonical:ubuntu-odd:one": { hyperVGeneration: "V1", architecture: "x64" },
  "canonical:ubuntu-odd:arm": { hyperVGeneration: "V2", architecture: "Arm64" },
};

const MACHINE = "azure-native:compute:VirtualMachine";

/** A resource that may be a machine. */
interface Resource {
  readonly type: string;
  readonly inputs: Properties;
}

/** Offer and quota of one subscription, the same in all regions that the fake has. */
export class ComputeOffer {
  /** vCPUs that the subscription may have, by family; `cores` is all of a region. */
  readonly limits: Record<string, number> = { cores: 10 };
  /** Sizes that are not in the region's list at all. */
  readonly absent = new Set<string>();
  /** Codes with which Azure refuses a size when it is to be made, while its list says nothing of it. */
  readonly failures = new Map<string, string>();

  /** The answer of Resource SKUs - List. @param refused sizes that the subscription may not have */
  skus(location: string, refused: ReadonlySet<string>): Properties[] {
    return this.#offered().map(([name, size]) => ({
      resourceType: "virtualMachines",
      name,
      family: size.family,
      locations: [location],
      capabilities: [
        { name: "vCPUs", value: String(size.vCPUs) },
        { name: "MemoryGB", value: String(size.memoryGB) },
        { name: "CpuArchitectureType", value: size.processor },
        { name: "HyperVGenerations", value: size.generations },
        { name: "MaxResourceVolumeMB", value: String(size.temporaryDisk) },
        ...(size.trustedLaunch ? [] : [{ name: "TrustedLaunchDisabled", value: "True" }]),
      ],
      restrictions: refused.has(name)
        ? [
            {
              type: "Location",
              values: [location],
              restrictionInfo: { locations: [location] },
              reasonCode: "NotAvailableForSubscription",
            },
          ]
        : [],
    }));
  }

  /** The answer of Usage - List. */
  usages(machines: readonly Resource[]): Properties[] {
    const families = new Set([...Object.values(SIZES).map(({ family }) => family), "cores"]);
    return [...families].map((family) => ({
      unit: "Count",
      currentValue: this.#used(family, machines),
      limit: this.limits[family] ?? 10,
      name: { value: family, localizedValue: `Standard ${family} vCPUs` },
    }));
  }

  /** The answer of Virtual Machine Images - Get. @returns undefined where there is none */
  image(publisher: string, offer: string, sku: string): Properties | undefined {
    return IMAGES[`${publisher}:${offer}:${sku}`.toLowerCase()] as Properties | undefined;
  }

  /**
   * Refuses a machine that is to be made, as the service does.
   * @param machines the others that there are
   * @throws ArmError
   */
  allow(inputs: Properties, refused: ReadonlySet<string>, machines: readonly Resource[]): void {
    const name = text(inputs, "hardwareProfile.vmSize");
    const location = text(inputs, "location");
    const size = this.#offered().find(([offered]) => offered === name)?.[1];
    if (size === undefined) {
      const valid = this.#offered().map(([offered]) => offered);
      throw badRequest(
        "InvalidParameter",
        `The value ${name} provided for the VM size is not valid. The valid sizes in the current region are: ${valid.join(",")}. Find out more on the available VM sizes in each region at https://aka.ms/azure-regions.`,
      );
    }
    if (refused.has(name)) {
      throw conflict(
        "SkuNotAvailable",
        `The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: ${name}' is currently not available in location '${location}'. Please try another size or deploy to a different location or different zone.`,
      );
    }
    for (const family of [size.family, "cores"]) {
      const [used, limit] = [this.#used(family, machines), this.limits[family] ?? 10];
      if (used + size.vCPUs <= limit) continue;
      throw conflict(
        "OperationNotAllowed",
        `Operation could not be completed as it results in exceeding approved ${family} Cores quota. Additional details - Deployment Model: Resource Manager, Location: ${location}, Current Limit: ${limit}, Current Usage: ${used}, Additional Required: ${size.vCPUs}, (Minimum) New Limit Required: ${used + size.vCPUs}.`,
      );
    }
    const reference = ["publisher", "offer", "sku"].map((key) => text(inputs, `storageProfile.imageReference.${key}`));
    const image = IMAGES[reference.join(":").toLowerCase()];
    if (image === undefined) {
      throw new ArmError(404, "PlatformImageNotFound", `The platform image '${reference.join(":")}' is not available.`);
    }
    if (image.architecture !== size.processor) {
      throw badRequest(
        "BadRequest",
        `Cannot create a VM of size '${name}' because this VM size only supports a CPU Architecture of '${size.processor}', but an image or disk with CPU Architecture '${image.architecture}' was given.`,
      );
    }
    if (!size.generations.split(",").includes(image.hyperVGeneration)) {
      throw badRequest(
        "BadRequest",
        `The selected VM size '${name}' cannot boot Hypervisor Generation '${image.hyperVGeneration === "V1" ? 1 : 2}'.`,
      );
    }
    if (image.hyperVGeneration !== "V2" || !size.trustedLaunch) {
      throw badRequest("BadRequest", "Use of TrustedLaunch setting is not supported for the provided image or size.");
    }
    const failure = this.failures.get(name);
    if (failure !== undefined) throw conflict(failure, FAILURES[failure] ?? "Allocation failed.");
  }

  /** Whether a size has a disk that is gone with its host. */
  hasTemporaryDisk(name: string): boolean {
    return (SIZES[name]?.temporaryDisk ?? 0) > 0;
  }

  #offered(): [string, Size][] {
    return Object.entries(SIZES).filter(([name]) => !this.absent.has(name));
  }

  #used(family: string, machines: readonly Resource[]): number {
    const sizes = machines
      .filter(({ type }) => type === MACHINE)
      .flatMap(({ inputs }) => SIZES[text(inputs, "hardwareProfile.vmSize")] ?? []);
    return sizes
      .filter((size) => family === "cores" || size.family === family)
      .reduce((sum, { vCPUs }) => sum + vCPUs, 0);
  }
}

const FAILURES: Readonly<Record<string, string>> = {
  AllocationFailed:
    "Allocation failed. We do not have sufficient capacity for the requested VM size in this region. Read more about improving likelihood of allocation success at https://aka.ms/allocation-guidance",
  ZonalAllocationFailed:
    "Allocation failed. We do not have sufficient capacity for the requested VM size in this zone. Read more about improving likelihood of allocation success at https://aka.ms/allocation-guidance",
  OverconstrainedAllocationRequest:
    "Allocation failed. VM(s) with the following constraints cannot be allocated, because the condition is too restrictive. Please remove some constraints and try again. Constraints applied are: VM Size",
  QuotaExceeded:
    "Operation could not be completed as it results in exceeding approved Total Regional Cores quota. Please read more about quota limits.",
};
