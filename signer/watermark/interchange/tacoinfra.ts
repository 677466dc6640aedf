import { z } from "zod";
import type { ConsensusKind } from "../../tezos/payload/payload.ts";
import { digits, named, requireWholeScan } from "./foreign.ts";
import { checkForm, InterchangeError, type MarkRecord, parseJson } from "./format.ts";

const name = z.object({ S: z.string() });
const number = z.object({ N: digits });
/** Older versions named the key `type`, and kept no round. */
const item = z.looseObject({
  sig_type: name.optional(),
  type: name.optional(),
  lastblock: number,
  lastround: number.optional(),
});
const table = z.looseObject({ Items: z.array(item) });

const KINDS: Readonly<Record<string, ConsensusKind>> = {
  Baking: "block",
  Preendorsement: "preattestation",
  Endorsement: "attestation",
};

/**
 * Reads the table of tacoinfra's remote-signer (tezos_signer/ddbchainratchet.py, validatesigner.py) as `aws dynamodb
 * scan` prints it: an item `KIND_CHAIN_ADDRESS` for each mark, with level and round and nothing of what was signed
 * there.
 */
export function readTacoinfra(source: string): MarkRecord {
  const scan = checkForm(table, parseJson(source));
  requireWholeScan(scan);
  const marks = scan.Items.map(({ sig_type, type, lastblock, lastround }) => {
    const what = (sig_type ?? type)?.S ?? "";
    const [kind, chainId = "", address = "", ...more] = what.split("_");
    const known = Object.hasOwn(KINDS, kind ?? "") ? KINDS[kind ?? ""] : undefined;
    if (known === undefined || address === "" || more.length > 0) {
      throw new InterchangeError(
        `The item ${JSON.stringify(what)} is not named KIND_CHAIN_ADDRESS, with a KIND of ${Object.keys(KINDS).join(", ")}.`,
      );
    }
    return named(chainId, address, known, { level: lastblock.N, round: lastround?.N });
  });
  return { marks };
}
