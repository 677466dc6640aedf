import type { Description } from "../../signer/confirmation/describe.ts";
import { OPERATION_KINDS } from "../../signer/tezos/payload/operation.ts";

/**
 * What a question may look like at a terminal: which lines are the signer's own, and where the margin of the others is.
 * @module
 */

const MARGIN = "│ ";
/** Columns before the margin: below a label, beside one in the block, beside one in the details. */
const MARGINS = [1, 10, 20];
const HINT = 'To sign, type the 4 characters in [ ]. "no" declines, "all" shows everything.';
/** What the signer writes without a margin: titles, hints, prompts, and words about the connection. */
const OWN_LINE = new RegExp(
  `^(${[
    "Waiting for signing requests\\. Ctrl-C to quit\\.",
    "== Request \\d+: this would be signed =*",
    "Request \\d+|operation \\(0x03\\)|packed data \\(0x05\\)|As a whole",
    `(\\d+ of \\d+:)? ?(${OPERATION_KINDS.join("|")})?`,
    " {2}\\(\\d+ more lines\\)",
    "-- \\d+ of \\d+: Enter, or q -- .*",
    "(Request \\d+, \\d:\\d\\d left> )+.*",
    "Declined: request \\d+\\. Nothing was signed\\.",
    "Not understood\\. Nothing was signed\\.",
  ].join("|")})$`,
);

/** The labels that a question may have: none of them comes from its values. */
export function labelsOf({ sections }: Description): ReadonlySet<string> {
  const own = "Signs,From,Key,To,Fees,Storage,Not shown,More,Digest,WARNING".split(",");
  const effects =
    "Delegate,Pays for,Rollup,Proposes,Baker key,Companion,Reveals,Limit,Edge,Calls,Tickets,Gives to,Drains,Drains to,Account,Votes,Text,Bytes";
  const names = ["asked at", "asked by", "key", "digest", "kinds", "to", "and", "warning", ...effects.split(",")];
  const labels = sections.flatMap(({ fields }) => fields.map(({ label }) => label));
  return new Set(["", ...own, ...[...names, ...names.map((name) => name.toLowerCase()), ...labels]]);
}

/** Tells whether a line is the signer's own, or has its value behind the margin and nothing but a label before it. */
export function isSound(line: string, labels: ReadonlySet<string>): boolean {
  const at = line.indexOf(MARGIN);
  if (at < 0) return OWN_LINE.test(line) || labels.has(line.trim()) || HINT.includes(line);
  return MARGINS.includes(at) && labels.has(line.slice(0, at).trim());
}

/** The rows that a terminal makes of what was written to it, without colours and the bell. */
export function rowsOf(screen: string, columns: number): readonly string[] {
  const style = new RegExp(`${String.fromCharCode(27)}\\[[\\d;]*m|${String.fromCharCode(7)}`, "g");
  return screen
    .replaceAll(style, "")
    .split("\n")
    .flatMap((line) => (line === "" ? [""] : (line.match(new RegExp(`.{1,${columns}}`, "gu")) ?? [line])));
}
