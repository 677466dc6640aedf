import { type Logger, pino, stdTimeFunctions } from "pino";
import { visibleJson } from "../invisible-characters.ts";
import type { Io } from "./terminal.ts";

/** JSON lines on standard error: standard output is for what a person asked for. */
export function openLog(io: Io): Logger {
  const formatters = { level: (label: string) => ({ level: label }) };
  return pino(
    { base: null, timestamp: stdTimeFunctions.isoTime, formatters },
    { write: (line) => io.stderr.write(visibleJson(line)) },
  );
}
