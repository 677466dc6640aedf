import { type Description, describe } from "../../signer/confirmation/describe.ts";
import { type OperationRequest, type PackRequest, parsePayload } from "../../signer/tezos/payload/payload.ts";
import { SOURCE, transfer } from "../fixtures/payloads.ts";

/** A payload in words. @param address the key that is asked */
export function describePayload(payload: Uint8Array, address = SOURCE): Description {
  return describe(parsePayload(payload) as OperationRequest | PackRequest, address, payload);
}

/** A transfer in words. */
export const described: Description = describePayload(transfer());
