import { type Logger, pino, stdTimeFunctions } from "pino";
import { visibleJson } from "../invisible-characters.ts";
import { readable } from "./log-text.ts";
import { hasColour, type Io, styled } from "./terminal.ts";
import { WIDTH } from "./text.ts";

/** How the log is written: a JSON object a line for programs, or sentences for a person. */
export const LOG_FORMATS = ["json", "text"] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/** The name of a line's severity. Not pino's `level`: a block's is in the same line, and JSON has room for one of a name. */
const SEVERITY = "severity";

/**
 * Opens the log on standard error: standard output is for what a person asked for.
 * @param format where it is absent, a person at a terminal gets sentences, and whatever else reads it JSON
 */
export function openLog(io: Io, format: LogFormat = io.stderr.isTTY ? "text" : "json"): Logger {
  const { stderr } = io;
  const write =
    format === "json"
      ? (line: string) => stderr.write(visibleJson(line))
      : (line: string) => {
          const { text, isWarning } = readable(JSON.parse(line), stderr.columns || WIDTH);
          stderr.write(`${styled({ text, isWarning }, hasColour(io))}\n`);
        };
  return jsonLog(write);
}

/** Makes a log of JSON lines, which begin with severity (`info`, `warn`, `error`) and time (ISO 8601). */
export function jsonLog(write: (line: string) => void, level = "info"): Logger {
  const formatters = { level: (label: string) => ({ [SEVERITY]: label }) };
  return pino({ level, base: null, timestamp: stdTimeFunctions.isoTime, formatters }, { write });
}
