// Plain JavaScript on purpose: an older Node must be able to read this file far enough to be told what is needed.
const major = Number(process.versions.node.split(".")[0]);
if (major < 24) {
  console.error(
    `tezos-signer needs Node.js 24 or newer; this is ${process.version}. Install it from https://nodejs.org.`,
  );
  process.exit(1);
}
const { run } = await import("./main.ts");
await run(process.argv);
