import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { join } from "node:path";
import { machineSourceMap } from "./machine-source.ts";

/**
 * From a place in a stack trace of the machine to the place in this checkout.
 * @param place such as `/opt/tezos-signer/signer/pipeline.ts:1:2034`
 * @param read gives a file of the checkout by its path
 * @returns path, line and column, or what is wrong with the place
 */
export function locate(place: string, read: (path: string) => string): string {
  const [, path, line, column] = /^.*(signer\/[\w/.-]+):(\d+):(\d+)/.exec(place) ?? [];
  if (path === undefined) return "Give a place of a stack trace, such as signer/pipeline.ts:1:2034";
  const map = new SourceMap(JSON.parse(machineSourceMap(path, read(path))));
  const found = map.findOrigin(Number(line), Number(column));
  return "lineNumber" in found ? `${path}:${found.lineNumber}:${found.columnNumber}` : `${place} is in no code`;
}

if (import.meta.main) {
  console.log(locate(process.argv[2] ?? "", (path) => readFileSync(join(import.meta.dirname, "..", path), "utf8")));
}
