import { readFileSync } from "node:fs";

/** The public test vectors that stand beside the checkout, as they are. */
export const vectors = JSON.parse(readFileSync(new URL("../../../shared/vectors.json", import.meta.url), "utf8"));
