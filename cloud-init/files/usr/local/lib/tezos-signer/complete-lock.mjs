/**
 * Completes the machine's package-lock.json: asks the registry for each package's hash and address, and compares all
 * hashes at once with the pinned SHA-256. Only then does npm download anything, each package against its hash.
 *
 * node complete-lock.mjs LOCKFILE REGISTRY SHA256; exit status 0, 65 if the hashes are others, 1 if one cannot be had.
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

const [file, registry, pinned] = process.argv.slice(2);
const lock = JSON.parse(readFileSync(file, "utf8"));
const paths = Object.keys(lock.packages)
  .filter((path) => path !== "")
  .sort();

async function complete(path) {
  const entry = lock.packages[path];
  const name = path.split("node_modules/").at(-1);
  const url = new URL(`${name.replace("/", "%2f")}/${entry.version}`, registry);
  const response = await fetch(url, { signal: AbortSignal.timeout(30_000) });
  if (!response.ok) throw new Error(`${url} answered with status ${response.status}`);
  const { dist } = await response.json();
  entry.resolved = dist.tarball;
  entry.integrity = dist.integrity;
}

try {
  const open = [...paths];
  const worker = async () => {
    for (let path = open.pop(); path !== undefined; path = open.pop()) await complete(path);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
} catch (error) {
  console.error(`${error.message}${error.cause ? `: ${error.cause.message}` : ""}`);
  process.exit(1);
}

const lines = paths.map((path) => `${path} ${lock.packages[path].version} ${lock.packages[path].integrity}\n`);
const actual = createHash("sha256").update(lines.join("")).digest("hex");
if (actual !== pinned) {
  console.error(`SHA-256 over the packages' hashes is ${actual}, pinned is ${pinned}`);
  process.exit(65);
}
writeFileSync(file, JSON.stringify(lock, null, 1));
