/**
 * Releases that differ from the real one in a file or two: good ones, to upgrade to, and broken ones, to be refused.
 * @module
 */
import { createHash } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { extract, pack } from "tar-stream";

/** A release as the machine is told of it. */
export interface Variant {
  readonly version: string;
  readonly sha256: string;
  readonly name: string;
  readonly content: Buffer;
}

/** Makes the text of a file from what it is; a file that is not there is made from nothing. */
export type Changes = Readonly<Record<string, (text: string) => string>>;

/**
 * Makes another release of one, with its MANIFEST in order.
 * @param release the whole archive
 * @param version what it calls itself
 * @param changes new text by path inside the release
 */
export async function variant(release: Buffer, version: string, changes: Changes = {}): Promise<Variant> {
  const files: { name: string; mode: number; content: Buffer }[] = [];
  const reading = extract();
  reading.end(release);
  for await (const entry of reading) {
    if (entry.header.type !== "file") entry.resume();
    else files.push({ name: entry.header.name, mode: entry.header.mode ?? 0o644, content: await buffer(entry) });
  }
  const top = files[0]?.name.split("/")[0] ?? "";
  const all: Changes = { "package.json": (text) => JSON.stringify({ ...JSON.parse(text), version }), ...changes };
  for (const [path, change] of Object.entries(all)) {
    const file = files.find(({ name }) => name === `${top}/${path}`);
    if (file === undefined) files.push({ name: `${top}/${path}`, mode: 0o644, content: Buffer.from(change("")) });
    else file.content = Buffer.from(change(file.content.toString("utf8")));
  }
  const manifest = files.find(({ name }) => name === `${top}/MANIFEST`);
  const others = files.filter((file) => file !== manifest);
  if (manifest !== undefined) {
    const lines = others.map(({ name, content }) => `${sha256(content)}  ${name.slice(top.length + 1)}\n`);
    manifest.content = Buffer.from(`# tezos-signer ${version}, changed for a test\n${lines.join("")}`);
  }
  const writing = pack();
  const written = buffer(writing);
  for (const { name, mode, content } of files) writing.entry({ name, mode, mtime: new Date(0) }, content);
  writing.finalize();
  return named(version, await written);
}

/** A release by its archive. */
export function named(version: string, content: Buffer): Variant {
  const hash = sha256(content);
  return { version, sha256: hash, name: `tezos-signer-${version}-${hash.slice(0, 12)}.tar`, content };
}

function sha256(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}
