import { access, constants } from "node:fs/promises";
import { resolve } from "node:path";
import { reasonOf, StartError } from "../../errors.ts";
import { missingDriver } from "./driver.ts";
import type { TokenFault } from "./fault.ts";
import type { TokenPlace } from "./messages.ts";
import { readPin } from "./pin.ts";

/** A token as settings name it: `keys` of kind pkcs11. */
export interface TokenSettings {
  readonly module: string;
  readonly slot?: number | undefined;
  readonly tokenLabel?: string | undefined;
  readonly pin: { readonly file: string };
}

/**
 * Names the token that settings mean.
 * @throws StartError where the package, the vendor's library or the PIN cannot be had
 */
export async function tokenPlace({ module, slot, tokenLabel, pin }: TokenSettings): Promise<TokenPlace> {
  const missing = missingDriver();
  if (missing !== undefined) throw new StartError("unusable", missing);
  // A name without a slash would be looked for in the system's folders of libraries.
  const path = resolve(module);
  await access(path, constants.R_OK).catch((error: Error) => {
    throw new StartError("unusable", `keys.module cannot be read: ${path}: ${reasonOf(error)}.`, { cause: error });
  });
  await readPin(pin.file).catch((error: TokenFault) => {
    throw new StartError("unusable", error.message, { cause: error });
  });
  return { module: path, slot, tokenLabel };
}
