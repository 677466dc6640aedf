import { z } from "zod";
import { readYaml } from "../../settings/secrets.ts";
import type { ConsensusKind } from "../../tezos/payload/payload.ts";
import { int32, named } from "./foreign.ts";
import { checkForm, InterchangeError, type MarkRecord } from "./format.ts";

/** By magic byte, which is a number to YAML: 0x11 is 17. */
const marks = z.looseObject({ 17: int32.optional(), 18: int32.optional(), 19: int32.optional() });
const config = z.looseObject({
  high_water_marks: z.looseObject({ level: marks, round: marks }),
  policy: z.looseObject({ signing_keys: z.record(z.string(), z.unknown()) }),
});

const KINDS = [
  [17, "block"],
  [18, "preattestation"],
  [19, "attestation"],
] as const satisfies readonly (readonly [number, ConsensusKind])[];

const NOTE =
  "Tezio's signer keeps its marks in memory and writes them nowhere, and its board forgets its own without power: config.yaml has only those that it was started with. Whatever it signed since is not in this record. Take a level that the chain has not reached, with `watermarks init`, unless you wrote the marks into config.yaml after it was stopped.";

/**
 * Reads the starting marks in the config.yaml of Tezio's signer (signer/tezio_signer.py). It has one for each magic
 * byte, for all keys and chains, so each tz2 and tz3 key of the file gets all three; a level of 0 is none.
 */
export function readTezio(text: string, _path: string, place: { chain: string }): MarkRecord {
  const read = readYaml(text, { merge: true });
  if ("faults" in read) throw new InterchangeError(`It is no YAML: ${read.faults.join("; ")}.`);
  const { high_water_marks: starting, policy } = checkForm(config, read.value);
  const keys = Object.keys(policy.signing_keys).filter((address) => /^tz[23]/.test(address));
  const told = KINDS.flatMap(([magic, kind]) => {
    const level = starting.level[magic] ?? 0;
    const round = starting.round[magic] ?? 0;
    return level === 0 ? [] : keys.map((key) => named(place.chain, key, kind, { level, round }));
  });
  return { marks: told, notes: [NOTE] };
}
