import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { makeHardwareRelease } from "../../release/make.ts";
import { named, type Variant } from "./variants.ts";

let made: Promise<Variant> | undefined;

/** This checkout's release with the packages for tokens, compiled once in a run. */
export function hardwareRelease(): Promise<Variant> {
  made ??= makeHardwareRelease(resolve(import.meta.dirname, "../.."), () => undefined).then(({ file, version }) =>
    named(version, readFileSync(file)),
  );
  return made;
}
