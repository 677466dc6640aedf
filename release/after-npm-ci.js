// `npm ci` runs this. .npmrc keeps npm from warning of an older Node.js once for each package: here it is told in one line.
// By now `node` is the one that npm ci has brought, so npm is asked which one it runs with itself.
const [, version, major] = /node\/(v(\d+)\S*)/.exec(process.env.npm_config_user_agent ?? "") ?? [];
if (Number(major) < 24) {
  console.error(
    `Your Node.js is ${version}, which is enough: npm ci has brought ${process.version}, and npm run uses that.`,
  );
}
