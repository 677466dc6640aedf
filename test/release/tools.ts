import { mkdirSync, realpathSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../../release/archives.ts";
import { run } from "./fixture.ts";

/** The oldest Node.js and npm that a checkout is used with, and the newest npm. */
const VERSIONS = { node20: `node-linux-${process.arch}@20.20.2`, npm10: "npm@10.9.9", npm11: "npm@11.21.2" };

export interface Tools {
  readonly node20: string;
  readonly node24: string;
  readonly npm10: string;
  readonly npm11: string;
}

/** Fetches what VERSIONS names, outside of the checkout. @returns each one's program, or undefined without a network */
export async function fetchTools(): Promise<Tools | undefined> {
  const folder = join(cacheFolder(), "tools");
  mkdirSync(folder, { recursive: true });
  const specs = Object.entries(VERSIONS).map(([name, spec]) => `${name}@npm:${spec}`);
  const install = ["install", "--prefix", folder, "--ignore-scripts", "--prefer-offline", "--no-audit", ...specs];
  if ((await run("npm", install, { cwd: folder })).code !== 0) return undefined;
  const at = (path: string) => realpathSync(join(folder, "node_modules", path));
  return {
    node20: at("node20/bin/node"),
    node24: process.execPath,
    npm10: at("npm10/bin/npm-cli.js"),
    npm11: at("npm11/bin/npm-cli.js"),
  };
}

/** A PATH on which `node` and `npm` are these two, and the system's own programs follow. */
export function pathWith(folder: string, node: string, npm: string): string {
  mkdirSync(folder, { recursive: true });
  symlinkSync(node, join(folder, "node"));
  symlinkSync(npm, join(folder, "npm"));
  const others = (process.env.PATH ?? "").split(":").filter((part) => !part.includes("node_modules"));
  return [folder, ...others].join(":");
}
