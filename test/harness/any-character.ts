import fc from "fast-check";

const [SURROGATES, COUNT, LAST] = [0xd800, 0x800, 0x10ffff];

/** Any character of Unicode, unassigned ones too. fast-check's own "binary" makes a table of all first, which takes two seconds. */
export const anyCharacter: fc.Arbitrary<string> = fc
  .integer({ min: 0, max: LAST - COUNT })
  .map((at) => String.fromCodePoint(at < SURROGATES ? at : at + COUNT));
