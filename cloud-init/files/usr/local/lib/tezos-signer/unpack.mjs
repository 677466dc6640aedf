// node unpack.mjs BUNDLE FOLDER: writes the files that cloud-init/bundle.ts packed.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { brotliDecompressSync } from "node:zlib";

const [bundle, folder] = process.argv.slice(2);
for (const [path, text] of Object.entries(JSON.parse(brotliDecompressSync(readFileSync(bundle))))) {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}
