import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/**
 * Returns the time that it is at least, however a clock was set back: the newest of this computer's clock, of what it
 * said when this process began and the time gone by since, and of when the things in a folder, and the folder itself,
 * last changed. Whatever is removed changes its folder. Of a file's times the one is taken that no program can set.
 * @param folder need not be there
 * @returns milliseconds since 1970
 */
export function timeAtLeast(folder: string): number {
  const changes = [folder, ...namesIn(folder)].map(changedAt);
  return changes.reduce((newest, at) => Math.max(newest, at), clockAtLeast());
}

/** Returns this computer's clock, but never behind what it said when this process began, and the time gone by since. */
export function clockAtLeast(): number {
  return Math.max(Date.now(), Math.floor(performance.timeOrigin + performance.now()));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}

function changedAt(path: string): number {
  try {
    return Math.floor(statSync(path).ctimeMs);
  } catch {
    return 0;
  }
}
