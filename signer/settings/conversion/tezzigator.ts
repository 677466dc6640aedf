import { CONSENSUS_KINDS } from "../../tezos/payload/consensus-kind.ts";
import { Conversion, ConversionError, type Converted } from "./conversion.ts";
import { confirmable } from "./permissions.ts";

/** Levels that its requests could be away from the node's head (src/remote_signer.py). */
const LEVEL_THRESHOLD = 120;
/** Entries of its dict `config`; of the rest nothing is known here. */
const COSMOS = ["cosmos_host", "cosmos_key", "cosmos_db", "cosmos_collection"];
const KNOWN = ["kv_name_domain", "node_addr", "keys", "bakerid", ...COSMOS];

/** Converts tezzigator's signer.py: its settings are the dict `config` in it, and the line that starts it. */
export function convertTezzigator(text: string): Converted {
  const conversion = new Conversion();
  const { settings } = conversion;
  const config = readConfig(text);
  const vault = config.get("kv_name_domain");
  if (vault === undefined) throw new ConversionError("config.kv_name_domain: is missing; it names the vault.");
  if (!/^[0-9A-Za-z-]+$/.test(vault)) {
    throw new ConversionError("config.kv_name_domain: must be a vault's name, without its domain.");
  }
  settings.keys = { kind: "azure-key-vault", vault: `https://${vault}.vault.azure.net` };
  listen(conversion, text);
  settings.policy.default = { allow: [...CONSENSUS_KINDS], confirm: confirmable(CONSENSUS_KINDS) };
  conversion.confirmBySocket(
    "src/remote_signer.py",
    "Operations were signed for whoever asked from the signer's own computer, or for everybody, by version.",
  );
  follow(conversion, config.get("node_addr"));
  for (const name of COSMOS.filter((each) => config.has(each))) {
    const secret = name === "cosmos_key" ? " It is a password, which is not copied: revoke it." : "";
    conversion.note("lost", `config.${name}`, `the record is a SQLite file here, or an Azure Table.${secret}`);
  }
  if (config.has("cosmos_host")) {
    conversion.note(
      "by-hand",
      "watermarks",
      "several signers shared the collection. A SQLite file is one signer's: for two of them set kind: azure-table (docs/reference/settings.md).",
    );
  }
  for (const name of [...config.keys()].filter((each) => !KNOWN.includes(each))) {
    conversion.note("lost", `config.${name}`, "is not known here; nothing became of it.");
  }
  conversion.note(
    "by-hand",
    "watermarks",
    'take its record over: docs/coming-from.md, "tezzigator". The version without Cosmos DB keeps none.',
  );
  return conversion.done();
}

/** Entries of the dict whose values are texts; the other ones are there with an empty text. */
function readConfig(text: string): ReadonlyMap<string, string> {
  const [, body] = /^config\s*=\s*\{(.*?)^\}/ms.exec(text) ?? [];
  if (body === undefined) throw new ConversionError("There is no `config = {…}` at the beginning of a line.");
  const entries = body
    .replaceAll(/^\s*#.*$/gm, "")
    .matchAll(/^\s*(['"])(\w+)\1\s*:\s*(?:(['"])([^'"\n]*)\3\s*(?:,|#|$)|(?=.))/gm);
  return new Map([...entries].map(([, , name = "", , value = ""]) => [name, value]));
}

function listen(conversion: Conversion, text: string): void {
  const [, given] = /\bapp\.run\(([^)]*)\)/.exec(text) ?? [];
  const host = /\bhost\s*=\s*['"]([^'"]*)['"]/.exec(given ?? "")?.[1] ?? "127.0.0.1";
  const port = /\bport\s*=\s*(\d+)/.exec(given ?? "")?.[1] ?? "5000";
  conversion.listenAt(host, Number(port), "app.run");
  conversion.note(
    "by-hand",
    "app.run",
    "where `flask run` or gunicorn started it, host and port were those of its line.",
  );
}

function follow(conversion: Conversion, node: string | undefined): void {
  if (node === undefined || node === "") {
    conversion.lostGuard("config.node_addr", "is missing, so no node tells the head of the chain.");
    return;
  }
  conversion.settings.head = {
    node,
    maxBehind: LEVEL_THRESHOLD,
    maxAhead: LEVEL_THRESHOLD,
    whenUnknown: "refuse",
  };
  conversion.note(
    "laxer",
    "config.node_addr",
    "a block had to be above the node's head; here it may be as far below it as a vote, and watermarks alone stand in its way.",
  );
}
