/**
 * Every error that a client can see: one row a code, its HTTP status, and a text that is safe to show.
 * docs/reference/errors.md lists exactly these (test/signer/errors.test.ts).
 *
 * Statuses as octez reads them: its HTTP client asks again after 502 alone (10 tries in 3.6 s), so whatever
 * may heal by itself is 502 and nothing else is. 201 and 204 are never used.
 * @module
 */
export const ERRORS = {
  "malformed-request": { status: 400, text: "The request is not of the remote signer's form" },
  "malformed-payload": { status: 400, text: "The payload is not a valid Tezos request" },
  "authentication-missing": { status: 401, text: "This signer wants an authentication signature" },
  "token-required": { status: 401, text: "This port answers to who has its token" },
  "authentication-invalid": { status: 403, text: "The authentication signature is not by an authorized key" },
  "address-not-allowed": { status: 403, text: "This address may not ask for signatures" },
  "origin-not-allowed": { status: 403, text: "Web pages may not ask this signer" },
  "request-not-allowed": { status: 403, text: "The policy of this key does not allow the request" },
  "operator-absent": { status: 403, text: "A person must confirm the request, and nobody is there" },
  "operator-busy": { status: 403, text: "A person must confirm the request, and too many wait already" },
  "operator-declined": { status: 403, text: "A person declined the request" },
  "operator-timeout": { status: 403, text: "A person must confirm the request, and nobody did in time" },
  "too-long-to-confirm": { status: 403, text: "The request is too long for a person to read" },
  "device-policy": { status: 403, text: "The device that holds the key does not allow the request" },
  "listing-not-allowed": { status: 403, text: "Listing the keys is not allowed" },
  "proof-of-possession": { status: 403, text: "Only tz4 keys prove possession, and no key here is one" },
  "unknown-key": { status: 404, text: "No such key here" },
  "unknown-path": { status: 404, text: "No such path" },
  "method-not-allowed": { status: 405, text: "That method is not for this path" },
  "request-timeout": { status: 408, text: "The request did not arrive in time" },
  "position-below-watermark": { status: 409, text: "A higher level or round was already signed" },
  "position-already-signed": { status: 409, text: "Other bytes were already signed at this level and round" },
  "device-watermark": { status: 409, text: "The device that holds the key has passed this position already" },
  "level-behind-head": { status: 409, text: "The level is too far behind the head of the chain" },
  "level-implausible": { status: 409, text: "The level is too far ahead of what was signed before" },
  "body-too-large": { status: 413, text: "The request is too large" },
  "host-not-allowed": { status: 421, text: "This port does not answer to that name" },
  "headers-too-large": { status: 431, text: "The request line and headers are too large" },
  "watermark-missing": { status: 500, text: "The record of what this key signed is missing, so nothing is signed" },
  "watermark-untrusted": { status: 500, text: "The record of what was signed cannot be trusted, so nothing is signed" },
  "internal-error": { status: 500, text: "The signer failed" },
  "level-ahead-of-head": { status: 502, text: "The level is too far ahead of the head of the chain; ask again" },
  "head-unknown": { status: 502, text: "The head of the chain is not known; ask again" },
  "watermark-unavailable": { status: 502, text: "The watermark store did not answer in time; ask again" },
  "vault-unavailable": { status: 502, text: "The key did not answer in time; ask again" },
  "signature-invalid": { status: 502, text: "The key's signature did not verify and was dropped; ask again" },
} as const satisfies Record<string, { status: number; text: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** Thrown anywhere below http/, turned into an answer in one place: http/error-response.ts. */
export class SignerError extends Error {
  override readonly name = "SignerError";
  readonly code: ErrorCode;

  /**
   * @param code a row of ERRORS
   * @param detail what is wrong, where, and what to do; shown to the client, so never a secret
   */
  constructor(code: ErrorCode, detail: string, options?: ErrorOptions) {
    super(`${ERRORS[code].text}: ${detail}`, options);
    this.code = code;
  }

  /** HTTP status of the answer. */
  get status(): number {
    return ERRORS[this.code].status;
  }
}

/** Ends a signer's start, for what waiting would not mend. */
export class StartError extends Error {
  override readonly name = "StartError";
  /** `in-use`: another program has it; `refused`: this user may not; `unusable`: settings or a file that they name are wrong. */
  readonly problem: "in-use" | "refused" | "unusable";

  /** @param message whole sentences for whoever runs the signer: what is wrong, and what to do; never a secret */
  constructor(problem: StartError["problem"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.problem = problem;
  }
}

/** Returns the message of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** As many causes of an error, and as many errors of an AggregateError, are told; and as many characters in all. */
const MAX_CAUSES = 5;
const MAX_LENGTH = 1_000;

/**
 * Returns the messages of whatever was thrown and of what caused it, the outermost first: `outer: the real reason`. Of its
 * fields it tells nothing, since they may hold headers or tokens.
 */
export function messagesOf(thrown: unknown): string {
  const text = messagesBelow(thrown, MAX_CAUSES);
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
}

function messagesBelow(thrown: unknown, left: number): string {
  if (typeof thrown === "string") return thrown;
  if (!(thrown instanceof Error)) return `thrown: ${typeof thrown}`;
  const { message, cause } = thrown;
  const errors: unknown[] = thrown instanceof AggregateError ? thrown.errors.slice(0, MAX_CAUSES) : [];
  const below = left === 0 ? [] : [...(cause === undefined ? [] : [cause]), ...errors];
  const texts = below.map((each) => messagesBelow(each, left - 1)).filter((text) => !message.includes(text));
  return [message, texts.join("; ")].filter(Boolean).join(": ") || thrown.name;
}

/** What is wrong with a file or folder, by the system's code. */
const FILE_FAULTS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EEXIST: "something else of that name is there",
  EISDIR: "it is a directory",
  ENOTDIR: "a part of the path is no directory",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk is full for this user",
  EROFS: "the disk is read-only",
  EIO: "the disk has a fault",
  ELOOP: "its links lead in a circle",
  ENAMETOOLONG: "its name is too long",
  EMFILE: "this process has too many files open",
  ECONNREFUSED: "nobody listens there",
  EADDRINUSE: "something else of that name is there",
};

/** Words the system's reason why a file cannot be had, without the path, which a sentence about a file has already. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return FILE_FAULTS[code ?? ""] ?? message;
}
