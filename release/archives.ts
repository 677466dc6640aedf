/**
 * The archives of a release, fetched once and kept outside of the checkout by the hash of their bytes. That hash comes
 * from package-lock.json and node.ts; what the registry says of an archive counts for nothing.
 * @module
 */
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { removeLeftovers } from "./leftovers.ts";
import { addToCache, cachedFile, type NpmFault } from "./npm.ts";
import { type Pin, sha512Hex } from "./pin.ts";

/** How many small archives npm is asked for at once: a line of progress every few seconds. */
const BATCH = 24;

/** npm's codes for a registry that was not reached; ENOTCACHED is `offline=true` in an npmrc. */
const UNREACHED = ["ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ENETUNREACH", "EHOSTUNREACH", "ETIMEDOUT", "ENOTCACHED"];

const WHICH = "`npm config get registry` says which this was";

/** A kind of archive that is fetched before the others and alone, since it is large. */
export interface LargePin extends Pin {
  readonly size: number;
}

/**
 * Returns `${XDG_CACHE_HOME:-~/.cache}/tezos-signer`; freedesktop.org's Base Directory Specification: a relative path
 * does not count.
 */
export function cacheFolder(): string {
  const { XDG_CACHE_HOME: xdg } = process.env;
  return join(xdg && isAbsolute(xdg) ? xdg : join(homedir(), ".cache"), "tezos-signer");
}

/** Returns where an archive is kept. */
export function archiveFile(pin: Pin): string {
  return join(cacheFolder(), "archives", sha512Hex(pin));
}

/**
 * Fetches the archives that are not kept yet, or whose kept bytes are not those any more.
 * @param root the checkout, whose .npmrc counts
 * @param say is told how far it is
 * @throws Error in one sentence without a network; else naming the package, what was expected, and what to do
 */
export async function fetchArchives(
  root: string,
  large: readonly LargePin[],
  small: readonly Pin[],
  say: (line: string) => void,
): Promise<void> {
  const missingLarge = await missing(large);
  const missingSmall = await missing(small);
  const total = missingLarge.length + missingSmall.length;
  if (total === 0) return;
  const [first] = missingLarge;
  const size = first && ` (${first.name} first, ${Math.floor(first.size / 1e6)} MB)`;
  say(`release: fetching ${total} ${total === 1 ? "archive" : "archives"}${size ?? ""} …`);

  await mkdir(join(cacheFolder(), "archives"), { recursive: true });
  // npm's caches of runs that were ended from outside: each may have 100 MB.
  await removeLeftovers(cacheFolder(), ["npm-*"]);
  const cache = await mkdtemp(join(cacheFolder(), "npm-"));
  try {
    const batches: Pin[][] = missingLarge.map((pin) => [pin]);
    for (let at = 0; at < missingSmall.length; at += BATCH) batches.push(missingSmall.slice(at, at + BATCH));
    let done = 0;
    for (const batch of batches) {
      await fetchBatch(root, cache, batch);
      done += batch.length;
      say(`release: ${done} of ${total}`);
    }
  } finally {
    await rm(cache, { recursive: true, force: true });
  }
}

/** What must be fetched. The same archive may be needed in two folders. */
async function missing<P extends Pin>(pins: readonly P[]): Promise<P[]> {
  const found: P[] = [];
  for (const pin of new Map(pins.map((pin) => [pin.integrity, pin])).values()) {
    if ((await bytesOf(archiveFile(pin), pin)) === undefined) found.push(pin);
  }
  return found;
}

async function fetchBatch(root: string, cache: string, batch: readonly Pin[]): Promise<void> {
  const fault = await addToCache(root, cache, batch.map(spec));
  const left: Pin[] = [];
  for (const pin of batch) if (!(await keep(cache, pin))) left.push(pin);
  for (const pin of left) {
    if (fault === undefined) throw otherBytes(pin);
    if (isUnreached(fault)) throw new Error(unreached(fault));
    // npm says what is wrong with the first that fails, and may have left out others for it.
    const own = batch.length === 1 ? fault : await addToCache(root, cache, [spec(pin)]);
    if (await keep(cache, pin)) continue;
    if (own === undefined) throw otherBytes(pin);
    throw isUnreached(own) ? new Error(unreached(own)) : notServed(pin, own);
  }
}

/** Takes an archive out of npm's cache. @returns whether it was there, with the bytes that are pinned */
async function keep(cache: string, pin: Pin): Promise<boolean> {
  const bytes = await bytesOf(cachedFile(cache, sha512Hex(pin)), pin);
  if (bytes === undefined) return false;
  const file = archiveFile(pin);
  await writeFile(`${file}.${process.pid}`, bytes);
  await rename(`${file}.${process.pid}`, file);
  return true;
}

async function bytesOf(file: string, pin: Pin): Promise<Buffer | undefined> {
  try {
    const bytes = await readFile(file);
    return createHash("sha512").update(bytes).digest("hex") === sha512Hex(pin) ? bytes : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return undefined;
  }
}

function spec({ name, version }: Pin): string {
  return `${name}@${version}`;
}

function isUnreached({ code }: NpmFault): boolean {
  return code !== undefined && UNREACHED.includes(code);
}

function unreached({ code }: NpmFault): string {
  return `No network: npm did not reach its registry (${code}); what was fetched is kept, so run this again when it does.`;
}

function otherBytes(pin: Pin): Error {
  return new Error(
    `${spec(pin)}: the registry serves or announces other bytes than are pinned. Expected ${pin.integrity}. ` +
      `Ask another registry (${WHICH}), and do not change the pin until you know why they differ.`,
  );
}

function notServed(pin: Pin, { code, summary }: NpmFault): Error {
  if (code === "EINTEGRITY") return otherBytes(pin);
  const reason = code === undefined ? summary : `${code}, ${summary}`;
  return new Error(
    `${spec(pin)} was not fetched: ${reason}. Expected ${pin.integrity}. ` +
      `Only the registry's own host is asked, and where it redirects. Run this again, or ask another registry (${WHICH}).`,
  );
}
