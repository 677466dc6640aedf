import { InvalidArgumentError, Option } from "commander";
import { readServiceUrl } from "../../network/url.ts";
import { Failure } from "../failure.ts";

/** Defines `--vault URL`, on every command that talks to one. */
export function vaultOption(): Option {
  return new Option("--vault <url>", "the vault, as https://NAME.vault.azure.net")
    .argParser(parseVaultUrl)
    .makeOptionMandatory();
}

/** Defines `--name NAME` of a key in the vault. */
export function nameOption(): Option {
  return new Option("--name <name>", "the key's name in the vault").argParser(parseKeyName).makeOptionMandatory();
}

/** Reads a vault's address. @returns scheme and host alone. Plain http is for an emulator on this computer. */
export function parseVaultUrl(text: string): string {
  const url = readServiceUrl(text, { plainHttp: "loopback", path: "refused" });
  if (url instanceof URL) return url.origin;
  // Commander's own error repeats what was given, and that may hold a password.
  throw new Failure("usage", `--vault: give the vault's address, such as https://NAME.vault.azure.net; ${url.fault}.`);
}

/** Holds a name to Key Vault's rule for the names of keys: 1 to 127 letters, digits and dashes. */
export function parseKeyName(text: string): string {
  if (!/^[0-9A-Za-z-]{1,127}$/.test(text)) {
    throw new InvalidArgumentError("A key's name has 1 to 127 letters, digits and dashes.");
  }
  return text;
}
