import { hang, harmless } from "./text.ts";

/**
 * The log's lines in words, for a person at a terminal.
 * @module
 */

/** A line of the log, as it is written for programs. */
type Line = Readonly<Record<string, unknown>>;

/** What every line has, or what its words have told. */
const TOLD = ["severity", "time", "msg"];

/**
 * Puts a line of the log into words.
 * @param columns of the terminal
 * @returns lines of which nothing can steer the terminal
 */
export function readable(line: Line, columns: number): { readonly text: string; readonly isWarning: boolean } {
  const { severity, time } = line;
  const clock = new Date(String(time)).toTimeString().slice(0, 8);
  const isWarning = severity === "warn" || severity === "error";
  const mark = severity === "error" ? "ERROR: " : "";
  const words = harmless(`${mark}${inWords(line)}`).replaceAll(/\s+/g, " ");
  return { text: hang(`${clock}  `, words, columns), isWarning };
}

function inWords(line: Line): string {
  const { msg, verdict, code, confirmation } = line;
  if (verdict !== undefined) return decision(line);
  if (code !== undefined) return `refused ${line.client}: ${line.reason ?? line.error} (${code})${repeated(line)}`;
  if (confirmation !== undefined) {
    const { decision, key, operator, seconds } = line;
    const by = operator === undefined ? "" : ` by ${operator}`;
    return `request ${confirmation} for ${key}: ${decision}${by}, after ${seconds} s`;
  }
  if (msg === "listening") return `listening at ${line.url}`;
  return `${msg}${others(line)}`;
}

/** A request that reached a key's policy. */
function decision(line: Line): string {
  const { verdict, key, msg } = line;
  const what = `${asked(line)} for ${key}`;
  switch (verdict) {
    case "signed":
      return `signed ${what}${took(line)}`;
    case "kept":
      return `gave again the signature of ${what}${took(line)}${repeated(line)}`;
    default: {
      const why = [msg, line.error, line.cause].filter((part) => part !== undefined).join(": ");
      return `refused ${what}: ${why} (${verdict})${repeated(line)}`;
    }
  }
}

function asked({ kind, operation, operations, moreOperations, level, round }: Line): string {
  if (operation !== undefined) return `${operation} at level ${level} round ${round}`;
  if (!Array.isArray(operations)) return String(kind ?? "what could not be read");
  const more = moreOperations === undefined ? "" : ` and ${moreOperations} more`;
  return `${operations.join(", ")}${more}`;
}

function took({ milliseconds }: Line): string {
  const { total } = (milliseconds ?? {}) as { readonly total?: number };
  return total === undefined ? "" : ` (${total < 1 ? total.toFixed(1) : Math.round(total)} ms)`;
}

function repeated({ repeated }: Line): string {
  if (repeated === undefined) return "";
  return repeated === 1 ? ", once more" : `, ${repeated} times more`;
}

/** The fields that no words have told: ` (store 5f0c…, seconds 4)`. A value that names itself (`operator 1`) stands alone. */
function others(line: Line): string {
  const left = Object.entries(line).filter(
    ([name, value]) => !TOLD.includes(name) && value !== undefined && value !== null,
  );
  if (left.length === 0) return "";
  const words = left.map(([name, value]) => {
    const text = shown(value);
    return text.startsWith(`${name} `) ? text : `${name} ${text}`;
  });
  return ` (${words.join(", ")})`;
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.map(shown).join(", ");
  if (typeof value !== "object" || value === null) return String(value);
  return Object.entries(value)
    .map(([name, part]) => `${name} ${shown(part)}`)
    .join(", ");
}
