import type { Logger } from "pino";
import { messagesOf, SignerError } from "../errors.ts";
import { SummedLog } from "./summed-log.ts";

/** Logs requests that are refused before a key's policy is asked: repeated ones of a client are summed up, defects apart. */
export class RefusalLog {
  readonly #logger: Logger;
  readonly #refusals: SummedLog;
  readonly #defects: SummedLog;

  constructor(logger: Logger) {
    this.#logger = logger;
    this.#refusals = new SummedLog(logger.warn.bind(logger));
    this.#defects = new SummedLog(logger.error.bind(logger));
  }

  /**
   * Writes a refusal, or a defect for whatever is no SignerError.
   * @param client IP address
   */
  write(client: string, error: unknown): void {
    const logger = this.#logger;
    if (error instanceof SignerError) {
      const { code, message: reason } = error;
      const fields = { code, client, reason };
      this.#refusals.note(client, [code], code, { write: logger.warn.bind(logger), fields, message: "refused" });
      return;
    }
    const code = "internal-error";
    const fields = { code, client, ...defectFields(error) };
    this.#defects.note(client, [fields.error], code, {
      write: logger.error.bind(logger),
      fields,
      message: "unexpected error",
    });
  }

  /** Sums up what is only counted yet. */
  flush(): void {
    this.#refusals.flush();
    this.#defects.flush();
  }
}

/** Returns what the log may hold of an error that nobody foresaw: its text, its causes' texts and its stack. */
export function defectFields(thrown: unknown): { readonly error: string; readonly stack: string | undefined } {
  return { error: messagesOf(thrown), stack: thrown instanceof Error ? thrown.stack : undefined };
}
