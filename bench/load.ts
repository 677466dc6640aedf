import { setTimeout as sleep } from "node:timers/promises";
import type { Ask, Outcome } from "./client.ts";

/** What one repetition of a case has measured of one who was asked. */
export interface Run {
  /** Milliseconds of each request that was answered with a signature. */
  readonly times: number[];
  /** Requests that were not, by how they ended. */
  readonly lost: Map<Outcome, number>;
}

/** Makes a run of which nothing is known yet. */
export const newRun = (): Run => ({ times: [], lost: new Map() });

async function measured(ask: Ask, run: Run, began = performance.now()): Promise<void> {
  const outcome = await ask();
  if (outcome === 200) run.times.push(performance.now() - began);
  else run.lost.set(outcome, (run.lost.get(outcome) ?? 0) + 1);
}

/** Asks a few times without measuring: what is loaded or connected at first use is no case's own. */
export async function warmUp(asked: Iterable<Ask>): Promise<void> {
  for (const ask of asked) for (let round = 0; round < 3; round += 1) await ask();
}

/**
 * Asks one at a time. Without a pause the order changes with each round, so that none always follows the same other; within
 * a pause the turns are spread, so that each finds a computer as idle as the others do.
 * @param pause between two requests to the same, in milliseconds
 * @param duration in milliseconds; there is one round at least
 */
export async function closedLoop(asked: ReadonlyMap<Ask, Run>, pause: number, duration: number): Promise<void> {
  const end = performance.now() + duration;
  const between = pause / asked.size;
  const order = shuffled([...asked]);
  let next = performance.now();
  do {
    for (const [ask, run] of pause > 0 ? order : shuffled(order)) {
      next = Math.max(next + between, performance.now());
      if (pause > 0) await sleep(Math.max(1, next - performance.now()));
      await measured(ask, run);
    }
  } while (performance.now() < end);
}

/**
 * Asks at a rate, one after the other of those who are asked, whatever has been answered. A request's time counts from
 * when it was due, so that what waits behind a late answer is not left out.
 * @param rate a second
 * @param duration for all of them, in milliseconds
 */
export async function openLoop(asked: ReadonlyMap<Ask, Run>, rate: number, duration: number): Promise<void> {
  for (const [ask, run] of shuffled([...asked])) {
    const requests = Math.max(3, Math.round((rate * duration) / asked.size / 1_000));
    const began = performance.now();
    const running: Promise<void>[] = [];
    for (let request = 0; request < requests; request += 1) {
      const due = began + (request * 1_000) / rate;
      const wait = due - performance.now();
      if (wait > 1) await sleep(wait);
      running.push(measured(ask, run, Math.min(due, performance.now())));
    }
    await Promise.all(running);
  }
}

function shuffled<T>(all: readonly T[]): readonly T[] {
  return all
    .map((each) => ({ each, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ each }) => each);
}
