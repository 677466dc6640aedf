/**
 * `npm run test-alert [-- --stack NAME]`: whether whom the stack's alerts go to is reached.
 * @module
 */
import { readCommandLine } from "../command-line.ts";
import { PEOPLE } from "../config/action-group.ts";
import { groupName } from "../config/stack-name.ts";
import { plain } from "../preflight/report.ts";
import { meant, NoStack } from "../preflight/stack-at-azure.ts";
import { NobodyTold, sendTestAlert } from "./test-alert.ts";
import { USAGE } from "./usage.ts";

const OPTIONS = {
  stack: { type: "string", short: "s" },
  help: { type: "boolean", default: false, short: "h" },
} as const;

/**
 * Runs the command.
 * @returns the exit code: 0 where Azure has sent it to each, 1 where not or there is nobody, 2 for a wrong command or
 *   configuration, 3 where Azure cannot be asked
 */
async function main(args: string[]): Promise<number> {
  const options = readCommandLine(args, OPTIONS, USAGE);
  if (typeof options === "number") return options;
  const { stack: named } = options;
  try {
    const where = { cwd: process.cwd(), env: process.env, ...(named === undefined ? {} : { stack: named }) };
    const { stack, who } = await meant(where);
    const home = `${who.subscription}/resourceGroups/${groupName(stack)}`;
    const sent = await sendTestAlert(`${home}/providers/Microsoft.Insights/actionGroups/${PEOPLE}`, who);
    for (const { receiver, isSent, says } of sent) {
      console.log(plain(`${isSent ? "sent    " : "not sent"}  ${receiver}  ${says}`));
    }
    console.log("Azure has sent it, or not: whether it came, look there.");
    return sent.every(({ isSent }) => isSent) ? 0 : 1;
  } catch (error) {
    console.error(`test-alert: ${(error as Error).message}`);
    if (error instanceof NobodyTold) return 1;
    return error instanceof NoStack ? 2 : 3;
  }
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
