/** Makes this checkout's release, or finds it, and prints its path. */
import { resolve } from "node:path";
import { makeRelease } from "../../release/make.ts";

console.log((await makeRelease(resolve(import.meta.dirname, "../.."), console.error)).file);
