import type { Operation } from "../tezos/payload/operation.ts";
import { BLOCK, FORMATS, type Format, type Formatted, MOVES, SECTION, VOTE } from "./formats.ts";
import { addressOf, micheline, stakingTerms, textOf, tez } from "./values.ts";

/** A value with what it is. The label is the signer's own word, the value may be anybody's. */
export interface Field {
  readonly label: string;
  readonly value: string;
}

type Writer<F extends Format> = (label: string, value: Formatted[F], source: string | undefined) => readonly Field[];

/** How each format is written; `source` is who the operation is by. */
const WRITERS: { readonly [F in Format]: Writer<F> } = {
  tez: (label, value) => one(label, value === undefined ? "none" : tez(value)),
  number: (label, value) => one(label, value === undefined ? "none" : String(value)),
  name: one,
  address: one,
  delegate: (label, value, source) => one(label, delegate(value, source)),
  key: (label, value) => [
    { label, value },
    { label: `${label}'s address`, value: addressOf(value) },
  ],
  hash: (label, value) => one(label, value ?? "none"),
  hex: one,
  text: (label, value) => {
    const text = textOf(Buffer.from(value, "hex"));
    return text === undefined ? one(label, value) : [...one(label, value), ...one(`${label} as text`, text)];
  },
  micheline: (label, value) => one(label, micheline(value)),
  stakingTerms: (label, value) => {
    const terms = stakingTerms(value);
    const words = terms === undefined ? [] : [...one("limit", terms.limit), ...one("edge", terms.edge)];
    return [...one(label, micheline(value)), ...words];
  },
  addresses: (label, value) => (value === undefined ? one(label, "none") : each(label, value, one)),
  hashes: (label, value) => each(label, value, one),
  texts: (label, value) => each(label, value, (name, item) => WRITERS.text(name, item, undefined)),
  numbers: (label, value) => one(label, value.join(" ")),
  refutation: (label, value) => within(label, MOVES[value.move], value),
  sections: (label, value) => each(label, value, (name, section) => within(name, SECTION, section)),
  vote: (label, value) => within(label, VOTE, value),
  block: (label, value) => within(label, BLOCK, value),
};

/** Writes whom an account delegates to: oneself means more than that. */
export function delegate(to: string | undefined, source: string | undefined): string {
  if (to === undefined) return "none";
  return to === source ? `${to} to itself (registers as a baker)` : to;
}

/** Writes every field of an operation. */
export function fieldsOf(operation: Operation): readonly Field[] {
  const source = "source" in operation ? operation.source : undefined;
  return written(FORMATS[operation.kind], operation, source);
}

/** Writes every field of what lies in one. */
function within(label: string, formats: Readonly<Record<string, Format>>, value: object): readonly Field[] {
  return written(formats, value, undefined).map((field) => ({ ...field, label: `${label}: ${field.label}` }));
}

function written(
  formats: Readonly<Record<string, Format>>,
  value: object,
  source: string | undefined,
): readonly Field[] {
  const values: Readonly<Record<string, unknown>> = { ...value };
  return Object.entries(formats).flatMap(([name, format]) => {
    const label = name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
    // The table holds the format of this very field, which its type has proven.
    const write = WRITERS[format] as (label: string, value: unknown, source: string | undefined) => readonly Field[];
    return write(label, values[name], source);
  });
}

function one(label: string, value: string): readonly Field[] {
  return [{ label, value }];
}

function each<Item>(
  label: string,
  items: readonly Item[],
  write: (label: string, item: Item) => readonly Field[],
): readonly Field[] {
  if (items.length === 0) return one(label, "none");
  return items.flatMap((item, index) => write(`${label} ${index + 1} of ${items.length}`, item));
}
