/**
 * What the machine is told on its first boot: one cloud-config with the signer, its locked dependencies and the
 * machine's own files, compressed. Pure: the same files and parameters give the same bytes on every computer, so that
 * a new machine is made only when what runs on it changes.
 *
 * Azure calls this customData and takes 65,535 bytes of it; it is code, so it holds no setting and no secret.
 * @module
 */
import { gzipSync, strToU8 } from "fflate";
import { parse, stringify } from "yaml";
import { packBundle } from "./bundle.ts";
import { importClosure } from "./closure.ts";
import { machineSource } from "./machine-source.ts";
import { NODE_RELEASE, type NodeRelease } from "./node-release.ts";
import { productionLock, productionPackage } from "./production-package.ts";

/** What differs between two machines of the same checkout; none of it changes in ordinary use. */
export interface MachineParameters {
  /** Whether sshd runs and fail2ban guards it; otherwise sshd is masked and nothing listens on port 22. */
  readonly ssh: boolean;
  /** When security upgrades are installed and, if one asks for it, the machine restarts: HH:MM in UTC, every day. */
  readonly maintenance: string;
  /** Another Node.js than the pinned one; only the boot test gives one. */
  readonly node?: NodeRelease;
}

/** Azure's limit is 65,535 bytes; the rest is room to mend something on a bad day. */
export const SIZE_LIMIT = 60_000;

/** The program that the unit file starts; what it imports is what the machine gets. */
const ENTRY = "signer/tezos-signer.js";
/** What the program loads only when asked, and nobody asks for on the machine: keys are made and moved elsewhere. */
const NOT_ON_THE_MACHINE = [
  "signer/cli/first-use.ts",
  "signer/cli/keys/index.ts",
  "signer/keys/local.ts",
  "signer/watermark/sqlite-store.ts",
];
/** Where tezos-signer-install finds the signer. */
const BUNDLE = "/usr/local/lib/tezos-signer/signer.br";
const MACHINE_FILES = "cloud-init/files";

/**
 * The bytes of customData, gzip. ARM wants them in base64, which the caller makes.
 * @param checkout the text of each file by its path from the checkout's root; see checkout.ts
 * @throws Error if a file is missing, a parameter has no place or the result is over SIZE_LIMIT
 */
export function customData(checkout: ReadonlyMap<string, string>, parameters: MachineParameters): Uint8Array {
  const compressed = gzipSync(strToU8(cloudConfig(checkout, parameters)), { level: 9, mtime: 0 });
  if (compressed.length > SIZE_LIMIT) {
    throw new Error(`customData would have ${compressed.length} bytes, over the limit of ${SIZE_LIMIT}`);
  }
  return compressed;
}

/** The cloud-config that customData holds, as text. */
export function cloudConfig(checkout: ReadonlyMap<string, string>, parameters: MachineParameters): string {
  const config = parse(text(checkout, "cloud-init/cloud-config.yaml"));
  const lock = productionLock(text(checkout, "package-lock.json"));
  const bundle = packBundle(signerFiles(checkout, lock.text));
  const files = [
    ...machineFiles(checkout, placeholders(parameters, lock.digest)),
    { path: BUNDLE, permissions: "0644", encoding: "b64", content: Buffer.from(bundle).toString("base64") },
  ];
  // YAML 1.1, since that is what cloud-init reads; literal blocks, so that the machine's copy can be read by eye.
  const options = { version: "1.1", lineWidth: 0, aliasDuplicateObjects: false } as const;
  return `#cloud-config\n${stringify({ ...config, write_files: files }, options)}`;
}

/** What goes into /opt/tezos-signer, by path from there. */
function signerFiles(checkout: ReadonlyMap<string, string>, lock: string): Map<string, string> {
  const sources = importClosure(checkout, ENTRY, NOT_ON_THE_MACHINE).filter((path) => path !== "package.json");
  return new Map([
    ["package.json", productionPackage(text(checkout, "package.json"))],
    ["package-lock.json", lock],
    ...sources.map((path): [string, string] => [path, machineSource(path, text(checkout, path))]),
  ]);
}

function machineFiles(checkout: ReadonlyMap<string, string>, values: ReadonlyMap<string, string>) {
  return [...checkout.keys()]
    .filter((path) => path.startsWith(`${MACHINE_FILES}/`))
    .sort()
    .map((source) => {
      const path = source.slice(MACHINE_FILES.length);
      const content = withoutComments(path, fill(source, text(checkout, source), values));
      return { path, permissions: permissions(path), content };
    });
}

/** Comments that have lines of their own stay in the checkout; every file here but the modules has those of a shell. */
function withoutComments(path: string, content: string): string {
  return path.endsWith(".mjs") ? machineSource(path, content) : content.replace(/^[ \t]*#(?!!).*\n/gm, "");
}

function placeholders(parameters: MachineParameters, packagesDigest: string): ReadonlyMap<string, string> {
  const { ssh, maintenance, node = NODE_RELEASE } = parameters;
  if (!/^([01]\d|2[0-3]):[0-5]\d$/.test(maintenance)) {
    throw new Error(`maintenance must be a time of day as HH:MM in UTC, it is ${JSON.stringify(maintenance)}`);
  }
  return new Map([
    ["SSH", ssh ? "on" : "off"],
    ["SSH_PORT", ssh ? "22, " : ""],
    ["MAINTENANCE", maintenance],
    ["PACKAGES_SHA256", packagesDigest],
    ["NODE_VERSION", node.version],
    ["NODE_BASE_URL", node.baseUrl],
    ["NODE_SHA256_X64", node.sha256.x64],
    ["NODE_SHA256_ARM64", node.sha256.arm64],
  ]);
}

/** Puts the values where a file says @NAME@. */
function fill(path: string, content: string, values: ReadonlyMap<string, string>): string {
  return content.replace(/@([A-Z][A-Z0-9_]*)@/g, (mark, name) => {
    const value = values.get(name);
    if (value === undefined) throw new Error(`${path} asks for ${mark}, which nothing gives`);
    return value;
  });
}

function permissions(path: string): string {
  if (path.startsWith("/usr/local/")) return "0755";
  return path.startsWith("/etc/sudoers.d/") ? "0440" : "0644";
}

function text(checkout: ReadonlyMap<string, string>, path: string): string {
  const content = checkout.get(path);
  if (content === undefined) throw new Error(`${path} is not in the checkout`);
  return content;
}
