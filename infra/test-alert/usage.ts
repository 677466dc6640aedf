/** How the command is written, and what it says of itself. */
export const USAGE = `npm run test-alert -- [--stack NAME]

Has Azure send a test alert to all whom the stack's alerts go to, by e-mail and to the webhook, and tells what became of
each. Nothing is changed. docs/operate.md, "What fires when, and who is told", has the exit codes.`;
