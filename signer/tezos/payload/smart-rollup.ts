import { readScript } from "./micheline.ts";
import type { ManagerFields, Refutation, RefutationInput } from "./operation.ts";
import { readHash, readHexPart, readOption, readPublicKeyHash } from "./operation-field.ts";
import { hex, PayloadError, type Reader } from "./reader.ts";

/**
 * Readers of the smart rollup operations, by operation_repr.ml and the sc_rollup_* modules that it names.
 * @module
 */

const PVMS = ["arith", "wasm_2_0_0", "riscv"] as const;

/** Reads a smart_rollup_originate. */
export function readOriginate(reader: Reader): ManagerFields["smart_rollup_originate"] {
  const at = reader.offset;
  const number = reader.uint8("pvm_kind");
  const pvm = PVMS[number];
  if (pvm === undefined) throw new PayloadError(at, `${hex(number)} is no kind of rollup`);
  return {
    pvm,
    kernel: readHexPart(reader, "kernel"),
    parametersType: readScript(reader, "parameters_ty"),
    whitelist: readOption(reader, "whitelist", (from, name) =>
      from.part(name).list((item) => readPublicKeyHash(item, name)),
    ),
  };
}

/** Reads a smart_rollup_add_messages. */
export function readAddMessages(reader: Reader): ManagerFields["smart_rollup_add_messages"] {
  return { messages: reader.part("message").list((item) => readHexPart(item, "message")) };
}

/** Reads a smart_rollup_publish. */
export function readPublish(reader: Reader): ManagerFields["smart_rollup_publish"] {
  const rollup = readRollup(reader);
  const state = readHash(reader, "srs1", "compressed_state");
  const inboxLevel = reader.natural32("inbox_level");
  const predecessor = readCommitment(reader, "predecessor");
  const at = reader.offset;
  const ticks = reader.int64("number_of_ticks");
  if (ticks < 0n) throw new PayloadError(at, "number_of_ticks is negative");
  return { rollup, state, inboxLevel, predecessor, ticks };
}

/** Reads a smart_rollup_refute. */
export function readRefute(reader: Reader): ManagerFields["smart_rollup_refute"] {
  return {
    rollup: readRollup(reader),
    opponent: readPublicKeyHash(reader, "opponent"),
    refutation: readRefutation(reader),
  };
}

/** Reads a smart_rollup_timeout. */
export function readTimeout(reader: Reader): ManagerFields["smart_rollup_timeout"] {
  return {
    rollup: readRollup(reader),
    alice: readPublicKeyHash(reader, "alice"),
    bob: readPublicKeyHash(reader, "bob"),
  };
}

/** Reads a smart_rollup_execute_outbox_message. */
export function readExecuteOutboxMessage(reader: Reader): ManagerFields["smart_rollup_execute_outbox_message"] {
  return {
    rollup: readRollup(reader),
    commitment: readCommitment(reader, "cemented_commitment"),
    proof: readHexPart(reader, "output_proof"),
  };
}

/** Reads a rollup's address. */
export function readRollup(reader: Reader): string {
  return readHash(reader, "sr1", "rollup");
}

function readCommitment(reader: Reader, name: string): string {
  return readHash(reader, "src1", name);
}

/** Sc_rollup_game_repr.refutation_encoding. */
function readRefutation(reader: Reader): Refutation {
  const at = reader.offset;
  const tag = reader.uint8("refutation");
  if (tag === 0) {
    return {
      move: "start",
      playerCommitment: readCommitment(reader, "player_commitment_hash"),
      opponentCommitment: readCommitment(reader, "opponent_commitment_hash"),
    };
  }
  if (tag !== 1) throw new PayloadError(at, `${hex(tag)} begins no refutation`);
  const choice = reader.natural("choice");
  const stepAt = reader.offset;
  const step = reader.uint8("step");
  if (step === 0) {
    const sections = reader.part("dissection").list((item) => ({
      state: readOption(item, "state", (from, name) => readHash(from, "srs1", name)),
      tick: item.natural("tick"),
    }));
    return { move: "dissection", choice, sections };
  }
  if (step !== 1) throw new PayloadError(stepAt, `${hex(step)} begins no step`);
  const proof = readHexPart(reader, "pvm_step");
  return { move: "proof", choice, proof, input: readOption(reader, "input_proof", readInput) ?? "none" };
}

/** Sc_rollup_proof_repr.input_proof_encoding. */
function readInput(reader: Reader, name: string): RefutationInput {
  const at = reader.offset;
  const tag = reader.uint8(name);
  switch (tag) {
    case 0:
      reader.natural32("level");
      reader.natural("message_counter");
      reader.part("serialized_proof");
      return "inbox message";
    case 1:
      return readReveal(reader);
    case 2:
      return "first input";
    default:
      throw new PayloadError(at, `${hex(tag)} begins no input proof`);
  }
}

/** Constants_repr.sc_rollup_message_size_limit. */
const MAX_RAW_DATA = 4096;

/** Sc_rollup_proof_repr.reveal_proof_encoding. */
function readReveal(reader: Reader): RefutationInput {
  const at = reader.offset;
  const tag = reader.uint8("reveal_proof");
  switch (tag) {
    case 0: {
      const length = reader.uint16("the length of raw_data");
      if (length > MAX_RAW_DATA) throw new PayloadError(at + 1, `raw_data has more than ${MAX_RAW_DATA} bytes`);
      reader.bytes(length, "raw_data");
      return "raw data";
    }
    case 1:
      return "metadata";
    case 2:
      reader.natural32("published_level");
      reader.uint8("slot_index");
      reader.uint16("page_index");
      reader.part("dal_proof");
      return "DAL page";
    case 3:
      return "DAL parameters";
    default:
      throw new PayloadError(at, `${hex(tag)} begins no reveal proof`);
  }
}
