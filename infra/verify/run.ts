/**
 * A run of `npm run verify`, as the tags of the vault that it makes name it: by them another run leaves that vault alone,
 * and takes away one whose run has ended.
 * @module
 */
import { hostname } from "node:os";

export type Tags = Readonly<Record<string, string>>;

const [BY, AT] = ["made-by", "made-at"];

/** No run has its vault for longer, in milliseconds: the machine has a quarter of an hour for each of two commands. */
const LONGEST_MS = 60 * 60_000;

/** Names the run of this process. */
export function ownRun(): Tags {
  return { [BY]: `${hostname()} ${process.pid}`, [AT]: new Date(Date.now()).toISOString() };
}

/**
 * Says that another run may be at work in what has these tags.
 * @param own this run's tags
 * @returns undefined where none is, as far as this computer can tell
 */
export function otherRun(tags: Tags | null | undefined, own: Tags): string | undefined {
  const began = Date.parse(tags?.[AT] ?? "");
  const isOwn = tags?.[BY] === own[BY] && tags?.[AT] === own[AT];
  if (isOwn || Number.isNaN(began) || Math.abs(Date.now() - began) > LONGEST_MS) return undefined;
  const [, computer, number] = /^(.*) (\d+)$/.exec(tags?.[BY] ?? "") ?? [];
  const what = `another \`npm run verify\` made a vault at ${time(began)} and may be at work in it`;
  if (computer !== hostname())
    return `${what}, on another computer: ask again once it has ended, or at ${time(began + LONGEST_MS)}`;
  return isAtWork(Number(number))
    ? `${what} (process ${number} of this computer): ask again once it has ended`
    : undefined;
}

function time(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(11, 16)} UTC`;
}

/** Tells whether a process of this computer lives; an earlier one of this one's number does not. */
function isAtWork(number: number): boolean {
  if (number === process.pid) return false;
  try {
    process.kill(number, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
