import { PRIMITIVES } from "./michelson-primitives.ts";
import { hex, PayloadError, type Reader } from "./reader.ts";

/** A Micheline expression in the JSON form of octez's RPC. */
export type Micheline =
  | { readonly int: string }
  | { readonly string: string }
  | { readonly bytes: string }
  | { readonly prim: string; readonly args?: readonly Micheline[]; readonly annots?: readonly string[] }
  | readonly Micheline[];

/** What a transaction without parameters passes. */
export const UNIT: Micheline = { prim: "Unit" };

/** Deepest nesting read. Real parameters stay below 100; the bound keeps a hostile payload off the stack's end. */
const MAX_DEPTH = 1000;

/** Reads one expression that fills its length-prefixed part (script_repr.ml lazy_expr_encoding). */
export function readScript(reader: Reader, name: string): Micheline {
  const part = reader.part(name);
  const expression = readNode(part, name, 0);
  part.end(name);
  return expression;
}

/** One node (micheline_encoding.ml, binary, semantics V2). */
function readNode(reader: Reader, name: string, depth: number): Micheline {
  const at = reader.offset;
  if (depth > MAX_DEPTH) throw new PayloadError(at, `${name} is nested deeper than ${MAX_DEPTH}`);
  const child = (from: Reader) => readNode(from, name, depth + 1);
  const tag = reader.uint8(name);
  switch (tag) {
    case 0:
      return { int: reader.integer(`an integer in ${name}`).toString() };
    case 1:
      return { string: readText(reader, `a string in ${name}`) };
    case 2:
      return reader.part(`a sequence in ${name}`).list(child);
    case 3:
    case 4:
      return primitive(readPrimitive(reader, name), [], tag === 4 ? readAnnotations(reader, name) : []);
    case 5:
    case 6: {
      const prim = readPrimitive(reader, name);
      const args = [child(reader)];
      return primitive(prim, args, tag === 6 ? readAnnotations(reader, name) : []);
    }
    case 7:
    case 8: {
      const prim = readPrimitive(reader, name);
      const args = [child(reader), child(reader)];
      return primitive(prim, args, tag === 8 ? readAnnotations(reader, name) : []);
    }
    case 9: {
      const prim = readPrimitive(reader, name);
      const args = reader.part(`arguments in ${name}`).list(child);
      return primitive(prim, args, readAnnotations(reader, name));
    }
    case 10:
      return { bytes: Buffer.from(reader.part(`bytes in ${name}`).rest()).toString("hex") };
    default:
      throw new PayloadError(at, `${hex(tag)} begins no Micheline node`);
  }
}

function primitive(prim: string, args: Micheline[], annots: string[]): Micheline {
  return { prim, ...(args.length > 0 && { args }), ...(annots.length > 0 && { annots }) };
}

function readPrimitive(reader: Reader, name: string): string {
  const at = reader.offset;
  const number = reader.uint8(name);
  const prim = PRIMITIVES[number];
  if (prim === undefined) throw new PayloadError(at, `${hex(number)} is no Michelson primitive`);
  return prim;
}

/** A Michelson string: printable ASCII and newlines only (script_string.ml), so it is safe to show. */
function readText(reader: Reader, name: string): string {
  const part = reader.part(name);
  const at = part.offset;
  const text = Buffer.from(part.rest()).toString("latin1");
  const wrong = text.search(/[^\n\x20-\x7e]/);
  if (wrong >= 0) throw new PayloadError(at + wrong, `${name} has a character that is not printable`);
  return text;
}

/** Annotations stand in one string with a space between (micheline_parser.ml check_annot). */
function readAnnotations(reader: Reader, name: string): string[] {
  const part = reader.part(`annotations in ${name}`);
  const at = part.offset;
  const text = Buffer.from(part.rest()).toString("latin1");
  const annotations = text === "" ? [] : text.split(" ");
  if (!annotations.every((annotation) => /^[@:$&%!?][\w.%@]{0,254}$/.test(annotation))) {
    throw new PayloadError(at, `${name} has a malformed annotation`);
  }
  return annotations;
}
