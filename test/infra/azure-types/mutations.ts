/**
 * Wrong requests, made of right ones, one mistake each. Pure.
 * @module
 */
import type { Type } from "./types.ts";

type Properties = Readonly<Record<string, unknown>>;

export interface Mutation {
  readonly kind: "renamed" | "retyped" | "removed" | "misspelled" | "read-only";
  /** Of what was changed. */
  readonly path: string;
  /** All of it, with the mistake. */
  readonly value: Properties;
}

/** Changes the name and the type of each input of a plan, at every depth, one at a time. */
export function ofInputs(inputs: Properties): Mutation[] {
  return everyProperty(inputs).flatMap(({ path, value, put }) => [
    { kind: "renamed", path, value: put(`${path.split(".").at(-1)}X`, value) },
    { kind: "retyped", path, value: put(path.split(".").at(-1) ?? "", typeof value === "string" ? 7 : "text") },
  ]);
}

/** Removes what a body must have, misspells what is one of a list, and gives what Azure alone writes, one at a time. */
export function ofBody(body: Properties, type: Type): Mutation[] {
  return everyNode(body, type, "", (changed) => changed as Properties);
}

interface Place {
  readonly path: string;
  readonly value: unknown;
  /** Returns everything, with another name and value in this place. */
  readonly put: (name: string, value: unknown) => Properties;
}

function everyProperty(inputs: Properties): Place[] {
  const below = (value: unknown, path: string, rebuild: (value: unknown) => Properties): Place[] => {
    if (Array.isArray(value)) {
      return value.flatMap((entry, index) =>
        below(entry, `${path}.${index}`, (changed) => rebuild(value.with(index, changed))),
      );
    }
    if (typeof value !== "object" || value === null) return [];
    return Object.entries(value).flatMap(([name, inner]) => {
      const { [name]: _, ...others } = value as Properties;
      const put = (other: string, changed: unknown) => rebuild({ ...others, [other]: changed });
      const at = path === "" ? name : `${path}.${name}`;
      return [{ path: at, value: inner, put }, ...below(inner, at, (changed) => put(name, changed))];
    });
  };
  return below(inputs, "", (changed) => changed as Properties);
}

function everyNode(value: unknown, type: Type, path: string, rebuild: (value: unknown) => Properties): Mutation[] {
  const { enum: values, array, readOnly = [] } = type;
  if (typeof value === "string") {
    return values === undefined ? [] : [{ kind: "misspelled", path, value: rebuild(`${value}x`) }];
  }
  if (Array.isArray(value)) {
    return value.flatMap((entry, index) =>
      everyNode(entry, array ?? {}, `${path}.${index}`, (changed) => rebuild(value.with(index, changed))),
    );
  }
  if (typeof value !== "object" || value === null) return [];
  const given = value as Properties;
  const known = { ...type.object, ...type.cases?.[String(given[type.discriminator ?? ""])]?.object };
  const at = (name: string) => (path === "" ? name : `${path}.${name}`);
  return [
    ...readOnly.map((name): Mutation => {
      return { kind: "read-only", path: at(name), value: rebuild({ ...given, [name]: "x" }) };
    }),
    ...Object.entries(given).flatMap(([name, inner]): Mutation[] => {
      const { [name]: _, ...others } = given;
      const own = known[name] ?? type.additional ?? {};
      const rest = everyNode(inner, own, at(name), (changed) => rebuild({ ...given, [name]: changed }));
      return own.required ? [{ kind: "removed", path: at(name), value: rebuild(others) }, ...rest] : rest;
    }),
  ];
}
