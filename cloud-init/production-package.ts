/**
 * package.json and package-lock.json as the machine gets them: what runs there, and nothing else.
 *
 * A hash does not compress, and 126 of them are a sixth of customData. So the machine's lock has exact versions alone,
 * and one SHA-256 over every package's integrity hash goes with it. The machine asks the registry for the hashes,
 * compares them all with the one SHA-256, and then lets npm download each package against its own: a registry that
 * serves something else is found out as surely as by hashes in the lock (cloud-init/files/…/complete-lock.mjs).
 * @module
 */
import { createHash } from "node:crypto";

/** One entry of a lockfile's `packages`; docs.npmjs.com, "package-lock.json", lockfileVersion 3. */
interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { optional?: boolean }>>;
  readonly [field: string]: unknown;
}

interface Lock {
  readonly name: string;
  readonly version: string;
  readonly lockfileVersion: number;
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

/** What `npm ci` reads of an entry; the rest (licence, funding, engines, commands) is not needed there. */
const KEPT = ["version", "dependencies", "optionalDependencies", "peerDependencies", "peerDependenciesMeta"] as const;

/**
 * package.json without scripts and development dependencies.
 * @param text the checkout's package.json
 */
export function productionPackage(text: string): string {
  const { name, version, license, type, engines, dependencies } = JSON.parse(text);
  return JSON.stringify({ name, version, license, private: true, type, engines, dependencies }, null, 1);
}

/** The lockfile for the machine. */
export interface ProductionLock {
  /** package-lock.json with what the run-time dependencies reach, at exact versions, without hashes. */
  readonly text: string;
  /** SHA-256, hex, over a line `PATH VERSION INTEGRITY` for each package, sorted. */
  readonly digest: string;
}

/**
 * Reduces the lockfile to what the run-time dependencies reach.
 * @param text the checkout's package-lock.json, lockfileVersion 3
 * @throws Error if a package that is needed is missing, has no hash, or is for some machines only
 */
export function productionLock(text: string): ProductionLock {
  const lock: Lock = JSON.parse(text);
  if (lock.lockfileVersion !== 3) throw new Error(`package-lock.json has version ${lock.lockfileVersion}, 3 is read`);
  const root = lock.packages[""];
  if (root === undefined) throw new Error("package-lock.json has no root package");
  const { devDependencies: _, ...productionRoot } = root;

  const kept = new Map<string, LockedPackage>();
  const open = [{ path: "", entry: productionRoot }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const { name, optional } of wanted(next.entry)) {
      const path = resolve(lock, next.path, name);
      if (path === undefined) {
        if (optional) continue;
        throw new Error(`package-lock.json lacks ${name}, which ${next.path || "package.json"} needs`);
      }
      const entry = lock.packages[path];
      if (entry === undefined || kept.has(path)) continue;
      if (entry.integrity === undefined) throw new Error(`package-lock.json has no integrity hash for ${path}`);
      // npm would leave it out on another machine, and the digest would not be the same.
      if (entry.os ?? entry.cpu ?? entry.libc) throw new Error(`${path} is for some machines only`);
      kept.set(path, entry);
      open.push({ path, entry });
    }
  }

  const paths = [...kept.keys()].sort();
  const packages: Record<string, unknown> = {
    "": { name: lock.name, version: lock.version, dependencies: productionRoot.dependencies },
  };
  for (const path of paths) packages[path] = pick(kept.get(path) ?? {});
  const lines = paths.map((path) => `${path} ${kept.get(path)?.version} ${kept.get(path)?.integrity}\n`);
  return {
    text: JSON.stringify(
      { name: lock.name, version: lock.version, lockfileVersion: 3, requires: true, packages },
      null,
      1,
    ),
    digest: createHash("sha256").update(lines.join("")).digest("hex"),
  };
}

function wanted(entry: LockedPackage): { name: string; optional: boolean }[] {
  const isOptionalPeer = (name: string) => entry.peerDependenciesMeta?.[name]?.optional === true;
  return [
    ...Object.keys(entry.dependencies ?? {}).map((name) => ({ name, optional: false })),
    ...Object.keys(entry.optionalDependencies ?? {}).map((name) => ({ name, optional: true })),
    ...Object.keys(entry.peerDependencies ?? {})
      .filter((name) => !isOptionalPeer(name))
      .map((name) => ({ name, optional: false })),
  ];
}

/** Where Node finds `name` from the package at `from`: its own node_modules first, then each one above. */
function resolve(lock: Lock, from: string, name: string): string | undefined {
  for (let place = from; ; place = place.slice(0, Math.max(0, place.lastIndexOf("node_modules/") - 1))) {
    const path = `${place === "" ? "" : `${place}/`}node_modules/${name}`;
    if (lock.packages[path] !== undefined) return path;
    if (place === "") return undefined;
  }
}

function pick(entry: LockedPackage): Record<string, unknown> {
  return Object.fromEntries(KEPT.filter((field) => entry[field] !== undefined).map((field) => [field, entry[field]]));
}
