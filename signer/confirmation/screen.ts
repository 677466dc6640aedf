import type { Section } from "./describe.ts";
import { DETAIL_LABEL, isNarrow, laid, limited, MARGIN, row, valueWidth, widthBelow, words } from "./layout.ts";
import type { PendingRequest } from "./question.ts";
import type { Destination, Summary } from "./summary.ts";
import { tez } from "./values.ts";
import { columns, fold, foldWords, shorten, visible } from "./visible.ts";

/**
 * Lays a question out for a terminal's width. What may be anybody's stands behind a margin that no value can write, and no
 * line is as wide as the terminal, so none is broken by it. Pure.
 * @module
 */

/** What fits on every screen, with the prompt: no block has more lines. */
export const BLOCK_LINES = 19;

/** The lines of a value shown at first, and of all values together; the rest is shown on demand. */
const FIRST_LINES = 3;
const MOST_FIRST_LINES = 100;

/** A line of the block; warnings stand out where a terminal has colours. */
export interface Line {
  readonly text: string;
  readonly isWarning?: boolean;
}

/** Lays out everything that is known of a question. */
export function allLines(question: PendingRequest, width: number): readonly string[] {
  return [...sectionsOf(question), asAWhole(question)].flatMap(({ title, fields }) => [
    ...foldWords(title, width - 1),
    ...fields.flatMap(({ label, value }) => row(`  ${label}`, value, width, DETAIL_LABEL)),
  ]);
}

/** Lays out the beginning of each value. @returns the lines, and how many more {@link allLines} has */
export function firstLines(question: PendingRequest, width: number): { lines: readonly string[]; left: number } {
  let left = 0;
  const lines = sectionsOf(question).flatMap(({ title, fields }) => [
    ...foldWords(title, width - 1),
    ...fields.flatMap(({ label, value }) => {
      const whole = row(`  ${label}`, value, width, DETAIL_LABEL);
      // A label that stands alone is no line of the value.
      const kept = whole.slice(0, FIRST_LINES + (whole[0]?.includes(MARGIN) ? 0 : 1));
      const missing = whole.length - kept.length;
      left += missing;
      return missing === 0 ? kept : [...kept, `  (${missing} more lines)`];
    }),
  ]);
  return { lines: lines.slice(0, MOST_FIRST_LINES), left: left + Math.max(0, lines.length - MOST_FIRST_LINES) };
}

function sectionsOf({ id, since, client, key, digest, sections }: PendingRequest): readonly Section[] {
  const fields = [
    { label: "asked at", value: since },
    { label: "asked by", value: client },
    { label: "key", value: key },
    { label: "digest", value: digest },
  ];
  return [{ title: `Request ${id}`, fields }, ...sections];
}

/** What the block says, at any length. */
function asAWhole({ summary }: PendingRequest): Section {
  const { kinds, destinations, rest, effects, moreEffects, warnings } = summary;
  const to = destinations.map(({ address, mutez }) => ({ label: "to", value: `${address} ${tez(BigInt(mutez))}` }));
  const others = rest.count === 0 ? [] : [{ label: "to", value: `${rest.count} more: ${tez(BigInt(rest.mutez))}` }];
  const more = moreEffects === 0 ? [] : [{ label: "and", value: `${moreEffects} more of these` }];
  return {
    title: "As a whole",
    fields: [
      { label: "kinds", value: kinds },
      ...to,
      ...others,
      ...effects.map(({ label, value }) => ({ label: label.toLowerCase(), value })),
      ...more,
      ...warnings.map((value) => ({ label: "warning", value })),
    ],
  };
}

/** What a person types to say yes: so many characters of the digest, from a place that nobody knows before. */
export const CODE_LENGTH = 4;

/**
 * Lays out the block that stands above the prompt: at most {@link BLOCK_LINES} lines in any terminal of 40 columns and more.
 * @param at where in the digest the characters begin that are to be typed
 * @param left how many lines of the details are not on the screen
 */
export function blockLines(question: PendingRequest, width: number, at: number, left: number): readonly Line[] {
  const { id, digest, summary } = question;
  const title = `== Request ${id}: this would be signed `;
  const before: readonly Line[] = [
    { text: title.padEnd(width - 1, "=") },
    ...plain(limited("Signs", summary.kinds, width, isNarrow(width) ? 1 : 2)),
    ...plain(who(question, width)),
  ];
  const after: readonly Line[] = [
    ...costs(summary, width),
    ...missing(summary, left, width),
    ...plain(row("Digest", marked(digest, at), width)),
    ...foldWords(
      `To sign, type the ${CODE_LENGTH} characters in [ ]. "no" declines, "all" shows everything.`,
      width - 1,
    ).map((text) => ({
      text,
    })),
  ];
  const parts = [destinations(summary, width), effects(summary, width), warnings(summary, width)];
  return [...before, ...fill(parts, BLOCK_LINES - before.length - after.length), ...after];
}

/** Lines in a part of the block of which as many are shown as there is room for. */
interface Part {
  readonly items: readonly (readonly Line[])[];
  /** Tells what is not shown. @param shown how many items are; undefined where those are all */
  readonly more: (shown: number) => readonly Line[];
}

/** Takes an item of each part in turn, as long as there is room. */
function fill(parts: readonly Part[], room: number): readonly Line[] {
  const shown = parts.map(() => 0);
  const lines = (counts: readonly number[]) =>
    parts.flatMap(({ items, more }, index) => {
      const count = counts[index] ?? 0;
      return [...items.slice(0, count).flat(), ...more(count)];
    });
  for (let grows = true; grows; ) {
    grows = false;
    for (const [index, { items }] of parts.entries()) {
      const next = shown.with(index, (shown[index] ?? 0) + 1);
      if ((next[index] ?? 0) > items.length || lines(next).length > room) continue;
      shown.splice(0, shown.length, ...next);
      grows = true;
    }
  }
  return lines(shown);
}

function destinations({ destinations: all, rest }: Summary, width: number): Part {
  return {
    items: all.map((each, index) => plain(destination(each, index === 0 ? "To" : "", width))),
    more: (shown) => {
      const hidden = all.slice(shown);
      const count = hidden.length + rest.count;
      const mutez = hidden.reduce((sum, each) => sum + BigInt(each.mutez), BigInt(rest.mutez));
      return count === 0 ? [] : plain(row("", `and ${count} more: ${tez(mutez)}`, width));
    },
  };
}

function destination({ address, mutez }: Destination, label: string, width: number): readonly string[] {
  const amount = tez(BigInt(mutez));
  const both = `${address} ${amount}`;
  if (columns(both) <= valueWidth(width)) return row(label, both, width);
  return [...row(label, `${amount} to`, width), ...row("", address, width)];
}

function effects({ effects: all, moreEffects }: Summary, width: number): Part {
  return {
    items: all.map(({ label, value }) => plain(effect(label, value, width))),
    more: (shown) => {
      const count = all.length - shown + moreEffects;
      return count === 0 ? [] : plain(row("", `and ${count} more of these`, width));
    },
  };
}

/** One line of a value, which may stand below its label: an address then has room in every terminal. */
function effect(label: string, value: string, width: number): readonly string[] {
  const most = isNarrow(width) ? widthBelow(width) : valueWidth(width);
  return laid(label, width, (room) => fold(shorten(visible(value), most), room));
}

function warnings({ warnings: all }: Summary, width: number): Part {
  const warning = (text: string): readonly Line[] =>
    words("WARNING", text, width).map((each) => ({ text: each, isWarning: true }));
  return {
    items: all.map(warning),
    more: (shown) => (shown === all.length ? [] : warning(`and ${all.length - shown} more`)),
  };
}

/** Whose operations these are: the key's own, as a rule. */
function who({ key, summary: { source } }: PendingRequest, width: number): readonly string[] {
  if (source === key) return row("From", key, width);
  return [...(source === undefined ? [] : row("From", source, width)), ...row("Key", key, width)];
}

function costs({ costs: all }: Summary, width: number): readonly Line[] {
  if (all === undefined) return [];
  return plain([...limited("Fees", all.fees, width, 1), ...limited("Storage", all.storage, width, 1)]);
}

function missing({ unread }: Summary, left: number, width: number): readonly Line[] {
  const { fields, operations } = unread;
  const held = `${fields} fields of ${operations === 1 ? "1 operation" : `${operations} operations`}`;
  const lines = [
    ...(fields === 0 ? [] : limited("Not shown", held, width, 1)),
    ...(left === 0 ? [] : limited("More", `${left} lines: type all`, width, 1)),
  ];
  return lines.map((text) => ({ text, isWarning: true }));
}

/** The digest around the characters that are to be typed. */
function marked(digest: string, at: number): string {
  const end = at + CODE_LENGTH;
  const before = `${at > 8 ? ".." : ""}${digest.slice(Math.max(0, at - 8), at)}`;
  return `${before}[${digest.slice(at, end)}]${digest.slice(end, end + 8)}${digest.length > end + 8 ? ".." : ""}`;
}

function plain(lines: readonly string[]): readonly Line[] {
  return lines.map((text) => ({ text }));
}
