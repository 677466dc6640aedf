import { readMagicBytes, readOptions, readPort, readStartLine } from "./command-line.ts";
import { Conversion, ConversionError, type Converted } from "./conversion.ts";
import { allowedByMagic, confirmable } from "./permissions.ts";

const OPTIONS = {
  "-M": { name: "magic-bytes", value: true },
  "--magic-bytes": { name: "magic-bytes", value: true },
  "-W": { name: "check-high-watermark", value: false },
  "--check-high-watermark": { name: "check-high-watermark", value: false },
  "--no-check-high-watermark": { name: "no-check-high-watermark", value: false },
  "-a": { name: "address", value: true },
  "--address": { name: "address", value: true },
  "-p": { name: "port", value: true },
  "--port": { name: "port", value: true },
  "-T": { name: "send-sign-timing", value: false },
  "--send-sign-timing": { name: "send-sign-timing", value: false },
} as const;

/** As the guide has it. */
const DEFAULTS = { address: "127.0.0.1", port: 6732, magicBytes: "0x01,0x02" };

/**
 * Converts how the guide's signer was started (lattejed/tezos-azure-hsm-signer server.js): its systemd unit, or the command
 * line with AZURE_KEYVAULT_URI before it.
 */
export function convertLattejed(text: string): Converted {
  const { words, environment } = readStartLine(text, /\bserver\.js\b/, "node server.js --address=0.0.0.0");
  const { options } = readOptions(words.slice(words.findIndex((word) => /\bserver\.js$/.test(word)) + 1), OPTIONS);
  const conversion = new Conversion();
  const { settings } = conversion;
  const vault = environment.get("AZURE_KEYVAULT_URI");
  if (vault === undefined) throw new ConversionError("AZURE_KEYVAULT_URI: is missing; it names the vault.");
  settings.keys = { kind: "azure-key-vault", vault: vault.replace(/\/+$/, "") };
  conversion.listenAt(
    String(options.get("address") ?? DEFAULTS.address),
    readPort(options.get("port"), "--port", DEFAULTS.port),
    "--address",
  );
  const bytes = readMagicBytes(String(options.get("magic-bytes") ?? DEFAULTS.magicBytes), "--magic-bytes");
  const allow = allowedByMagic(bytes, conversion, "--magic-bytes");
  settings.policy.default = { allow, confirm: confirmable(allow) };
  conversion.confirmBySocket(
    "--magic-bytes",
    "What is not among these waited for a yes at client.js. Operations and packed data still wait. Blocks and votes that are not in `allow` are refused, since they cannot wait, and so is drain_delegate, which empties the manager's balance.",
  );
  if (options.has("no-check-high-watermark")) {
    conversion.note("stricter", "--no-check-high-watermark", "watermarks are always checked.");
  }
  if (options.has("send-sign-timing")) {
    conversion.note("lost", "--send-sign-timing", "an answer has no times in it; /metrics and /status have them.");
  }
  conversion.note(
    "by-hand",
    "keys.vault",
    "the machine's identity needs `get`, `list` and `sign` on the vault's keys; the guide gave it `get` and `sign`.",
  );
  conversion.note(
    "by-hand",
    "watermarks",
    'the old record cannot be relied on: docs/coming-from.md, "The guide\'s signer".',
  );
  return conversion.done();
}
