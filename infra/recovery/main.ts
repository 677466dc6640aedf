/**
 * `npm run recover [-- --yes] [-- --stack STACK]`: the way back after an `up` or a `destroy` that was cut off.
 * @module
 */
import { readCommandLine } from "../command-line.ts";
import { misplaced } from "../stack-folder.ts";
import type { Finding } from "./findings.ts";
import type { Surroundings } from "./pulumi.ts";
import { carryOut, examine, type Recovery, told, unlockIdle } from "./recover.ts";

const HELP = `npm run recover [-- --yes] [--stack STACK]

Reads what an \`up\` or a \`destroy\` that was cut off had begun, asks Azure what became of it, and says what it would do.
Where nothing was cut off, it asks about what the next \`up\` would make: Azure may have it, and Pulumi not remember it.
With --yes it does it: writes an export of the state to a file, and then what Azure holds into the state. It changes
nothing in Azure and takes over nothing that is not this stack's. docs/change.md, "An up that was cut off".`;

const OPTIONS = {
  yes: { type: "boolean", default: false },
  stack: { type: "string", short: "s" },
  help: { type: "boolean", default: false, short: "h" },
} as const;

/** @returns the exit code: 2 for a wrong command, 1 where something is left to a person, or nothing could be done */
async function main(args: string[]): Promise<number> {
  const options = readCommandLine(args, OPTIONS, HELP);
  if (typeof options === "number") return options;
  const { stack, yes } = options;
  const where = { cwd: process.cwd(), env: process.env, ...(stack === undefined ? {} : { stack }) };
  try {
    const misplacement = misplaced(where.cwd);
    if (misplacement !== undefined) throw new Error(misplacement);
    const recovery = await examine(where);
    if (recovery.findings.length === 0) {
      const unlocked = yes && (await unlockIdle(recovery, where));
      const rest = unlocked ? "The lock of a command that has ended is taken away." : "There is nothing to recover.";
      const more = yes ? "" : " If Pulumi says `currently locked`, `npm run recover -- --yes` sees to the lock.";
      console.log(`Nothing was cut off in the middle of a change. ${rest}${more}`);
      if (recovery.unknown !== undefined)
        console.log(`What the next \`up\` would make is not known: ${recovery.unknown}`);
      return 0;
    }
    console.log([recovery.isCutOff ? "Cut off:" : "To be made, and there already:", ...told(recovery)].join("\n"));
    if (yes) {
      const file = await carryOut(recovery, where, new Date());
      console.log(`Pulumi's state says so now; as it was, it is in ${file}.`);
      for (let next = await ahead(recovery, where); next !== undefined; next = await ahead(next, where)) {
        console.log(told(next).join("\n"));
        await carryOut(next, where, new Date());
      }
      console.log("Go on with `npm run up`, or with `npm run destroy` if that was cut off.");
    } else {
      console.log(
        "Nothing was changed. `npm run recover -- --yes` writes this into Pulumi's state, and nothing in Azure.",
      );
    }
    return recovery.findings.some(isLeft) ? 1 : 0;
  } catch (error) {
    console.error(`recover: ${(error as Error).message}`);
    return 1;
  }
}

/** What hangs on what was taken in is known only now. @returns undefined where there is no more to take in */
async function ahead(before: Recovery, where: Surroundings): Promise<Recovery | undefined> {
  if (!hasNew(before)) return undefined;
  const next = await examine(where);
  return hasNew(next) ? next : undefined;
}

function hasNew({ findings }: Recovery): boolean {
  return findings.some(({ verdict }) => verdict.kind === "adopt");
}

/** Whether it is left to a person, or to Azure. */
function isLeft({ verdict }: Finding): boolean {
  return verdict.kind === "refused" || verdict.kind === "wait";
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
