import { createRequire } from "node:module";

/** The packages with compiled code, which have a lock of their own: the product's own packages have none. */
const HARDWARE = createRequire(new URL("../../hardware/package.json", import.meta.url));

/**
 * Says why a package of hardware/ cannot be had; undefined where it is there.
 * @param kind of keys that wants it, as settings name it
 */
export function missingHardware(kind: string, name: string): string | undefined {
  try {
    HARDWARE.resolve(name);
    return undefined;
  } catch {
    return `keys.kind is ${kind}, and this installation lacks ${name}: in a checkout run \`npm run hardware\`; else take a release that was made with \`npm run release -- --hardware\`.`;
  }
}

/** Loads a package of hardware/. @throws Error where it is not there, or its binary is for another computer */
export function loadHardware(name: string): unknown {
  return HARDWARE(name);
}
