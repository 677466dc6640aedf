/** How the command is written, and what it says of itself. */
export const USAGE = `npm run preflight -- [--stack NAME] [--json]

Asks Azure, with the login that \`up\` would use, whether all that \`up\` needs is there: rights, sizes, quotas, names,
policies, locks. It only reads. docs/reference/preflight.md has the rows and the exit codes.`;
