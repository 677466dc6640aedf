/**
 * Where Pulumi starts. Plain JavaScript, so that any Node.js can read it and say which one is needed.
 * @module
 */
const major = Number(process.versions.node.split(".")[0]);

if (major < 24) {
  console.error(
    `tezos-signer needs Node.js 24 or newer and this is ${process.versions.node}: use \`npm run up\`, which brings its own.`,
  );
  process.exit(1);
}

/** The program that Pulumi runs: index.ts. */
export default async function program() {
  const { default: stack } = await import("./index.ts");
  return stack();
}
