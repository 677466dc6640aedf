/** How the command is written, and what it says of itself. */
export const USAGE = `npm run verify -- [--stack NAME] [--json]

Tests on the stack that is up what this project assumes of Azure: from this computer, and on the machine by run command.
It makes a vault, keys and rows to throw away, and takes them away again; on a production stack it makes nothing. The
report is on the screen and in verify-STACK.txt, without secrets, ids and addresses. docs/reference/verify.md has the
rows and the exit codes.`;
