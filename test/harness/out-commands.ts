/**
 * Every command that writes a new file where `--out` says, with what it needs besides to come to that; in the folder of
 * command-place.ts.
 */
export const OUT_COMMANDS: readonly string[] = [
  "watermarks export --config settings.yaml",
  "keys generate --curve P-256",
  "keys convert",
  "keys wrap file --kek file",
  "keys kek create --vault https://name.vault.azure.net",
  "keys kek show --vault https://name.vault.azure.net",
  "settings convert --from tezio file",
];
