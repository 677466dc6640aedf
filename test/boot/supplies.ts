/**
 * What the machine would download, fetched beforehand through npm and kept outside the checkout, so that the machine
 * itself needs no network: a Node.js tarball of the official layout, and every package of the production lock.
 * Prints the folder.
 * @module
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { NODE_RELEASE } from "../../cloud-init/node-release.ts";
import { productionPackage } from "../../cloud-init/production-package.ts";

/** The npm that goes into the tarball; any of the major that the official one has will do. */
const NPM = "11.19.1";

const root = resolve(import.meta.dirname, "../..");
const manifest = productionPackage(readFileSync(join(root, "package.json"), "utf8"));
const lock = readFileSync(join(root, "package-lock.json"), "utf8");
const key = createHash("sha256").update(`1 ${NODE_RELEASE.version} ${NPM} ${manifest} ${lock}`).digest("hex");
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "tezos-signer");
const folder = join(cache, `boot-supplies-${key.slice(0, 12)}`);
if (!existsSync(folder)) make();
console.log(folder);

function make(): void {
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, "making-"));
  try {
    const app = join(work, "app");
    mkdirSync(app);
    writeFileSync(join(app, "package.json"), manifest);
    writeFileSync(join(app, "package-lock.json"), lock);
    npm(app, "ci", "--omit=dev", "--ignore-scripts", "--cache", join(work, "npm"));
    rmSync(app, { recursive: true });
    makeNode(work);
    renameSync(work, folder);
  } catch (error) {
    rmSync(work, { recursive: true });
    throw error;
  }
}

/** node-vX-linux-ARCH.tar.xz from the npm packages of the same binary and of npm. */
function makeNode(work: string): void {
  const name = `node-v${NODE_RELEASE.version}-linux-${process.arch}`;
  const tree = join(work, name);
  for (const part of ["bin", "lib/node_modules/npm"]) mkdirSync(join(tree, part), { recursive: true });
  unpack(work, `node-linux-${process.arch}@${NODE_RELEASE.version}`, tree, "package/bin/node");
  unpack(work, `npm@${NPM}`, join(tree, "lib/node_modules/npm"), "package");
  symlinkSync("../lib/node_modules/npm/bin/npm-cli.js", join(tree, "bin/npm"));
  const archive = ["--create", "--directory", work, "--use-compress-program", "xz -1 -T0"];
  execFileSync("tar", [...archive, "--file", join(work, "node.tar.xz"), name]);
  rmSync(tree, { recursive: true });
}

function unpack(work: string, spec: string, target: string, part: string): void {
  const [{ filename }] = JSON.parse(npm(work, "pack", spec, "--json").toString());
  execFileSync("tar", [
    "--extract",
    "--gzip",
    "--file",
    join(work, filename),
    "--directory",
    target,
    "--strip-components",
    "1",
    part,
  ]);
  rmSync(join(work, filename));
}

function npm(cwd: string, ...args: string[]): Buffer {
  return execFileSync("npm", [...args, "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd,
    stdio: ["ignore", "pipe", "inherit"],
  });
}
