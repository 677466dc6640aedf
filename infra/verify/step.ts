/**
 * What the machine is asked to do, and what it tells of it: on-machine.py does the one and prints the other.
 * @module
 */
import { z } from "zod";

/** A request, a line for the shell, or a connection. on-machine.py says what each field does. */
export interface Step {
  readonly name?: string;
  readonly ask?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD";
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** The resource that a token of the machine's identity is for. */
  readonly token?: string;
  readonly times?: number;
  readonly at_once?: number;
  readonly fresh?: true;
  readonly until?: number;
  readonly tries?: number;
  /** Seconds between tries. */
  readonly pause?: number;
  /** Tells the machine's time as well. */
  readonly clock?: true;
  readonly heads?: readonly string[];
  readonly pick?: Readonly<Record<string, string>>;
  readonly keep?: Readonly<Record<string, string>>;
  readonly run?: string;
  readonly seconds?: number;
  readonly tcp?: string;
  readonly sleep?: number;
}

const Picked = z.record(z.string(), z.unknown());

const Answer = z.object({
  /** 0 where nothing came. */
  status: z.number().default(0),
  /** What kind of error it was that nothing came. */
  error: z.string().optional(),
  code: z.string().nullish(),
  inner: z.string().nullish(),
  message: z.string().optional(),
  picked: z.union([Picked, z.array(Picked.nullable())]).optional(),
  heads: z.record(z.string(), z.string()).optional(),
  ms: z.number().optional(),
  /** Of several: the middle and the longest, in milliseconds, and every status that came. */
  median: z.number().optional(),
  most: z.number().optional(),
  statuses: z.array(z.number()).optional(),
  /** Of what was tried until it came. */
  seconds: z.number().optional(),
  first: z.object({ status: z.number(), code: z.string().nullish() }).optional(),
  /** Of those that were sent at once. */
  all: z
    .array(
      z.object({ status: z.number(), code: z.string().nullish(), heads: z.record(z.string(), z.string()).nullish() }),
    )
    .optional(),
  /** Seconds since 1970, by the machine's clock. */
  at: z.number().optional(),
  exit: z.number().nullish(),
  text: z.string().optional(),
  way: z.string().optional(),
});

export type Answer = z.output<typeof Answer>;

const Answers = z.record(z.string(), Answer);

/** By the names of the steps. A step that was not done has one all the same: status 0. */
export type Answers = (name: string) => Answer;

/** Reads answers. @throws Error for what is none */
export function readAnswers(value: unknown): Answers {
  const answers = Answers.parse(value);
  return (name) => answers[name] ?? Answer.parse({});
}

/** Returns one part of an answer. */
export function picked({ picked }: Answer, name: string): unknown {
  return picked === undefined || Array.isArray(picked) ? undefined : picked[name];
}

/** Returns the same part of each of several answers. */
export function pickedOfEach({ picked }: Answer, name: string): unknown[] {
  return Array.isArray(picked) ? picked.map((one) => one?.[name]) : [];
}

/** Says what came, in a few words. */
export function came({ status, error, code, inner }: Answer): string {
  if (status === 0) return `nothing came${error === undefined ? "" : ` (${error})`}`;
  return [String(status), code, inner].filter((word) => word !== undefined && word !== null && word !== "").join(" ");
}
