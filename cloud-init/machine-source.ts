/**
 * A source file of the signer as the machine gets it: without types, comments and blanks, and with short names for what
 * no other file sees. customData is small, and this is little more than half of the signer once compressed. The encoder is
 * pinned and makes the same of a file on every computer; `npm run locate` leads from a stack trace of the machine back
 * into the checkout.
 * @module
 */
import { type TransformOptions, transformSync } from "esbuild";

const OPTIONS = { format: "esm", target: "esnext", minify: true, charset: "utf8", legalComments: "none" } as const;

/** @throws Error naming the place, for a file that is not TypeScript or JavaScript */
export function machineSource(path: string, source: string): string {
  return transformSync(source, optionsFor(path)).code;
}

/** The source map of {@link machineSource}, as JSON. */
export function machineSourceMap(path: string, source: string): string {
  return transformSync(source, { ...optionsFor(path), sourcemap: "external" }).map;
}

function optionsFor(path: string): TransformOptions {
  return { ...OPTIONS, sourcefile: path, loader: path.endsWith(".ts") ? "ts" : "js" };
}
