import { MAX_LENGTH } from "../secrets.ts";
import type { Converted } from "./conversion.ts";
import { convertLattejed } from "./lattejed.ts";
import { convertOctezSigner } from "./octez-signer.ts";
import { convertSignatory } from "./signatory.ts";
import { convertTacoinfra } from "./tacoinfra.ts";
import { convertTezio } from "./tezio.ts";
import { convertTezzigator } from "./tezzigator.ts";

/** A signer whose settings can be converted. */
export interface SettingsSource {
  /** @param others the files after the first @throws ConversionError naming the place */
  convert(text: string, others: readonly string[]): Converted;
  /** What to give, in words. */
  readonly file: string;
  /** How many files it may have. */
  readonly files: number;
}

/** Characters that one file may have. */
export const MOST_CHARACTERS = MAX_LENGTH;

/** By the name that a user gives them. */
export const SETTINGS_SOURCES = {
  signatory: { convert: convertSignatory, file: "Signatory's YAML file", files: 1 },
  tezio: { convert: convertTezio, file: "its config.yaml", files: 1 },
  lattejed: { convert: convertLattejed, file: "the guide's signer's systemd unit, or its command line", files: 1 },
  tacoinfra: { convert: convertTacoinfra, file: "its keys.json", files: 1 },
  tezzigator: { convert: convertTezzigator, file: "its signer.py", files: 1 },
  "octez-signer": {
    convert: convertOctezSigner,
    file: "its systemd unit or command line, and BASE_DIR/authorized_keys with --require-authentication",
    files: 2,
  },
} as const satisfies Record<string, SettingsSource>;

export type SettingsSourceName = keyof typeof SETTINGS_SOURCES;
