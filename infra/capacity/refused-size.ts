/**
 * Errors with which Azure refuses to make a machine for its size. Pure.
 * @module
 */
import { type Image, misfit } from "../config/machine-image.ts";
import { SMALL_SIZES } from "./judgement.ts";

/**
 * Codes, and texts of codes that say much else too, from Microsoft's pages: SkuNotAvailable, NotAvailableForSubscription
 * (error-sku-not-available, sku-series-unavailable); a direct request over quota is OperationNotAllowed, with one text in
 * error-resource-quota and another in what Azure answers today, and a template's validation says QuotaExceeded;
 * AllocationFailed and its kin, InvalidParameter and "is not available in the current region" (virtual machines'
 * error-messages). The zonal codes, and "provided for the VM size is not valid", stand in public reports alone.
 * ResourceQuotaExceeded counts resources, whatever their size.
 */
const CODES = new RegExp(
  [
    /SkuNotAvailable|NotAvailableForSubscription|Capacity Restrictions|CapacityNotAvailable/,
    /\bQuotaExceeded|exceeding approved .*quota|exceeding quota limits of .*core/,
    /Allocation ?Failed|Overconstrained(Zonal)?AllocationRequest/,
    /provided for the VM size is not valid|requested (VM )?size \S+ is not available in the current region/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "i",
);

/** Tells whether an error of the provider says that Azure has no such machine, for now or for this subscription. */
export function refusesSize(error: string): boolean {
  return CODES.test(error);
}

/**
 * Returns the cheapest small size of those that Azure's own error lists, for the image's processor.
 * @returns undefined where it lists none
 */
export function amongValid(error: string, size: string, image: Image): string | undefined {
  const valid = /sizes (?:available )?in the current region are: ([\w, ]+)/.exec(error)?.[1]?.split(/, ?/) ?? [];
  return SMALL_SIZES.find((name) => valid.includes(name) && name !== size && misfit(image, name) === undefined);
}
