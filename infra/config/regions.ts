/**
 * Azure's regions, by the identifiers that `az account list-locations --query "[].name"` prints. Pure.
 * @module
 */
import { didYouMean } from "./nearest.ts";

/** The public cloud's regions in November 2026. Azure adds one or two a year: add them here. */
const REGIONS = `
  australiacentral australiacentral2 australiaeast australiasoutheast austriaeast belgiumcentral brazilsouth
  brazilsoutheast canadacentral canadaeast centralindia centralus chilecentral denmarkeast eastasia eastus eastus2
  francecentral francesouth germanynorth germanywestcentral indiasouthcentral indonesiacentral israelcentral
  italynorth japaneast japanwest jioindiacentral jioindiawest koreacentral koreasouth malaysiawest mexicocentral
  newzealandnorth northcentralus northeurope norwayeast norwaywest polandcentral qatarcentral southafricanorth
  southafricawest southcentralus southeastasia southindia spaincentral swedencentral swedensouth switzerlandnorth
  switzerlandwest uaecentral uaenorth uksouth ukwest westcentralus westeurope westindia westus westus2 westus3
`
  .trim()
  .split(/\s+/);

/** Clouds of their own: their vaults and tables have other domain names than this stack and the signer use. */
const OTHER_CLOUDS: readonly (readonly [regions: RegExp, cloud: string])[] = [
  [/^us ?(gov|dod|nat|sec)/i, "Azure Government"],
  [/^china/i, "Azure China"],
];

/**
 * Reads a region.
 * @throws Error for one of another cloud, and for a name that is not known
 */
export function readRegion(text: string): string {
  if (REGIONS.includes(text)) return text;
  const cloud = OTHER_CLOUDS.find(([regions]) => regions.test(text))?.[1];
  if (cloud !== undefined) {
    throw new Error(`is a region of ${cloud}, a cloud of its own; this stack is for Azure's public cloud only`);
  }
  const guess = didYouMean(text, REGIONS);
  throw new Error(
    `is not a region's identifier${guess || "; `az account list-locations` prints them, and infra/config/regions.ts lists those that are known here"}`,
  );
}
