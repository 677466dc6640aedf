import { parseOperations } from "./batch.ts";
import { type ConsensusRequest, parseBlock, parseVote } from "./consensus.ts";
import type { Operation } from "./operation.ts";
import { hex, PayloadError } from "./reader.ts";

export type { ConsensusRequest } from "./consensus.ts";
export type { ConsensusKind } from "./consensus-kind.ts";

/** A manager, voting or anonymous operation, or a batch of manager operations. */
export interface OperationRequest {
  readonly type: "operation";
  /** Block hash B… that the operation is anchored to; it is not bound to a chain otherwise. */
  readonly branch: string;
  readonly operations: readonly Operation[];
}

/** Packed Michelson data: what is in it stays unread. */
export interface PackRequest {
  readonly type: "pack";
}

/** What a client asks to be signed. */
export type SigningRequest = ConsensusRequest | OperationRequest | PackRequest;

/** Constants_repr.max_operation_data_length: no valid request is longer. */
export const MAX_PAYLOAD = 32 * 1024;

/** Magic bytes that are known and never signed. */
const REFUSED: Readonly<Record<number, string>> = {
  1: "is a block of before Tenderbake (2022)",
  2: "is an endorsement of before Tenderbake (2022)",
  4: "is a client's authentication, which only clients sign",
};

/**
 * Reads a whole payload, from the magic byte (octez docs, key-management.rst) to its last byte, by proto_025's formats.
 * @param payload the bytes to be signed
 * @throws PayloadError naming the byte, for anything malformed, truncated, trailing, unknown or refused
 */
export function parsePayload(payload: Uint8Array): SigningRequest {
  if (payload.length > MAX_PAYLOAD) {
    throw new PayloadError(MAX_PAYLOAD, `the payload has ${payload.length} bytes, more than ${MAX_PAYLOAD}`);
  }
  const magic = payload[0];
  switch (magic) {
    case 0x11:
      return parseBlock(payload);
    case 0x12:
    case 0x13:
      return parseVote(payload, magic);
    case 0x03:
      return { type: "operation", ...parseOperations(payload) };
    case 0x05:
      if (payload.length === 1) throw new PayloadError(1, "no packed data follows the magic byte");
      return { type: "pack" };
    case undefined:
      throw new PayloadError(0, "the payload is empty");
    default:
      throw new PayloadError(0, `magic byte ${hex(magic)} ${REFUSED[magic] ?? "is unknown"}`);
  }
}
