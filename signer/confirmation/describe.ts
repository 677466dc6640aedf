import { SignerError } from "../errors.ts";
import type { OperationRequest, PackRequest } from "../tezos/payload/payload.ts";
import { type Field, fieldsOf } from "./fields.ts";
import { type Summary, summarise, summarisePack } from "./summary.ts";
import { micheline, unpack } from "./values.ts";

/**
 * Describes a request in words, for the person who must confirm it: every field that the decoder gives, and what it does as
 * a whole. Pure; how it is laid out is the terminal's matter, whose size is known there.
 * @module
 */

/** A part of a request: what is common to it, or one operation. */
export interface Section {
  /** The signer's own words. */
  readonly title: string;
  readonly fields: readonly Field[];
}

export interface Description {
  /** Everything, at any length. */
  readonly sections: readonly Section[];
  /** What fits on a screen. */
  readonly summary: Summary;
}

/**
 * More than anybody reads: as many lines of 64 characters. A contract of 32 KiB in Michelson, or 180 transfers in one
 * batch, are below it.
 */
const MOST_LINES = 2_000;
const LINE = 64;

/**
 * Puts a request into words.
 * @param address public key hash of the key that is asked
 * @param payload the bytes to be signed
 * @throws SignerError `too-long-to-confirm` where nobody could read it all
 */
export function describe(request: OperationRequest | PackRequest, address: string, payload: Uint8Array): Description {
  const description = request.type === "pack" ? packed(payload) : operations(request, address);
  const lines = description.sections.reduce((sum, { fields }) => sum + 1 + linesOf(fields), 0);
  if (lines <= MOST_LINES) return description;
  throw new SignerError(
    "too-long-to-confirm",
    `it would be ${lines} lines, and at most ${MOST_LINES} are shown. Ask for less at once.`,
  );
}

function linesOf(fields: readonly Field[]): number {
  return fields.reduce((sum, { value }) => sum + Math.max(1, Math.ceil(value.length / LINE)), 0);
}

function operations({ branch, operations }: OperationRequest, address: string): Description {
  const many = operations.length > 1;
  const each = operations.map((operation, index) => ({
    title: `${many ? `${index + 1} of ${operations.length}: ` : ""}${operation.kind}`,
    fields: fieldsOf(operation),
  }));
  return {
    sections: [{ title: "operation (0x03)", fields: [{ label: "branch", value: branch }] }, ...each],
    summary: summarise(operations, address),
  };
}

function packed(payload: Uint8Array): Description {
  const content = unpack(payload);
  const shown: readonly Field[] =
    content === undefined
      ? []
      : "text" in content
        ? [{ label: "Text", value: content.text }]
        : [{ label: "Michelson", value: micheline(content.expression) }];
  const bytes = Buffer.from(payload).toString("hex");
  return {
    sections: [{ title: "packed data (0x05)", fields: [{ label: "bytes", value: bytes }, ...shown] }],
    summary: summarisePack(shown.length > 0 ? shown : [{ label: "Bytes", value: bytes }]),
  };
}
