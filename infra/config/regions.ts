/**
 * Azure's regions, by the identifiers that `az account list-locations --query "[].name"` prints. Pure.
 * @module
 */
import { nearest, question } from "../../signer/settings/nearest.ts";

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

const DIRECTIONS = ["north", "south", "east", "west", "central"] as const;

/** What the regions' names are made of: directions, and the places that are left without them. */
const WORDS: readonly string[] = [
  ...DIRECTIONS,
  ...new Set(REGIONS.map((name) => name.replace(new RegExp(`${DIRECTIONS.join("|")}|\\d`, "g"), ""))),
];

/** A name that is put together as Azure puts them together, whether or not there is such a region: `eastus3`, `brazilus`. */
const OF_THEIR_WORDS = new RegExp(`^(${WORDS.join("|")}){2,}\\d*(euap)?$`);

/** Clouds of their own: their vaults and tables have other domain names than this stack and the signer use. */
const OTHER_CLOUDS: readonly (readonly [regions: RegExp, cloud: string])[] = [
  [/^us ?(gov|dod|nat|sec)/i, "Azure Government"],
  [/^china/i, "Azure China"],
];

/**
 * Reads a region. Azure has more of them than this list, and each year another one. So a name that is not known and has
 * the form of one is taken, and warned of (warnings.ts): a wrong one fails at the resource group, before anything is made.
 * What looks like a slip for a known one is not.
 * @throws Error for one of another cloud, for what cannot be a region's name, and for a slip
 */
export function readRegion(text: string): string {
  if (isKnownRegion(text)) return text;
  const cloud = OTHER_CLOUDS.find(([regions]) => regions.test(text))?.[1];
  if (cloud !== undefined) {
    throw new Error(`is a region of ${cloud}, a cloud of its own; this stack is for Azure's public cloud only`);
  }
  if (OF_THEIR_WORDS.test(text)) return text;
  const meant = regionMeantBy(text);
  if (meant === undefined && /^[a-z]{4,}[0-9]*[a-z]*$/.test(text)) return text;
  throw new Error(`is not a region's identifier${question(meant) || "; `az account list-locations` prints them"}`);
}

/** Tells whether a region is in the list above. */
export function isKnownRegion(text: string): boolean {
  return REGIONS.includes(text);
}

/**
 * Finds the region that was meant. Two edits at most: Greece Central is a new region, and not a slip for France Central.
 * @returns undefined where none is near
 */
export function regionMeantBy(text: string): string | undefined {
  return nearest(text, REGIONS, 2);
}
