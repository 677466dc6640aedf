/** A resource's inputs or outputs: JSON. */
export type Properties = Readonly<Record<string, unknown>>;

/** What pulumi puts where a preview does not know a value yet. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** The value at a path of names, or undefined. */
export function at(value: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>(
      (inner, name) => (typeof inner === "object" && inner !== null ? (inner as Properties)[name] : undefined),
      value,
    );
}

/** The text at a path; empty where there is none. */
export function text(value: unknown, path: string): string {
  const found = at(value, path);
  return typeof found === "string" ? found : "";
}

/** The objects in the list at a path. */
export function list(value: unknown, path: string): Properties[] {
  const found = at(value, path);
  return Array.isArray(found) ? (found as Properties[]) : [];
}

/** The texts in the list at a path. */
export function texts(value: unknown, path: string): string[] {
  const found = at(value, path);
  return Array.isArray(found) ? found.filter((entry) => typeof entry === "string") : [];
}
