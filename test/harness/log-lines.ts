import type { Logger } from "pino";
import { jsonLog } from "../../signer/cli/log.ts";

/** A logger of every level, and what was written to it. */
export function logLines(): { readonly log: Logger; readonly lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const log = jsonLog((line) => void lines.push(readLogLine(line)), "debug");
  return { log, lines };
}

/**
 * Reads a line of the log.
 * @throws Error where a name is in it twice, of which JSON.parse and most others keep the last in silence
 */
export function readLogLine(line: string): Record<string, unknown> {
  const read = JSON.parse(line);
  if (JSON.stringify(read) !== line.trimEnd()) throw new Error(`a name is in it twice: ${line}`);
  return read;
}
