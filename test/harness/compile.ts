import { globSync } from "node:fs";

/**
 * Loads the whole signer and ends, so that what Node.js made of it lies in NODE_COMPILE_CACHE for the processes that the
 * tests start: most of those are killed, and a process that is killed leaves nothing there.
 */
for (const file of globSync("signer/**/*.ts").sort()) await import(`../../${file}`);
process.exit();
