/**
 * The packages with compiled code, in hardware/ with a lock of their own, so that `npm ci` of the product compiles nothing.
 * They are built here, for the computer that builds them: a release with them is for one processor.
 * @module
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parseArgs, promisify } from "node:util";
import { archiveFile, fetchArchives } from "./archives.ts";
import { type Contents, readContents } from "./contents.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { productionLock } from "./lock.ts";
import { NODE_BUILDS, type NodeBuild } from "./node.ts";

/** The folder, in a checkout and in a release. */
const FOLDER = "hardware";

const FILES = ["package.json", "package-lock.json", ".npmrc"] as const;

/** What is compiled, below FOLDER; other packages have their binaries in their archives. */
const BINARY = "node_modules/pkcs11js/build/Release/pkcs11.node";

/** The flavour of a release that has hardware's packages. */
export interface HardwareContents {
  readonly contents: Contents;
  /** Node.js for the one processor that it is for. */
  readonly builds: readonly NodeBuild[];
  /** In the release's name. */
  readonly flavour: string;
}

/**
 * Builds hardware's packages where they are in a checkout (`npm run hardware`).
 * @throws Error saying what is missing
 */
export async function buildInCheckout(root: string, say: (line: string) => void): Promise<void> {
  await build(root, join(root, FOLDER), say);
}

/**
 * Reads a checkout as a release with hardware's packages, which are built anew for it, from the bytes that their lock names.
 * @throws Error saying what is missing
 */
export async function readHardwareContents(root: string, say: (line: string) => void): Promise<HardwareContents> {
  const node = buildOfThisProcessor();
  const { packages } = productionLock(readFileSync(join(root, FOLDER, "package-lock.json"), "utf8"));
  const contents = readContents(root);
  const folder = await mkdtemp(join(tmpdir(), "tezos-signer-hardware-"));
  try {
    for (const name of FILES) await copyFile(join(root, FOLDER, name), join(folder, name));
    await build(root, folder, say);
    const files = [
      { path: `${FOLDER}/package.json`, mode: 0o644, bytes: readFileSync(join(folder, "package.json")) },
      { path: `${FOLDER}/${BINARY}`, mode: 0o644, bytes: readFileSync(join(folder, BINARY)) },
    ];
    return {
      contents: {
        ...contents,
        files: [...contents.files, ...files],
        packages: [...contents.packages, ...packages.map((each) => ({ ...each, folder: `${FOLDER}/${each.folder}` }))],
      },
      builds: [node],
      flavour: `hardware-${process.arch}`,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Compiles in a folder, against the headers of the Node.js that a release has: npm would fetch them from nodejs.org. */
async function build(root: string, folder: string, say: (line: string) => void): Promise<void> {
  const node = buildOfThisProcessor();
  await fetchArchives(root, [node], [], say);
  const headers = await mkdtemp(join(tmpdir(), "tezos-signer-headers-"));
  try {
    await mkdir(headers, { recursive: true });
    const words = ["--extract", "--gzip", "--warning=no-unknown-keyword", "--file", archiveFile(node)];
    await promisify(execFile)("tar", [...words, "--directory", headers, "--strip-components", "1", "package/include"]);
    say("release: compiling hardware's packages …");
    await npmCi(folder, headers);
  } finally {
    await rm(headers, { recursive: true, force: true });
  }
}

async function npmCi(folder: string, headers: string): Promise<void> {
  const env = { ...process.env, npm_config_nodedir: headers, npm_config_ignore_scripts: "false" };
  const child = spawn("npm", ["ci", "--foreground-scripts", "--no-audit"], {
    cwd: folder,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await once(child, "close");
  if (code === 0) return;
  const lines = (await output).join("\n").trim().split("\n").slice(-12).join("\n");
  throw new Error(
    `hardware's packages were not compiled. They take python3, make and a C++ compiler (Debian: python3 make g++). npm said:\n${lines}`,
  );
}

function buildOfThisProcessor(): NodeBuild {
  const found = NODE_BUILDS.find(({ name }) => name === `node-linux-${process.arch}`);
  if (found === undefined || process.platform !== "linux") {
    throw new Error(
      `hardware's packages are built on Linux, on x64 or arm64, and this is ${process.platform} on ${process.arch}`,
    );
  }
  return found;
}

const HELP = `npm run hardware

Builds the packages for PKCS#11 tokens and serial ports in hardware/, for this computer's processor. It takes python3, make
and a C++ compiler. A signer of this checkout has them from then on; npm run release -- --hardware makes a release with them.
  --help  prints this`;

async function main(args: string[]): Promise<keyof typeof EXIT_CODES> {
  try {
    const { values } = parseArgs({ args, options: { help: { type: "boolean", default: false } } });
    if (values.help) {
      console.log(HELP);
      return "done";
    }
  } catch (error) {
    console.error(`${(error as Error).message}\nnpm run hardware`);
    return "usage";
  }
  try {
    await buildInCheckout(join(import.meta.dirname, ".."), (line) => console.error(line));
    console.log(`Built in ${FOLDER}/, for ${process.arch}`);
    return "done";
  } catch (error) {
    console.error(`hardware: ${(error as Error).message}`);
    return "failed";
  }
}

if (import.meta.main) process.exitCode = EXIT_CODES[await main(process.argv.slice(2))].code;
