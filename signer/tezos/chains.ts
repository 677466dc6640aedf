/**
 * Chains that have a name beside their id: what octez's nodes call them, and teztnets.com publishes.
 * @module
 */
export const CHAINS = {
  mainnet: "NetXdQprcVkpaWU",
  ghostnet: "NetXnHfVqm9iesp",
  shadownet: "NetXsqzbfFenSTS",
} as const;

const NAMES: ReadonlyMap<string, string> = new Map(Object.entries(CHAINS).map(([name, id]) => [id, name]));

/** Returns the id of a chain that is given by its name; any other text as it is. */
export function chainIdOf(text: string): string {
  return Object.hasOwn(CHAINS, text) ? CHAINS[text as keyof typeof CHAINS] : text;
}

/** Puts the name behind each chain's id in a text, where the chain has one: `NetXdQprcVkpaWU (mainnet)`. */
export function withChainNames(text: string): string {
  return text.replaceAll(/\bNet[1-9A-HJ-NP-Za-km-z]{12}\b/g, (id) => {
    const name = NAMES.get(id);
    return name === undefined ? id : `${id} (${name})`;
  });
}
