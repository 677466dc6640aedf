import type { Twist } from "./played-network.ts";
import type { Part, World } from "./world.ts";

/** Something that is otherwise than this project assumes: Azure itself, or what somebody changed. */
export interface Fault {
  /** The row that finds it. */
  readonly row: string;
  /** A text of the row. */
  readonly says: string | RegExp;
  readonly breaks: (world: World) => void;
  /** Rows that are not ok, or not known, for the same reason. */
  readonly beside?: readonly string[];
}

/** Faults that do not hide each other, so that one look finds them all. */
export interface Look {
  readonly part: Part;
  readonly faults: readonly Fault[];
}

export const OWN = /^tezos-/;
export const THROWN = /^tzver/;

export function twist(host: RegExp, path: RegExp, change: Twist["change"], method?: string): Fault["breaks"] {
  return ({ network }) => void network.twists.push({ host, path, change, ...(method === undefined ? {} : { method }) });
}

export function status(status: number, body = ""): Twist["change"] {
  return (answer) => Object.assign(answer, { status, body });
}

/** Another answer in the place of those with a status, and a text where one is given. */
export function inPlaceOf(old: number, text: string, change: Twist["change"]): Twist["change"] {
  return (answer) => {
    if (answer.status === old && answer.body.includes(text)) change(answer);
  };
}

export const refusedWith = (code: string) =>
  status(403, JSON.stringify({ error: { code: "Forbidden", innererror: { code } } }));

/** Changes the JSON of an answer. */
export function json(change: (body: Record<string, unknown>) => void): Twist["change"] {
  return (answer) => {
    const body = JSON.parse(answer.body);
    change(body);
    answer.body = JSON.stringify(body);
  };
}

/** Changes what Azure has of a resource of the stack, as somebody in the portal does. */
export function changed(end: string, change: (inputs: Record<string, unknown>) => void): Fault["breaks"] {
  return ({ cloud }) => {
    const resource = [...cloud.resources.values()].find(({ id }) => id.endsWith(end));
    if (resource === undefined) throw new Error(`there is no ${end}`);
    const inputs = structuredClone(resource.inputs) as Record<string, unknown>;
    change(inputs);
    cloud.hold({ ...resource, inputs });
  };
}

export const ofVault = (inputs: Record<string, unknown>) =>
  inputs.properties as { networkAcls: Record<string, unknown>; accessPolicies: { permissions: { keys: string[] } }[] };

export type Listed = { attributes: { created: number; updated: number } }[];

/** A counter for the n-th of several answers. */
export function nth(count: number, change: Twist["change"]): Twist["change"] {
  let seen = 0;
  return (answer) => {
    seen += 1;
    if (seen === count) change(answer);
  };
}

/** The first answer again and again. */
export function again(): Twist["change"] {
  let first: string | undefined;
  return (answer) => {
    if (answer.status !== 200) return;
    first ??= answer.body;
    answer.body = first;
  };
}

export const KEYS = /^\/keys\?/;
export const SIGN_ONE = /^\/keys\/k1\/sign/;
export const ONE = /^\/keys\/k1\?/;
export const VERSION_OF_ONE = /^\/keys\/k1\/[0-9a-f]{32}\?/;

/** Services that are slow. */
export function slow(part: Part, rows: readonly string[]): Look {
  const breaks: Fault["breaks"] = ({ network }) => {
    network.slow = true;
  };
  return { part, faults: rows.map((row) => ({ row, says: "3000 ms", breaks })) };
}
