// Plain JavaScript on purpose: an older Node must be able to read this file far enough to be told what is needed.
const major = Number(process.versions.node.split(".")[0]);
if (major < 24) {
  console.error(
    `tezos-signer needs Node.js 24 or newer; this is ${process.version}. Install it from https://nodejs.org.`,
  );
  process.exit(1);
}
const [{ startSigner }, { program }, { runCommandLine }] = await Promise.all([
  import("./main.ts"),
  import("./cli/program.ts"),
  import("./cli/run.ts"),
]);
process.exitCode = await runCommandLine(program(process, startSigner), process.argv.slice(2), process);
