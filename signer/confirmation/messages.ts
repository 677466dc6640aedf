import { z } from "zod";
import type { PendingRequest } from "./question.ts";

/**
 * What the signer and an operator send each other over the operators' socket: JSON, one object a line. Whatever listens at a
 * path is believed to be a signer only as far as these forms hold.
 * @module
 */

/** As many are connected at once: two are a person and their colleague. One more is closed without a word. */
export const MOST_OPERATORS = 8;

/** Far above any message, in characters: a question is bounded by describe.ts, and has a quarter of a million at most. */
export const MOST_MESSAGE = 4 * 1024 * 1024;

/** The signer's own words, which are shown as they are: what comes from elsewhere is in values. */
const words = z.string().regex(/^[ -~]*$/);
const field = z.object({ label: words, value: z.string() });
const mutez = z.string().regex(/^\d{1,40}$/);
const count = z.int().nonnegative();

const asked = z.object({
  id: count,
  since: z.iso.datetime(),
  until: z.iso.datetime(),
  key: z.string(),
  client: z.string(),
  /** The code that is typed is a part of it. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  sections: z.array(z.object({ title: words, fields: z.array(field) })),
  summary: z.object({
    kinds: z.string(),
    source: z.string().optional(),
    destinations: z.array(z.object({ address: z.string(), mutez })),
    rest: z.object({ count, mutez }),
    costs: z.object({ fees: z.string(), storage: z.string() }).optional(),
    effects: z.array(field),
    moreEffects: count,
    warnings: z.array(words),
    unread: z.object({ fields: count, operations: count }),
  }),
});

/** JSON leaves out what is undefined. */
const question = asked.transform(
  ({ summary, ...rest }): PendingRequest => ({ ...rest, summary: { source: undefined, costs: undefined, ...summary } }),
);

/** What the signer sends. `acknowledged`: whether an answer was accepted; one that comes too late is not. */
const serverMessage = z.discriminatedUnion("event", [
  z.object({ event: z.literal("ready") }),
  z.object({ event: z.literal("asked"), question }),
  z.object({ event: z.literal("withdrawn"), id: count, reason: words }),
  z.object({ event: z.literal("acknowledged"), id: count, accepted: z.boolean() }),
]);

/** What an operator sends. */
const operatorMessage = z.object({ id: count, confirm: z.boolean() });

/** A message of the signer's, as whoever reads it has it. */
export type ReceivedMessage = z.infer<typeof serverMessage>;

/** What an operator sends. */
export type OperatorMessage = z.infer<typeof operatorMessage>;

/** Reads a line from the signer. @returns undefined where it is no message of a signer of this version */
export function readServerMessage(line: string): ReceivedMessage | undefined {
  return read(serverMessage, line);
}

/** Reads a line from an operator. @returns undefined where it is no answer */
export function readOperatorMessage(line: string): OperatorMessage | undefined {
  return read(operatorMessage, line);
}

function read<T>(schema: z.ZodType<T>, line: string): T | undefined {
  try {
    return schema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
