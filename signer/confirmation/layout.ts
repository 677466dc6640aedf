import { columns, fold, foldWords, shorten, visible } from "./visible.ts";

/**
 * Puts labels and values on lines of which none is as wide as the terminal, with every value behind the margin. Pure.
 * @module
 */

/** Stands before every line of a value; no value has this character, since visible() escapes it. */
export const MARGIN = "│ ";
/** In a terminal narrower than this an address has no room beside its label, and stands below it. */
const WIDE = 60;
/** Columns of the labels in the block, and of those in the details. */
const BLOCK_LABEL = 10;
export const DETAIL_LABEL = 20;

/** Tells whether labels have values below them. */
export function isNarrow(width: number): boolean {
  return width < WIDE;
}

/** Counts the columns of a value beside its label. */
export function valueWidth(width: number, label = BLOCK_LABEL): number {
  return width - 1 - label - MARGIN.length;
}

/** Counts the columns of a value below its label. */
export function widthBelow(width: number): number {
  return width - 2 - MARGIN.length;
}

/** Lays out a label and a value, on as many lines as the value needs. */
export function row(label: string, value: string, width: number, column = BLOCK_LABEL): readonly string[] {
  return laid(label, width, (room) => fold(visible(value), room), column);
}

/** Lays out a label and a value, of which so many lines are shown at most. */
export function limited(label: string, value: string, width: number, most: number): readonly string[] {
  return laid(label, width, (room) => fold(shorten(visible(value), room * most), room));
}

/** Lays out a label and words of the signer's own. */
export function words(label: string, text: string, width: number): readonly string[] {
  return laid(label, width, (room) => foldWords(text, room));
}

/** Puts lines beside their label where they have room, and else below it. @param make lines of so many columns */
export function laid(
  label: string,
  width: number,
  make: (room: number) => readonly string[],
  column = BLOCK_LABEL,
): readonly string[] {
  const beside = make(valueWidth(width, column));
  const fits = columns(label) < column && (!isNarrow(width) || beside.length === 1);
  if (fits) return beside.map((line, index) => `${(index === 0 ? label : "").padEnd(column)}${MARGIN}${line}`);
  const below = make(widthBelow(width)).map((line) => ` ${MARGIN}${line}`);
  return label.trim() === "" ? below : [label, ...below];
}
