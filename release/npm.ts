/**
 * npm as the client of the registry: it fetches archives into a cache of its own form and runs no code of theirs.
 * What it checks there does not count here (archives.ts hashes the bytes).
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";

/** Why npm did not fetch something. */
export interface NpmFault {
  /** Such as E404 or ENOTFOUND; npm has none for some faults. */
  readonly code: string | undefined;
  /** npm's own words, one line. */
  readonly summary: string;
}

/**
 * An archive is asked for at the registry's own host, whatever address the registry names for it, and followed where that host
 * redirects: the bytes are hashed here in any case. Of git, files and
 * other addresses npm 10 knows no refusal and ignores the three flags; a package that is named by name and version is
 * not taken from them by either (test/release/archives.test.ts).
 */
const FLAGS = [
  "--allow-git=none",
  "--allow-remote=none",
  "--allow-file=none",
  "--replace-registry-host=always",
  "--ignore-scripts",
  "--json",
];

/**
 * Runs `npm cache add`.
 * @param root the folder whose .npmrc counts
 * @param cache the cache's folder
 * @param specs such as koa@3.3.0
 * @returns what npm complains of first, or undefined
 * @throws Error where there is no npm
 */
export async function addToCache(root: string, cache: string, specs: readonly string[]): Promise<NpmFault | undefined> {
  const args = ["cache", "add", ...specs, `--cache=${cache}`, ...FLAGS];
  const child = spawn("npm", args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  try {
    const [code] = await once(child, "close");
    if (code === 0) return undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new Error("npm is not on PATH: install it with Node.js, and run this again", { cause: error });
  }
  return readFault(...(await output));
}

/** Returns where npm's cache (cacache, "content-v2") keeps bytes of this hash. */
export function cachedFile(cache: string, sha512: string): string {
  return join(cache, "_cacache/content-v2/sha512", sha512.slice(0, 2), sha512.slice(2, 4), sha512.slice(4));
}

function readFault(output: string, errors: string): NpmFault {
  try {
    const { code, summary } = JSON.parse(output).error;
    return { code, summary: String(summary).split("\n")[0] ?? "" };
  } catch {
    // A version of npm that ends before it writes JSON.
    return { code: undefined, summary: errors.trim().split("\n").at(-1) ?? "" };
  }
}
