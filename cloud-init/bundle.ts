/**
 * Many texts in one small file: JSON of path and text, compressed by brotli, which takes a sixth less than gzip here.
 * The encoder is WebAssembly and pinned, since Node's own may differ from version to version and, by its floating
 * point, from processor to processor; the machine decodes with Node's own (files/usr/local/lib/tezos-signer/unpack.mjs).
 * @module
 */
import { createRequire } from "node:module";

interface Brotli {
  compress(bytes: Uint8Array, options: { readonly quality: number }): Uint8Array;
}

// Its entry for ES modules is for browsers.
const { compress }: Brotli = createRequire(import.meta.url)("brotli-wasm");

/** @param files text by path; their order is part of the result */
export function packBundle(files: ReadonlyMap<string, string>): Uint8Array {
  return compress(Buffer.from(JSON.stringify(Object.fromEntries(files))), { quality: 11 });
}
