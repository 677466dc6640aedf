import type { Logger } from "pino";
import { messagesOf, SignerError } from "../errors.ts";
import { RateLimitedLog } from "./rate-limited-log.ts";

/** Logs requests that are refused before a key's policy is asked: one line a second at most, and one for defects. */
export class RefusalLog {
  readonly #refusals: RateLimitedLog;
  readonly #defects: RateLimitedLog;

  constructor(logger: Logger) {
    this.#refusals = new RateLimitedLog(logger.warn.bind(logger));
    this.#defects = new RateLimitedLog(logger.error.bind(logger));
  }

  /**
   * Writes a refusal, or a defect for whatever is no SignerError.
   * @param client IP address
   */
  write(client: string, error: unknown): void {
    if (error instanceof SignerError) {
      this.#refusals.write({ code: error.code, client, reason: error.message }, "refused");
      return;
    }
    this.#defects.write({ code: "internal-error", client, ...defectFields(error) }, "unexpected error");
  }
}

/** Returns what the log may hold of an error that nobody foresaw: its text, its causes' texts and its stack. */
export function defectFields(thrown: unknown): { readonly error: string; readonly stack: string | undefined } {
  return { error: messagesOf(thrown), stack: thrown instanceof Error ? thrown.stack : undefined };
}
