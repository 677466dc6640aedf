import { PayloadError, type Reader } from "./reader.ts";

/** What a Tenderbake block header says of its place in the chain. */
export interface BlockHeader {
  readonly level: number;
  /** The fitness round, which orders blocks and is what double baking is judged by; never payload_round. */
  readonly round: number;
  /** The round at which the block's content was first proposed: at most `round`. */
  readonly payloadRound: number;
}

/** Constants_repr.fitness_version_number. */
const TENDERBAKE = 2;

/**
 * Reads an unsigned block header (block_header.ml shell_header_encoding, then block_header_repr.ml contents_encoding).
 * @throws PayloadError for whatever no Tenderbake block can hold
 */
export function readBlockHeader(reader: Reader): BlockHeader {
  const level = reader.natural32("level");
  reader.uint8("proto_level");
  reader.bytes(32, "predecessor");
  reader.int64("timestamp");
  reader.uint8("validation_passes");
  reader.bytes(32, "operations_hash");
  const round = readFitness(reader.part("fitness"), level);
  reader.bytes(32, "context");
  reader.bytes(32, "payload_hash");
  const at = reader.offset;
  const payloadRound = reader.natural32("payload_round");
  if (payloadRound > round) throw new PayloadError(at, `payload_round ${payloadRound} is above round ${round}`);
  reader.bytes(8, "proof_of_work_nonce");
  if (reader.flag("seed_nonce_hash")) reader.bytes(32, "seed_nonce_hash");
  // Not validated: its layout changes between protocols.
  reader.uint8("per_block_votes");
  return { level, round, payloadRound };
}

/** Reads the five parts (fitness_repr.ml from_raw): version, level, locked round or nothing, -(predecessor round) - 1, round. */
function readFitness(fitness: Reader, headerLevel: number): number {
  const version = fitness.part("fitness version");
  const versionAt = version.offset;
  if (version.remaining !== 1 || version.uint8("fitness version") !== TENDERBAKE) {
    throw new PayloadError(versionAt, "this is no Tenderbake fitness: its version must be 02");
  }
  const level = fixed(fitness, "fitness level");
  const levelAt = level.offset;
  if (level.natural32("fitness level") !== headerLevel) {
    throw new PayloadError(levelAt, `fitness level is not the header's level ${headerLevel}`);
  }
  const locked = fitness.part("locked round");
  const lockedAt = locked.offset;
  const lockedRound = locked.remaining === 0 ? undefined : locked.natural32("locked round");
  locked.end("the locked round");
  const predecessor = fixed(fitness, "predecessor round");
  const predecessorAt = predecessor.offset;
  if (predecessor.int32("predecessor round") >= 0) {
    throw new PayloadError(predecessorAt, "the predecessor's round must stand as -(round) - 1, so below zero");
  }
  const round = fixed(fitness, "round").natural32("round");
  fitness.end("the fitness");
  if (lockedRound !== undefined && lockedRound >= round) {
    throw new PayloadError(lockedAt, `locked round ${lockedRound} is not below round ${round}`);
  }
  return round;
}

function fixed(fitness: Reader, name: string): Reader {
  const at = fitness.offset;
  const part = fitness.part(name);
  if (part.remaining !== 4) throw new PayloadError(at, `${name} must have 4 bytes, not ${part.remaining}`);
  return part;
}
