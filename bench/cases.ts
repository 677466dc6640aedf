import type { VaultMood } from "./vault-process.ts";

/** What stands while cases are measured on it. */
export interface RigForm {
  readonly keys: "vault" | "token";
  readonly curve: "P-256" | "P-256K";
  readonly count: number;
  readonly store: "sqlite" | "table";
}

/** One way of measuring: the base case, or the base case with one thing changed. */
export interface Case {
  /** What is changed, in the words of docs/performance.md. */
  readonly name: string;
  readonly rig: RigForm;
  readonly way: "octez" | "kept";
  /** Between two requests of one signer, in milliseconds. */
  readonly pause: number;
  /** Requests a second, whatever has been answered; absent where one is asked at a time. */
  readonly rate?: number;
  readonly mood: VaultMood;
  /** Whether this signer alone is asked: whoever waits for an answer without end would take all of the case's time. */
  readonly isOursAlone?: true;
  /** How much of a repetition's time it gets, beside the others. */
  readonly share: number;
}

/** An HSM that always takes the same time, in milliseconds. */
const hsm = (milliseconds: number) => ({ median: milliseconds, p99: milliseconds });
const CALM: VaultMood = { latency: hsm(20), faults: [], isLimited: false };
/** One request in twenty, in three kinds. */
const FAULTS: VaultMood["faults"] = [
  { kind: "reset", on: "sign", rate: 1 / 60 },
  { kind: "status", status: 429, on: "sign", rate: 1 / 60 },
  { kind: "status", status: 503, on: "sign", rate: 1 / 60 },
];

export const BASE: Case = {
  name: "base case",
  rig: { keys: "vault", curve: "P-256", count: 1, store: "sqlite" },
  way: "octez",
  pause: 0,
  mood: CALM,
  share: 4,
};

/** The rates of the open loop, a second. */
export const RATES = [1, 10, 50, 100, 200, 300, 500];
/** Above the 200 a second that Key Vault takes. */
const TOO_MANY = 300;
const TEN_KEYS = { ...BASE.rig, count: 10 };
const OPEN = { ...BASE, rig: TEN_KEYS, share: 2.5 };

/**
 * All cases, in the order in which they are measured. Those with pauses come first on their rig: a baker's signer is never
 * busy, and one that was busy a moment ago is warmer.
 */
export const CASES: readonly Case[] = [
  { ...BASE, name: "6 s between two requests", pause: 6_000, share: 18 },
  { ...BASE, name: "1 s between two requests", pause: 1_000, share: 12 },
  { ...BASE, name: "60 ms between two requests", pause: 60, share: 4 },
  BASE,
  { ...BASE, name: "connections are kept", way: "kept" },
  { ...BASE, name: "HSM of 0 ms", mood: { ...CALM, latency: hsm(0) }, share: 2 },
  { ...BASE, name: "HSM of 0 ms, connections are kept", way: "kept", mood: { ...CALM, latency: hsm(0) }, share: 2 },
  { ...BASE, name: "HSM of 5 ms", mood: { ...CALM, latency: hsm(5) }, share: 2 },
  { ...BASE, name: "HSM of 20 ms, 60 at p99, log-normal", mood: { ...CALM, latency: { median: 20, p99: 60 } } },
  { ...BASE, name: "one vault answer in twenty fails", mood: { ...CALM, faults: FAULTS } },
  {
    ...BASE,
    name: "one vault request in a hundred is swallowed",
    mood: { ...CALM, faults: [{ kind: "stall-headers", on: "sign", rate: 0.01 }] },
    isOursAlone: true,
    share: 2,
  },
  { ...BASE, name: "tz2 and not tz3", rig: { ...BASE.rig, curve: "P-256K" } },
  { ...BASE, name: "10 keys", rig: TEN_KEYS, share: 2 },
  ...RATES.map((rate) => ({ ...OPEN, name: `${rate} a second, 10 keys`, rate })),
  {
    ...OPEN,
    name: `${TOO_MANY} a second, 10 keys, Key Vault's limits`,
    rate: TOO_MANY,
    mood: { ...CALM, isLimited: true },
  },
  { ...BASE, name: "100 keys", rig: { ...BASE.rig, count: 100 }, share: 2 },
  { ...BASE, name: "watermarks in a table", rig: { ...BASE.rig, store: "table" } },
  { ...BASE, name: "key on a PKCS#11 token", rig: { ...BASE.rig, keys: "token" }, share: 1 },
];

/** Returns the rigs that cases want, each once, with its cases. */
export function byRig(cases: readonly Case[]): ReadonlyMap<RigForm, readonly Case[]> {
  const rigs = new Map<string, [RigForm, Case[]]>();
  for (const each of cases) {
    const id = JSON.stringify(each.rig);
    const [form, own] = rigs.get(id) ?? [each.rig, []];
    rigs.set(id, [form, [...own, each]]);
  }
  return new Map(rigs.values());
}

/**
 * Milliseconds for one repetition of a case.
 * @param total for all cases and repetitions, in milliseconds
 */
export function timeOf(each: Case, cases: readonly Case[], repetitions: number, total: number): number {
  const shares = cases.reduce((sum, { share }) => sum + share, 0);
  return (total / repetitions) * (each.share / shares);
}
