import { z } from "zod";
import { blake2b256 } from "../../tezos/crypto/digest.ts";
import { type ConsensusRequest, parsePayload } from "../../tezos/payload/payload.ts";
import { PayloadError } from "../../tezos/payload/reader.ts";
import { chainOf, named } from "./foreign.ts";
import { checkForm, InterchangeError, type MarkRecord, type NamedMark, parseJson } from "./format.ts";

const payload = z
  .string()
  .regex(/^([0-9a-fA-F]{2})+$/, { error: "must be a request's bytes in hex" })
  .transform((text) => Buffer.from(text, "hex"));
const record = z.record(z.string(), z.looseObject({ tz: z.string(), op: payload }));

const NOTE =
  "This signer keeps the last request that it signed for each key and kind, not the highest, and starting its client.js empties the folder with the record in it. So nothing says that the key signed nothing higher. Unless you know better, take a level that the chain has not reached, with `watermarks init`.";

/**
 * Reads `~/.tezos-azure-hsm-signer/watermarks.json` of the guide's signer (lattejed's, models/watermark.js): whole
 * requests, as they were signed, under `ADDRESS_MAGIC`. Those of before Tenderbake stand for their whole level.
 */
export function readLattejed(text: string): MarkRecord {
  const entries = checkForm(record, parseJson(text));
  return { marks: Object.entries(entries).map(([place, { tz, op }]) => markOfRequest(place, tz, op)), notes: [NOTE] };
}

function markOfRequest(place: string, address: string, bytes: Buffer): NamedMark {
  const chainId = bytes.length >= 9 ? chainOf(bytes.subarray(1, 5)) : "";
  // Emmy: chain, then a block's level; an endorsement ends with its level (models/operation.js).
  if (bytes[0] === 1 && bytes.length >= 9) return named(chainId, address, "block", { level: levelAt(bytes, 5, place) });
  if (bytes[0] === 2 && bytes.length >= 9) {
    return named(chainId, address, "attestation", { level: levelAt(bytes, bytes.length - 4, place) });
  }
  const { chainId: chain, kind, level, round } = consensusRequest(place, bytes);
  return named(chain, address, kind, { level, round, digest: Buffer.from(blake2b256(bytes)).toString("hex") });
}

function levelAt(bytes: Buffer, offset: number, place: string): number {
  const level = bytes.readInt32BE(offset);
  if (level < 0) throw new InterchangeError(`${place}.op: its level is out of range.`);
  return level;
}

function consensusRequest(place: string, bytes: Uint8Array): ConsensusRequest {
  try {
    const request = parsePayload(bytes);
    if (request.type === "consensus") return request;
    throw new InterchangeError(`${place}.op: is neither a block nor a vote.`);
  } catch (error) {
    if (!(error instanceof PayloadError)) throw error;
    throw new InterchangeError(`${place}.op: ${error.message}.`, { cause: error });
  }
}
