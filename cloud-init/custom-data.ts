/**
 * What the machine is told on its first boot: one cloud-config, as text, with what must be there before a first release.
 * Azure calls it customData and fixes it when it makes a machine: another one is another machine. So nothing is in it
 * that changes in ordinary use; release and settings are in userData.
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { parse, stringify } from "yaml";

/** Half of the 65,535 bytes that Azure takes. */
export const SIZE_LIMIT = 32_768;

const FOLDER = import.meta.dirname;

/**
 * Returns the cloud-config, the same bytes on every computer.
 * @throws Error if it is over SIZE_LIMIT
 */
export function customData(): string {
  const config = parse(read(join(FOLDER, "cloud-config.yaml")));
  const files = [...readdirSync(join(FOLDER, "files"), { recursive: true, withFileTypes: true })]
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => entryOf(`/${relative(join(FOLDER, "files"), file).split(sep).join("/")}`, file));
  // Every release has it too; the first one is fetched before there is any.
  files.push(entryOf("/usr/local/lib/tezos-signer/fetch-release", resolve(FOLDER, "../machine/bin/fetch-release")));
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  // YAML 1.1, since that is what cloud-init reads; literal blocks, so that the machine's copy can be read by eye.
  const options = { version: "1.1", lineWidth: 0, aliasDuplicateObjects: false } as const;
  const text = `#cloud-config\n${stringify({ ...config, write_files: files }, options)}`;
  const size = Buffer.byteLength(text);
  if (size > SIZE_LIMIT) throw new Error(`customData would have ${size} bytes, over the limit of ${SIZE_LIMIT}`);
  return text;
}

function entryOf(path: string, file: string) {
  return { path, permissions: path.startsWith("/usr/local/") ? "0755" : "0644", content: read(file) };
}

function read(file: string): string {
  return readFileSync(file, "utf8").replaceAll("\r\n", "\n");
}
