import { z } from "zod";
import { ownCommand } from "../../own-command.ts";
import type { Permission } from "../../policy/policy.ts";
import { CONSENSUS_KINDS } from "../../tezos/payload/consensus-kind.ts";
import { unlessSecret } from "../secrets.ts";
import { Conversion, ConversionError, type Converted } from "./conversion.ts";
import { flag, noteUnknown, readDocument } from "./document.ts";
import { noteDrain, OPERATIONS } from "./permissions.ts";

const key = z.looseObject({ signer: z.string().optional(), signer_args: z.array(z.unknown()).optional() });
const number = z.union([z.int(), z.string().regex(/^\d+$/).transform(Number)], { error: "must be a whole number" });
const policy = z.looseObject({
  baking: flag.optional(),
  voting: z.array(z.string()).optional(),
  allow_all: flag.optional(),
});
const config = z.looseObject({
  chain_ratchet: z.enum(["mockery", "dynamodb"], { error: "must be mockery or dynamodb" }),
  keys: z.union([z.array(z.string()), z.record(z.string(), key)], {
    error: "must be a list of texts, or keys by name",
  }),
  policy,
  hsm_lib: z.string().optional(),
  hsm_slot: number.optional(),
  bind_addr: z.string().optional(),
  bind_port: number.optional(),
});
const KNOWN = [...Object.keys(config.shape), ...["hsm_username", "aws_region", "boto3_endpoint", "ddb_table"]];
const KNOWN_OF_KEY = [...Object.keys(key.shape), "public_key", "private_key"];
const VOTES = ["yay", "nay", "pass"];

/** Converts the keys.json of tacoinfra's remote-signer (tezos_signer/config.py). */
export function convertTacoinfra(text: string): Converted {
  const given = readDocument(config, text);
  const conversion = new Conversion();
  noteUnknown(conversion, given, KNOWN, "");
  noteUnknown(conversion, given.policy, Object.keys(policy.shape), "policy.");
  conversion.listenAt(given.bind_addr ?? "127.0.0.1", given.bind_port ?? 5000, "bind_addr");
  keysOf(given, conversion);
  policyOf(given.policy, conversion);
  if (given.chain_ratchet === "mockery") {
    conversion.note("stricter", "chain_ratchet", "marks outlive a restart here. There is no record to take over.");
  } else {
    conversion.note(
      "by-hand",
      "ddb_table",
      `take it over: \`aws dynamodb scan --table-name DDB_TABLE --output json\`, then \`${ownCommand("watermarks import --from tacoinfra")}\`. It may serve several signers, a SQLite file serves one: for two of them set kind: azure-table.`,
    );
  }
  return conversion.done();
}

function keysOf({ keys, hsm_lib: module, hsm_slot: slot = 0 }: z.output<typeof config>, conversion: Conversion): void {
  const labels: string[] = [];
  const entries = Array.isArray(keys) ? keys.map((name) => [name, {}] as const) : Object.entries(keys);
  for (const [at, [name, own]] of entries.entries()) {
    const place = `keys.${Array.isArray(keys) ? at : unlessSecret(name.split(":")[0] ?? "")}`;
    const [, inName, ...args] = name.split(":");
    const { signer, signer_args = args } = { signer: inName, ...own } as z.output<typeof key>;
    noteUnknown(conversion, own, KNOWN_OF_KEY, `${place}.`);
    if (signer === undefined || signer === "local") {
      conversion.note(
        "by-hand",
        Array.isArray(keys) ? place : "keys (signer: local)",
        `its secret key stands in this file, and is not copied: bring it with \`${ownCommand("keys convert")}\`, into keys.path, the token or a vault.`,
      );
    } else if (signer_args[0] !== undefined) labels.push(String(signer_args[0]));
    else throw new ConversionError(`${place}: has no label or handle of its key on the token.`);
  }
  if (labels.length === 0) return;
  if (module === undefined) throw new ConversionError("hsm_lib: is missing; it is the token's library.");
  conversion.settings.keys = { kind: "pkcs11", module, slot, pin: { file: "pin" }, include: labels };
  conversion.note(
    "by-hand",
    "hsm_passwd",
    "its password is not read: write the PIN (with CloudHSM hsm_username, a colon and the password) into the file of keys.pin, mode 600.",
  );
  if (labels.some((label) => /^\d+$/.test(label))) {
    conversion.note(
      "by-hand",
      "keys",
      "a number was a handle: put the key's label, or id: and its CKA_ID, in its place.",
    );
  }
}

function policyOf(
  { baking, voting = [], allow_all: all }: z.output<typeof config>["policy"],
  conversion: Conversion,
): void {
  const allow: Permission[] = baking ? [...CONSENSUS_KINDS] : [];
  const confirm: Permission[] = [];
  // README.md has `aye` where the code has `yay`.
  const votes = new Set(voting.map((vote) => (vote === "aye" ? "yay" : vote)));
  const whole = VOTES.every((vote) => votes.has(vote));
  if (all) {
    allow.push(...OPERATIONS.filter((kind) => kind !== "ballot" || whole || voting.length === 0), "pack");
    noteDrain(conversion, "policy.allow_all");
  } else if (whole) allow.push("ballot");
  if (votes.size > 0 && !whole) {
    confirm.push("ballot");
    conversion.confirmBySocket("policy.voting", "A rule does not look at what a ballot votes for, so ballots wait.");
  }
  conversion.settings.policy.default = { allow, ...(confirm.length > 0 && { confirm }) };
  if (!all && voting.length === 0 && allow.length === 0) {
    conversion.note("by-hand", "policy", "allows nothing; nothing will be signed.");
  }
}
