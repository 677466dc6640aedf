/**
 * Loads every module of the signer in the current folder and ends, so that what Node.js made of them lies in
 * NODE_COMPILE_CACHE. Run by compiled.ts, as a user of its own.
 * @module
 */
import { globSync } from "node:fs";
import { resolve } from "node:path";

for (const file of globSync("signer/**/*.ts").sort()) await import(resolve(file));
process.exit();
