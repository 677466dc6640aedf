import { z } from "zod";
import { ownCommand } from "../../own-command.ts";
import { type Conversion, ConversionError } from "./conversion.ts";
import { noteUnknown, readDocumentPart } from "./document.ts";

const vault = z.looseObject({ driver: z.string(), config: z.unknown().optional() });
/** Signatory's vaults by name; what is in `config` is up to the driver. */
export const vaults = z.record(z.string(), vault);

/** pkg/vault/azure/azure.go and auth/auth.go */
const azure = z.looseObject({ vault: z.string() });
/** What `azure` signs in with: names that are told, values that are not copied. */
const SIGN_IN = [
  ...["tenant_id", "client_id", "client_secret", "client_pkcs12_certificate", "client_certificate"],
  ...["client_certificate_thumbprint", "client_private_key", "decrypt_password"],
];
/** pkg/vault/pkcs11/vault.go and docs/pkcs11.md. An id is a text there, whatever it looks like; to YAML 0102 is 102. */
const id = z.string({ error: "must be in quotes, as it stands there: a number loses its zeros" });
const locator = z.looseObject({ label: z.string().optional(), id: id.optional() });
const keyPair = z.looseObject({ private: locator.nullish(), public: locator.nullish() });
const pkcs11 = z.looseObject({
  library_path: z.string().optional(),
  slot: z.int().min(0).optional(),
  keys: z.array(keyPair).nullish(),
});

/** How the two halves of a pair are found. Here the public one is that of the private one's CKA_ID, label or own attribute. */
const KNOWN_OF_PAIR = [...Object.keys(keyPair.shape), "extended_private", "public_value"];
const KNOWN_OF_TOKEN = [...Object.keys(pkcs11.shape), "pin", "public_keys_search_options"];
const KNOWN_OF_AZURE = [...Object.keys(azure.shape), ...SIGN_IN, "resource_group", "subscription_id"];

/** pkg/vault/, of v1.4.0 */
const KNOWN_DRIVERS = [
  ...["awskms", "cloudkms", "confidentialspace", "file", "hashicorpvault", "ledger", "mem", "nitro", "yubihsm"],
];

const HARDWARE: Readonly<Record<string, string>> = {
  yubihsm: "a YubiHSM 2 is reached by its PKCS#11 library (docs/hsm.md): put its settings into `keys`",
};

/** Converts the one vault that this signer can have, and notes what becomes of the others. */
export function convertVaults(all: z.output<typeof vaults>, conversion: Conversion): void {
  const entries = Object.entries(all);
  const chosen = entries.find(([, { driver }]) => ["azure", "pkcs11"].includes(driver)) ?? entries[0];
  for (const [name, given] of entries) {
    const { driver, config } = given;
    const place = `vaults.${name}`;
    noteUnknown(conversion, given, Object.keys(vault.shape), `${place}.`);
    if (name !== chosen?.[0]) {
      conversion.note("lost", place, "one signer has one place for its keys: convert this file again for this one's.");
    } else if (driver === "azure")
      convertAzure(readDocumentPart(azure, config, `${place}.config`), `${place}.config`, conversion);
    else if (driver === "pkcs11")
      convertToken(readDocumentPart(pkcs11, config ?? {}, `${place}.config`), `${place}.config`, conversion);
    else noteOther(driver, place, conversion);
  }
}

function convertAzure(config: z.output<typeof azure>, place: string, conversion: Conversion): void {
  noteUnknown(conversion, config, KNOWN_OF_AZURE, `${place}.`);
  conversion.settings.keys = { kind: "azure-key-vault", vault: config.vault.replace(/\/+$/, "") };
  const given = SIGN_IN.filter((name) => config[name] !== undefined && config[name] !== "");
  conversion.note(
    "by-hand",
    [place, given.join(", ")].filter(Boolean).join("."),
    "no secret signs in here, and none is copied: the machine's own identity does (`get`, `list` and `sign` on the vault's keys), or `az login` with credential: default. Delete the old sign-in afterwards.",
  );
  if (config.resource_group !== undefined || config.subscription_id !== undefined) {
    conversion.note(
      "lost",
      `${place}.resource_group`,
      "was for the health of the vault; /readyz asks the vault itself.",
    );
  }
}

function convertToken(config: z.output<typeof pkcs11>, place: string, conversion: Conversion): void {
  noteUnknown(conversion, config, KNOWN_OF_TOKEN, `${place}.`);
  const { library_path: module, slot, keys } = config;
  if (module === undefined) throw new ConversionError(`${place}.library_path: is missing; PKCS11_PATH named it.`);
  const include = keys?.map((pair, at) => convertPair(pair, `${place}.keys.${at}`, conversion)) ?? [];
  conversion.settings.keys = {
    kind: "pkcs11",
    module,
    slot: slot ?? 0,
    pin: { file: "pin" },
    ...(include.length > 0 && { include }),
  };
  conversion.note("by-hand", `${place}.pin`, "is not copied: write the PIN into the file of keys.pin, mode 600.");
  if (slot === undefined) {
    conversion.note(
      "by-hand",
      `${place}.slot`,
      "was the first with a token: put in its number, or tokenLabel in its place.",
    );
  }
}

/** Returns by what name a pair's private key is served. An id is one key's, a label may be several keys'. @throws ConversionError */
function convertPair(pair: z.output<typeof keyPair>, place: string, conversion: Conversion): string {
  noteUnknown(conversion, pair, KNOWN_OF_PAIR, `${place}.`);
  for (const half of ["private", "public"] as const) {
    noteUnknown(conversion, pair[half] ?? {}, Object.keys(locator.shape), `${place}.${half}.`);
  }
  const { label = "", id: hex = "" } = pair.private ?? {};
  if (hex === "" && label === "") throw new ConversionError(`${place}.private: has neither label nor id.`);
  if (hex === "") return label;
  if (label !== "") conversion.note("laxer", `${place}.private.label`, "is not asked for: the id alone finds the key.");
  return `id:${hex}`;
}

function noteOther(driver: string, place: string, conversion: Conversion): void {
  const way =
    HARDWARE[driver] ??
    (["file", "mem"].includes(driver)
      ? `its secret keys are not copied: bring each tz2 and tz3 key with \`${ownCommand("keys convert")}\`, into keys.path, a token or a vault (docs/keys.md)`
      : "this signer does not reach it. Where its keys cannot be read out, the baker announces a new consensus key (docs/coming-from.md)");
  const shown = KNOWN_DRIVERS.includes(driver) ? `${driver}: ` : "";
  conversion.note("by-hand", `${place}.driver`, `${shown}${way}.`);
}
