import { z } from "zod";
import type { ConsensusKind } from "../../tezos/payload/payload.ts";
import { int32, named } from "./foreign.ts";
import { checkForm, type MarkRecord, parseJson } from "./format.ts";

const kind = z.enum(["block", "endorse"], { error: "must be block or endorse" });
/** The code names the kind `itemtype`, its README `optype`. */
const item = z
  .looseObject({ itemtype: kind.optional(), optype: kind.optional(), blocklevel: int32 })
  .refine(({ itemtype, optype }) => (itemtype ?? optype) !== undefined, { error: "has neither itemtype nor optype" });
const answer = z.looseObject({ Documents: z.array(item) });

const MEANT: Readonly<Record<z.output<typeof kind>, readonly ConsensusKind[]>> = {
  block: ["block"],
  endorse: ["preattestation", "attestation"],
};

const NOTE =
  "Its collection has a level for each kind, shared by all keys of the vault: no round, and nothing of what was signed. So each mark stands for its whole level, for each key that --pkh names. Name every key of that vault.";

/**
 * Reads the Cosmos DB collection of tezzigator's signer: items `{id, itemtype, blocklevel, baker, sig}`, one for each
 * block or endorsement that it signed, as a list or as the service's answer has them. They name neither chain nor key.
 */
export function readTezzigator(
  source: string,
  _path: string,
  place: { chain: string; keys: readonly string[] },
): MarkRecord {
  const json = parseJson(source);
  const items = Array.isArray(json) ? checkForm(z.array(item), json) : checkForm(answer, json).Documents;
  const marks = Object.entries(MEANT).flatMap(([name, kinds]) => {
    const levels = items.filter(({ itemtype, optype }) => (itemtype ?? optype) === name).map((each) => each.blocklevel);
    if (levels.length === 0) return [];
    const level = levels.reduce((one, other) => Math.max(one, other));
    return place.keys.flatMap((key) => kinds.map((each) => named(place.chain, key, each, { level })));
  });
  return { marks, notes: [NOTE] };
}
