// Plain JavaScript on purpose: an older Node must be able to read this file far enough to be told what is needed.
const major = Number(process.versions.node.split(".")[0]);
if (major < 24) {
  console.error(
    `tezos-signer needs Node.js 24 or newer; this is ${process.version}. In a checkout, npm ci brings it; elsewhere install it from https://nodejs.org.`,
  );
  process.exit(1);
}
// Without a listener this signal opens Node's debugger to every program of this computer, and with it the keys in memory.
process.on("SIGUSR1", () => undefined);
// A signer outlives its terminal, also while it is being loaded; serve.ts listens to more than this.
if (process.argv[2] === "serve") process.on("SIGHUP", () => undefined);
const { program } = await import("./cli/program.ts");
const { runCommandLine } = await import("./cli/run.ts");
const words = process.argv.slice(2);
const command = await program(process, words[0]);
// A signal that came before there was a listener opens it, in the next turn at the latest.
await new Promise((turn) => setImmediate(turn));
const debuggerOf = process.getBuiltinModule("node:inspector");
const isWanted = /--inspect(?!-port)/.test([...process.execArgv, process.env.NODE_OPTIONS].join(" "));
if (debuggerOf.url() !== undefined && !isWanted) debuggerOf.close();
process.exitCode = await runCommandLine(command, words, process);
