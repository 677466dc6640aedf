/**
 * Holds a request's body to a type of Azure's own specifications. Pure; test/fixtures/azure-types/README.md has the form.
 * @module
 */

/** A type, as the fixture has it. */
export interface Type {
  readonly object?: Readonly<Record<string, Type>>;
  readonly readOnly?: readonly string[];
  readonly additional?: Type;
  readonly discriminator?: string;
  readonly cases?: Readonly<Record<string, Type>>;
  readonly array?: Type;
  readonly oneOf?: readonly Type[];
  readonly type?: "string" | "integer" | "boolean";
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minValue?: number;
  readonly maxValue?: number;
  readonly enum?: readonly string[];
  readonly open?: true;
  readonly const?: string;
  readonly any?: true;
  readonly required?: true;
}

/** An open list that is behind what there is: Azure sells sizes that no API version names. */
const OUTGROWN = /^properties\.hardwareProfile\.vmSize$/;

/**
 * Judges a value. A value that an open list does not name is a mistake too: all that the stack sends is named, so a slip
 * is likelier than a newer service.
 * @param path of the value in the body; empty for the body itself
 * @returns a sentence for each mistake, with its path
 */
export function mistakes(value: unknown, type: Type, path = ""): string[] {
  if (type.any) return [];
  if (type.oneOf !== undefined) {
    const each = type.oneOf.map((one) => mistakes(value, one, path));
    return each.some((found) => found.length === 0) ? [] : (each[0] ?? []);
  }
  if (type.object !== undefined) return inObject(value, type, path);
  if (type.array !== undefined) {
    const { array } = type;
    if (!Array.isArray(value)) return [`${path} is ${kind(value)} and must be a list`];
    return value.flatMap((entry, index) => mistakes(entry, array, `${path}.${index}`));
  }
  return inLeaf(value, type, path);
}

function inObject(value: unknown, type: Type, path: string): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return [`${path} is ${kind(value)} and must be an object`];
  }
  const given = value as Readonly<Record<string, unknown>>;
  const found: string[] = [];
  const properties = { ...type.object, ...chosen(given, type, path, found) };
  for (const [name, inner] of Object.entries(given)) {
    const at = path === "" ? name : `${path}.${name}`;
    const known = properties[name] ?? type.additional;
    if (type.readOnly?.includes(name)) found.push(`${at} is Azure's own to write`);
    else if (known === undefined) found.push(`${at} is not known`);
    else found.push(...mistakes(inner, known, at));
  }
  for (const [name, { required }] of Object.entries(properties)) {
    if (required && given[name] === undefined) found.push(`${path === "" ? name : `${path}.${name}`} is missing`);
  }
  return found;
}

/** The properties of the case that the discriminator names. */
function chosen(
  given: Readonly<Record<string, unknown>>,
  { discriminator, cases }: Type,
  path: string,
  found: string[],
) {
  if (discriminator === undefined || cases === undefined) return {};
  const name = given[discriminator];
  const one = typeof name === "string" ? cases[name] : undefined;
  if (one === undefined) found.push(`${path}.${discriminator} names none of ${Object.keys(cases).join(", ")}`);
  return one?.object ?? {};
}

function inLeaf(value: unknown, type: Type, path: string): string[] {
  const named = type.enum ?? (type.const === undefined ? undefined : [type.const]);
  if (named !== undefined) {
    if (typeof value !== "string") return [`${path} is ${kind(value)} and must be text`];
    if (named.includes(value) || (type.open && OUTGROWN.test(path))) return [];
    return [`${path} is ${JSON.stringify(value)}, which is none of ${named.join(", ")}`];
  }
  if (type.type === "integer") {
    if (typeof value !== "number" || !Number.isInteger(value))
      return [`${path} is ${kind(value)} and must be an integer`];
    const isWithin = value >= (type.minValue ?? -Infinity) && value <= (type.maxValue ?? Infinity);
    return isWithin ? [] : [`${path} is ${value}, which is out of its bounds`];
  }
  if (typeof value !== type.type) return [`${path} is ${kind(value)} and must be a ${type.type}`];
  if (typeof value !== "string") return [];
  const fits =
    value.length >= (type.minLength ?? 0) &&
    value.length <= (type.maxLength ?? Infinity) &&
    new RegExp(type.pattern ?? "").test(value);
  return fits ? [] : [`${path} is ${JSON.stringify(value)}, which is against the rule for it`];
}

function kind(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "a list" : `of type ${typeof value}`;
}
