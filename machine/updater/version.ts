import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Returns the version that the release at a place says it is. */
export function versionAt(place: string): string {
  return JSON.parse(readFileSync(join(place, "package.json"), "utf8")).version;
}
