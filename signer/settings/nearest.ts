/**
 * Finds what a person meant by a name that is not known. Pure.
 * @module
 */

/** Names that people use for others, by habit or from older versions of Tezos; no distance would find them. */
const ALSO_CALLED: Readonly<Record<string, string>> = {
  transfer: "transaction",
  endorsement: "attestation",
  preendorsement: "preattestation",
  mainnet: "NetXdQprcVkpaWU",
  shadownet: "NetXsqzbfFenSTS",
  operator: "keyImporter",
  yes: "true",
  on: "true",
  1: "true",
  no: "false",
  off: "false",
  0: "false",
  standardlrs: "LRS",
  standardzrs: "ZRS",
  tz3: "P-256",
  prime256v1: "P-256",
  secp256r1: "P-256",
  tz2: "P-256K",
  secp256k1: "P-256K",
};

/**
 * Finds the known name that is nearest to a given one: one edit in four letters at most, whatever its case. So of up to
 * three letters nothing is near but another spelling: GRS is no slip for LRS.
 * @param most as many edits at most, where the known names are not all that there are
 * @returns undefined where none is near
 */
export function nearest(given: string, known: readonly string[], most = Number.POSITIVE_INFINITY): string | undefined {
  const word = plain(given);
  const alias = ALSO_CALLED[word];
  if (alias !== undefined && known.includes(alias)) return alias;
  const limit = Math.min(most, Math.floor(word.length / 4));
  let best: string | undefined;
  let least = limit + 1;
  for (const name of known) {
    const other = plain(name);
    // Names whose lengths differ by more than the limit cannot be near.
    if (Math.abs(other.length - word.length) > limit) continue;
    const found = distance(word, other);
    if (found < least) [best, least] = [name, found];
  }
  return best;
}

/** Writes the guess as the end of a sentence: `; did you mean block?`, or nothing where no name is near. */
export function didYouMean(given: string, known: readonly string[]): string {
  return question(nearest(given, known));
}

/** Writes what somebody may have meant as the end of a sentence. */
export function question(meant: string | undefined): string {
  return meant === undefined ? "" : `; did you mean ${meant}?`;
}

/** `North Europe` and `northeurope` are one name. */
function plain(text: string): string {
  return text.toLowerCase().replace(/[\s_-]/g, "");
}

/** Counts letters to insert, remove, change, or swap with their neighbour (optimal string alignment). */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, at) => at)];
  const at = (row: number, column: number) => rows[row]?.[column] ?? 0;
  for (let i = 1; i <= a.length; i++) {
    rows[i] = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      const costs = [at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + change];
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) costs.push(at(i - 2, j - 2) + 1);
      rows[i]?.push(Math.min(...costs));
    }
  }
  return at(a.length, b.length);
}
