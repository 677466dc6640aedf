/**
 * Loaded first (`--import`) into a program whose screen a page shows: its clock stands at STANDING_CLOCK (ISO 8601), and what
 * it would draw by lot is always the same, so that the screen is.
 * @module
 */
import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";

const NOW = Date.parse(process.env.STANDING_CLOCK ?? "");
if (Number.isNaN(NOW)) throw new Error("STANDING_CLOCK is no time");

globalThis.Date = class extends Date {
  static now() {
    return NOW;
  }

  constructor(...given) {
    super(...(given.length === 0 ? [NOW] : given));
  }
};
globalThis.crypto.randomUUID = () => "5f0c7a1e-9b7d-4a65-a977-bf0a6d85f2ed";
// Where the marked characters of a digest begin.
crypto.randomInt = (below) => below - 12;
syncBuiltinESMExports();
