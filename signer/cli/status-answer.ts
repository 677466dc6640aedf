import { z } from "zod";
import { messagesOf, reasonOf } from "../errors.ts";
import { get, outgoingAgent } from "../network/outgoing.ts";
import { Failure } from "./failure.ts";

/**
 * What a signer's admin port says of it, as far as `status` shows it; docs/reference/http.md. Whatever answers at an address
 * is believed to be a signer only as far as this form holds.
 * @module
 */

const text = z.string();
const number = z.number();
const release = z.object({ version: text, sha256: text });

/** A mark; operations have none, and only when they were signed. */
const mark = z.object({
  row: text,
  level: number.nullable(),
  round: number.nullable(),
  /** Since when the mark is believed, whoever signed. */
  since: text.nullable(),
  /** When this process last signed by it. */
  signedAt: text.nullable(),
});

const status = z.object({
  release: z.object({
    version: text,
    sha256: text.nullable(),
    wanted: release.nullable(),
    step: text.nullable(),
    problem: text.nullable(),
    refused: release.extend({ reason: text, at: text }).nullable(),
    waitingSettings: release.nullable(),
  }),
  started: text,
  ready: z.boolean(),
  reasons: z.array(text),
  settings: z.object({ source: text, version: text, since: text, refused: text.nullable() }),
  balancer: z
    .object({ askedAt: text, ready: z.boolean(), times: number, leaving: text.nullable(), left: z.boolean() })
    .nullable(),
  otherMachines: z
    .array(
      z.object({ machine: text, seenAt: text, ready: z.boolean(), signedAt: text.nullable(), problems: z.array(text) }),
    )
    .nullable(),
  tls: z.object({ until: text, problem: text.nullable() }).nullable(),
  store: z.object({ kind: text, id: text.nullable(), problem: text.nullable(), readAt: text.nullable() }),
  vault: z.object({
    problem: text.nullable(),
    tokenSeconds: number.nullable(),
    signMilliseconds: z.object({ p50: number.nullable(), p99: number.nullable() }),
  }),
  keys: z.array(
    z.object({
      address: text,
      location: text,
      problem: text.nullable(),
      policy: z.object({
        allow: z.array(text),
        confirm: z.array(text).optional(),
        chains: z.array(text).optional(),
      }),
    }),
  ),
  watermarks: z.array(mark),
  head: z
    .object({
      node: text,
      chainId: text.nullable(),
      level: number.nullable(),
      ageSeconds: number.nullable(),
      problem: text.nullable(),
    })
    .nullable(),
  confirmations: z.object({
    socket: text.nullable(),
    problem: text.nullable(),
    operators: number,
    waiting: z.array(
      z.object({ id: number, key: text, client: text, since: text, summary: z.object({ kinds: text }) }),
    ),
  }),
  refusals: z.array(z.object({ at: text, since: text, count: number, client: text, asked: text, message: text })),
});

export type Status = z.output<typeof status>;

const TIMEOUT = 5_000;
/** Of one answer: far more than a thousand keys take. */
const MOST_CHARACTERS = 16 * 1024 * 1024;

/**
 * Asks an admin port for its signer's state.
 * @returns the state as it is shown, and all that was answered
 * @throws Failure `failed` where no signer of this release answers
 */
export async function askStatus(url: URL): Promise<{ readonly shown: Status; readonly all: unknown }> {
  const answer = await askAdmin(url);
  const all = parsed(answer.text);
  const { data: shown } = status.safeParse(all);
  if (shown !== undefined) return { shown, all };
  const told = answer.status === 200 ? "" : ` (status ${answer.status}${refusal(all)})`;
  throw new Failure("failed", `What answers at ${url.origin} is no signer's admin port of this release${told}.`);
}

async function askAdmin(url: URL) {
  const signal = AbortSignal.timeout(TIMEOUT);
  try {
    return await get(new URL("/status", url), { agent: outgoingAgent(url), signal, most: MOST_CHARACTERS });
  } catch (error) {
    throw new Failure("failed", `No signer answers at ${url.origin} (${wordsOf(error)}).`, { cause: error });
  }
}

function wordsOf(error: unknown): string {
  if (error instanceof Error && error.name === "TimeoutError") return `no answer within ${TIMEOUT} ms`;
  const words = reasonOf(error);
  return words === (error as Error).message ? messagesOf(error) : words;
}

/** What is no JSON is not repeated: it may be anything. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A signer's own words where it refuses, such as an admin port that does not answer to a name. */
function refusal(answer: unknown): string {
  const { data } = z.tuple([z.object({ msg: text })]).safeParse(answer);
  return data === undefined ? "" : `: ${data[0].msg}`;
}
