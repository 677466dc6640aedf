import { Option } from "commander";
import { TokenFault, type TokenFaultKind } from "../../keys/pkcs11/fault.ts";
import { askToken, type TokenAsk } from "../../keys/pkcs11/one-time.ts";
import type { ExitReason } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import { readSettingsFile } from "../settings-source.ts";

/**
 * Defines `--config FILE`, on every command that asks a token: its library, its label and its PIN are those of the
 * signer.
 */
export function configOption(): Option {
  return new Option("--config <file>", "the signer's settings, with keys of kind pkcs11").makeOptionMandatory();
}

/** Defines `--label LABEL` of a key that is to be on the token. */
export function labelOption(): Option {
  return new Option("--label <label>", "the key's label on the token").makeOptionMandatory();
}

/** How each fault ends a command. */
const EXITS: Readonly<Partial<Record<TokenFaultKind, ExitReason>>> = {
  library: "unusable",
  "token-missing": "not-found",
  "key-missing": "not-found",
  "pin-file": "unusable",
  "pin-refused": "refused",
  "pin-locked": "refused",
  refused: "refused",
};

/**
 * Opens the token that settings name, asks it, and closes it. A wrong PIN is tried once.
 * @throws Failure in sentences
 */
export async function withToken<T>(config: string, work: (ask: TokenAsk) => Promise<T>): Promise<T> {
  const { keys } = (await readSettingsFile(config)).current;
  if (keys.kind !== "pkcs11") {
    throw new Failure(
      "unusable",
      `${config} cannot be used:\n  keys.kind: is ${keys.kind}, and a token is of kind pkcs11`,
    );
  }
  try {
    return await askToken(keys, work);
  } catch (error) {
    if (!(error instanceof TokenFault)) throw error;
    throw new Failure(EXITS[error.kind] ?? "unavailable", error.advice, { cause: error });
  }
}
