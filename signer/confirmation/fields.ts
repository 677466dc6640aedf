import type { InlinedBlock, InlinedVote, Operation } from "../tezos/payload/operation.ts";
import { FORMATS, type Format, type Formatted } from "./formats.ts";
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
  refutation: (label, value) => {
    const move = one(`${label}: move`, value.move);
    switch (value.move) {
      case "start":
        return [
          ...move,
          ...one("player commitment", value.playerCommitment),
          ...one("opponent commitment", value.opponentCommitment),
        ];
      case "dissection":
        return [
          ...move,
          ...one("choice", String(value.choice)),
          ...each("section", value.sections, (name, { state, tick }) =>
            one(name, `tick ${tick}, state ${state ?? "none"}`),
          ),
        ];
      case "proof":
        return [
          ...move,
          ...one("choice", String(value.choice)),
          ...one("proof", value.proof),
          ...one("input", value.input),
        ];
    }
  },
  vote: (label, { kind, ...position }) => [...one(`${label}: kind`, kind), ...at(label, position)],
  block: at,
};

/** Writes whom an account delegates to: oneself means more than that. */
export function delegate(to: string | undefined, source: string | undefined): string {
  if (to === undefined) return "none";
  return to === source ? `${to} to itself (registers as a baker)` : to;
}

/** Writes every field of an operation. */
export function fieldsOf(operation: Operation): readonly Field[] {
  const values: Readonly<Record<string, unknown>> = { ...operation };
  const source = "source" in operation ? operation.source : undefined;
  return Object.entries<Format>(FORMATS[operation.kind]).flatMap(([name, format]) => {
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

function at(label: string, { level, round }: InlinedBlock | Omit<InlinedVote, "kind">): readonly Field[] {
  return one(label, `level ${level}, round ${round}`);
}
