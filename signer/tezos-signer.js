// Plain JavaScript on purpose: an older Node must be able to read this file far enough to be told what is needed.
const major = Number(process.versions.node.split(".")[0]);
if (major < 24) {
  console.error(
    `tezos-signer needs Node.js 24 or newer; this is ${process.version}. Install it from https://nodejs.org.`,
  );
  process.exit(1);
}
const { program } = await import("./cli/program.ts");
const { runCommandLine } = await import("./cli/run.ts");
// The signer itself, with its servers and SDKs, is loaded for `serve` alone.
const start = async (settings, logger) => (await import("./main.ts")).startSigner(settings, logger);
const openStore = async (settings) => (await import("./main.ts")).openStore(settings);
const command = await program(process, start, openStore);
process.exitCode = await runCommandLine(command, process.argv.slice(2), process);
