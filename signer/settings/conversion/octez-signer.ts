import { z } from "zod";
import { ownCommand } from "../../own-command.ts";
import { readMagicBytes, readOptions, readPort, readStartLine } from "./command-line.ts";
import { Conversion, ConversionError, type Converted } from "./conversion.ts";
import { readDocument } from "./document.ts";
import { allowedByMagic, EVERYTHING, noteDrain } from "./permissions.ts";

const taking = (name: string) => ({ name, value: true });
const bare = (name: string) => ({ name, value: false });
const OPTIONS = {
  "-d": taking("base-dir"),
  "--base-dir": taking("base-dir"),
  "-A": bare("require-authentication"),
  "--require-authentication": bare("require-authentication"),
  "-f": taking("password-filename"),
  "--password-filename": taking("password-filename"),
  "--password-file": taking("password-filename"),
  "-P": taking("pidfile"),
  "--pidfile": taking("pidfile"),
  "-M": taking("magic-bytes"),
  "--magic-bytes": taking("magic-bytes"),
  "-W": bare("check-high-watermark"),
  "--check-high-watermark": bare("check-high-watermark"),
  "--allow-list-known-keys": bare("allow-list-known-keys"),
  "--allow-to-prove-possession": bare("allow-to-prove-possession"),
  "-a": taking("address"),
  "--address": taking("address"),
  "-p": taking("port"),
  "--port": taking("port"),
} as const;

/** BASE_DIR/authorized_keys, a list of aliases. */
const authorizedKeys = z.array(z.looseObject({ name: z.string(), value: z.string() }));

/**
 * Converts how octez-signer was started (bin_signer/main_signer.ml): a systemd unit, a script or the command line.
 * @param others its file authorized_keys, which it needs with --require-authentication
 */
export function convertOctezSigner(text: string, others: readonly string[]): Converted {
  const start = readStartLine(
    text,
    /\b(?:octez|tezos)-signer\b.*\blaunch\b/,
    "octez-signer launch http signer -a 0.0.0.0 -W",
  );
  const program = start.words.findIndex((word) => /(?:octez|tezos)-signer$/.test(word));
  const { options, rest } = readOptions(start.words.slice(program + 1), OPTIONS);
  const [launch, scheme = "", signer, cert, key] = rest;
  if (launch !== "launch" || signer !== "signer" || !["http", "https"].includes(scheme)) {
    throw new ConversionError(
      `launch ${scheme} signer: this signer speaks http and https; clients of a socket change the URL that they ask.`,
    );
  }
  const conversion = new Conversion();
  const { settings } = conversion;
  const variable = (what: string) => start.environment.get(`TEZOS_SIGNER_${scheme.toUpperCase()}_${what}`);
  conversion.listenAt(
    String(options.get("address") ?? variable("HOST") ?? "localhost"),
    readPort(options.get("port") ?? variable("PORT"), "--port", scheme === "https" ? 443 : 6732),
    "--address",
  );
  if (scheme === "https" && cert !== undefined && key !== undefined) settings.listen.tls = { cert, key };
  settings.policy.default = { allow: allowedBy(options.get("magic-bytes"), conversion) };
  if (options.has("allow-list-known-keys")) settings.listKnownKeys = true;
  if (options.has("require-authentication")) authenticate(conversion, others);
  noteTheRest(conversion, options);
  return conversion.done();
}

function allowedBy(magic: string | true | undefined, conversion: Conversion) {
  if (typeof magic === "string") {
    return allowedByMagic(readMagicBytes(magic, "--magic-bytes"), conversion, "--magic-bytes");
  }
  noteDrain(conversion, "--magic-bytes");
  conversion.note(
    "by-hand",
    "--magic-bytes",
    "was not given, so everything was signed, and `allow` has all of it: take out what the key need not sign. A consensus key needs block, preattestation and attestation.",
  );
  return [...EVERYTHING];
}

function authenticate(conversion: Conversion, [text]: readonly string[]): void {
  if (text === undefined) {
    throw new ConversionError(
      "--require-authentication: whose signatures it takes stands in BASE_DIR/authorized_keys. Give that file too, after this one.",
    );
  }
  const values = readDocument(authorizedKeys, text).map(({ value }) => value);
  const known = values.filter((value) => /^(edpk|sppk|p2pk)/.test(value));
  if (known.length < values.length) {
    conversion.note("stricter", "authorized_keys", "a client's key that is no edpk…, sppk… or p2pk… is left out.");
  }
  conversion.settings.authentication = { keys: known };
}

function noteTheRest(conversion: Conversion, options: ReadonlyMap<string, string | true>): void {
  const base = "BASE_DIR";
  if (!options.has("check-high-watermark")) {
    conversion.note("stricter", "--check-high-watermark", "was not given: watermarks are always checked here.");
    conversion.note("by-hand", base, 'it kept no record without that option: docs/coming-from.md, "octez-signer".');
  } else {
    conversion.note(
      "by-hand",
      base,
      `take its record over: \`${ownCommand("watermarks import --from octez BASE_DIR")}\`, once it is stopped for good.`,
    );
  }
  if (options.has("allow-to-prove-possession")) {
    conversion.note("lost", "--allow-to-prove-possession", "is about tz4 keys, which this signer has not.");
  }
  if (options.has("pidfile")) conversion.note("lost", "--pidfile", "systemd knows the process.");
  if (options.has("password-filename")) {
    conversion.note("by-hand", "--password-filename", "is not read, nor is its file.");
  }
  conversion.note(
    "by-hand",
    "keys",
    `bring each tz2 and tz3 key of BASE_DIR/secret_keys with \`${ownCommand("keys convert")}\`, into keys.path or into a vault (docs/keys.md). tz1 and tz4 keys have no way here.`,
  );
}
