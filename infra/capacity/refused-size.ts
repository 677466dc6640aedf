/**
 * Errors with which Azure refuses to make a machine for its size. Pure.
 * @module
 */
import { type Image, misfit } from "../config/machine-image.ts";
import { SMALL_SIZES } from "./judgement.ts";

/** A direct request over quota is `OperationNotAllowed`, as much else is; a template's validation says `QuotaExceeded`. */
const CODES =
  /SkuNotAvailable|QuotaExceeded|Allocation ?Failed|OverconstrainedZonalAllocationRequest|OverconstrainedAllocationRequest|CapacityNotAvailable|exceeding approved .*quota|provided for the VM size is not valid|Capacity Restrictions/i;

/** Whether an error of the provider says that Azure has no such machine, for now or for this subscription. */
export function refusesSize(error: string): boolean {
  return CODES.test(error);
}

/**
 * Returns the cheapest small size of those that Azure's own error lists, for the image's processor.
 * @returns undefined where it lists none
 */
export function amongValid(error: string, size: string, image: Image): string | undefined {
  const valid = /valid sizes in the current region are: ([\w, ]+)/.exec(error)?.[1]?.split(/, ?/) ?? [];
  return SMALL_SIZES.find((name) => valid.includes(name) && name !== size && misfit(image, name) === undefined);
}
