/**
 * package.json and package-lock.json as a release has them: what runs there, each package at one version with the
 * SHA-512 of its bytes, and nothing that is fetched from elsewhere than the registry.
 * @module
 */
import { EXACT_VERSION, PACKAGE_NAME, type Pin, sha512Integrity } from "./pin.ts";

/** One entry of a lockfile's `packages`; docs.npmjs.com, "package-lock.json", lockfileVersion 3. */
interface LockEntry {
  readonly name?: string;
  readonly version?: string;
  readonly resolved?: string;
  readonly link?: boolean;
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
  readonly packages: Readonly<Record<string, LockEntry>>;
}

/** What `npm ci` needs of an entry beside version and hash; the rest (licence, funding, commands) it does without. */
const KEPT = ["dependencies", "optionalDependencies", "peerDependencies", "peerDependenciesMeta"] as const;

/** A package and the folder that it is unpacked into. */
export interface ProductionPackage extends Pin {
  /** Such as node_modules/koa or node_modules/a/node_modules/b. */
  readonly folder: string;
}

export interface ProductionLock {
  /** package-lock.json with what the run-time dependencies reach. */
  readonly text: string;
  /** Sorted by folder. */
  readonly packages: readonly ProductionPackage[];
}

/**
 * Reduces package.json to what a release needs: no scripts, no development dependencies.
 * @param text the checkout's package.json
 * @throws Error if its version is not one version: it becomes the release's name
 */
export function productionPackage(text: string): { readonly text: string; readonly version: string } {
  const { name, version, license, type, engines, dependencies } = JSON.parse(text);
  if (!EXACT_VERSION.test(version)) throw new Error(`package.json: version ${version} is not of the form 1.2.3`);
  return { text: json({ name, version, license, private: true, type, engines, dependencies }), version };
}

/**
 * Reduces the lockfile to what the run-time dependencies reach.
 * @param text the checkout's package-lock.json
 * @throws Error naming a package that is missing, has no SHA-512, is not of the registry or is for some machines only
 */
export function productionLock(text: string): ProductionLock {
  const lock: Lock = JSON.parse(text);
  if (lock.lockfileVersion !== 3) {
    const found = `lockfileVersion ${lock.lockfileVersion}`;
    throw new Error(`package-lock.json has ${found}, and 3 is read: write it anew with npm 7 or newer`);
  }
  const root = lock.packages[""];
  if (root === undefined) throw new Error("package-lock.json has no root package: write it anew with npm install");

  const kept = new Map<string, { readonly entry: LockEntry; readonly pin: ProductionPackage }>();
  const open = [{ folder: "", entry: root }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const { name, optional } of needs(next.entry)) {
      const folder = resolve(lock, next.folder, name);
      if (folder === undefined) {
        if (optional) continue;
        const needed = `${name}, which ${next.folder || "package.json"} needs`;
        throw new Error(`package-lock.json lacks ${needed}: bring it up to date with npm install`);
      }
      const entry = lock.packages[folder];
      if (entry === undefined || kept.has(folder)) continue;
      kept.set(folder, { entry, pin: pin(folder, entry) });
      open.push({ folder, entry });
    }
  }

  const packages: Record<string, unknown> = {
    "": { name: lock.name, version: lock.version, dependencies: root.dependencies },
  };
  const pins: ProductionPackage[] = [];
  for (const folder of [...kept.keys()].sort()) {
    const found = kept.get(folder);
    if (found === undefined) continue;
    const { entry, pin } = found;
    const relations = KEPT.filter((field) => entry[field] !== undefined).map((field) => [field, entry[field]]);
    packages[folder] = {
      ...(entry.name !== undefined && { name: entry.name }),
      version: pin.version,
      integrity: pin.integrity,
      ...Object.fromEntries(relations),
    };
    pins.push(pin);
  }
  const { name, version } = lock;
  return { text: json({ name, version, lockfileVersion: 3, requires: true, packages }), packages: pins };
}

function needs(entry: LockEntry): { name: string; optional: boolean }[] {
  const isOptionalPeer = (name: string) => entry.peerDependenciesMeta?.[name]?.optional === true;
  return [
    // npm lists an optional dependency in both.
    ...Object.keys(entry.dependencies ?? {})
      .filter((name) => entry.optionalDependencies?.[name] === undefined)
      .map((name) => ({ name, optional: false })),
    ...Object.keys(entry.optionalDependencies ?? {}).map((name) => ({ name, optional: true })),
    ...Object.keys(entry.peerDependencies ?? {})
      .filter((name) => !isOptionalPeer(name))
      .map((name) => ({ name, optional: false })),
  ];
}

/** Where Node finds `name` from the package at `from`: its own node_modules first, then each one above. */
function resolve(lock: Lock, from: string, name: string): string | undefined {
  for (let place = from; ; place = place.slice(0, Math.max(0, place.lastIndexOf("node_modules/") - 1))) {
    const folder = `${place === "" ? "" : `${place}/`}node_modules/${name}`;
    if (lock.packages[folder] !== undefined) return folder;
    if (place === "") return undefined;
  }
}

const FOLDER = new RegExp(`^node_modules/${PACKAGE_NAME.source}(?:/node_modules/${PACKAGE_NAME.source})*$`);
const WHOLE_NAME = new RegExp(`^${PACKAGE_NAME.source}$`);

/** @throws Error naming the folder, what is wrong with its entry, and the cure */
function pin(folder: string, entry: LockEntry): ProductionPackage {
  const refuse = (reason: string, cure: string) => new Error(`package-lock.json: ${folder} ${reason}: ${cure}`);
  const another = "take the package from the registry, or do without it";
  const name = entry.name ?? folder.slice(folder.lastIndexOf("node_modules/") + "node_modules/".length);
  if (!FOLDER.test(folder) || !WHOLE_NAME.test(name)) throw refuse("has no name that the registry allows", another);
  if (entry.link) throw refuse("is a link to a folder", another);
  if (entry.resolved !== undefined) throw refuse(...addressFault(entry.resolved, another));
  if (!EXACT_VERSION.test(entry.version ?? "")) {
    throw refuse(`has the version ${entry.version}, which is not one version`, "write the lock anew with npm install");
  }
  // A release is one for all processors, so it cannot hold what only some of them get.
  if (entry.os ?? entry.cpu ?? entry.libc) throw refuse("is for some machines only", "do without it");
  const integrity = sha512Integrity(entry.integrity);
  if (integrity === undefined) {
    throw refuse("has no sha512 integrity, so its bytes cannot be checked", "write the lock anew with npm install");
  }
  return { folder, name, version: entry.version ?? "", integrity };
}

/**
 * With omit-lockfile-registry-resolved (.npmrc) a package of the registry has no address, so each address is another
 * source, or the word of a registry that another computer used.
 */
function addressFault(address: string, cure: string): [reason: string, cure: string] {
  if (/^git|^(?:github|gitlab|bitbucket|gist):|\.git(?:#|$)/.test(address)) {
    return [`is fetched by git (${address}), where npm checks no hash`, cure];
  }
  if (/^file:|^[./~]|^[A-Za-z]:[\\/]/.test(address)) return [`is a file of this computer (${address})`, cure];
  return [
    `names an address (${address}), and the registry alone is asked`,
    "write the lock anew by npm install, with the .npmrc of this project",
  ];
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
