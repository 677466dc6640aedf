/**
 * `npm run destroy [-- ARGUMENTS]`: asks Azure whether somebody's lock would refuse it, keeps a copy of Pulumi's memory,
 * and runs `pulumi destroy`.
 *
 * Pulumi forgets what is in the group before it asks Azure to delete the group. Where Azure refuses, all stands, and
 * Pulumi knows nothing of it any more: the random id that names the vault is gone as well.
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { lift, lockSaid, locksOn } from "./arm/locks.ts";
import { readForPulumi, stackIn } from "./command-line.ts";
import { login } from "./preflight/login.ts";
import { subscriptionIn } from "./recovery/azure-ids.ts";
import { pulumi } from "./recovery/pulumi.ts";
import { type StateExport, stackOf } from "./recovery/state.ts";

const HELP = `npm run destroy [-- ARGUMENTS]

Asks Azure whether a lock that is not the stack's own would refuse it, writes an export of the state to a file, and runs
\`pulumi destroy ARGUMENTS\`, which shows what it would delete and asks. The file goes once all is deleted.
\`pulumi destroy --help\` lists its arguments. docs/destroy.md.`;

/** @returns what Pulumi remembers; undefined where it does not tell, which `pulumi destroy` says again, and better */
async function remembered(args: readonly string[]): Promise<StateExport | undefined> {
  const { failed, stdout } = await pulumi(
    { cwd: process.cwd(), env: process.env },
    "stack",
    "export",
    ...stackIn(args),
  );
  return failed ? undefined : JSON.parse(stdout);
}

/** Asks Azure about locks. Where it does not tell, nothing is said: the deletion itself will. */
async function lockedBy({ deployment }: StateExport): Promise<string | undefined> {
  const group = deployment.resources?.find(({ type }) => type === "azure-native:resources:ResourceGroup");
  const subscription = subscriptionIn(group?.id ?? "");
  if (group?.id === undefined || subscription === undefined) return undefined;
  try {
    const { token } = await login(process.env, subscription.split("/")[2]);
    const [lock] = await locksOn(group.id, { token });
    return lock === undefined ? undefined : `${lockSaid(lock)}: ${lift(lock)}`;
  } catch {
    return undefined;
  }
}

const COMMAND = { name: "destroy", help: HELP, kept: ["stack", "refresh", "yes"] } as const;

/** @returns the exit code: Pulumi's own, or 1 where it was not run */
async function main(args: readonly string[]): Promise<number> {
  const done = readForPulumi(COMMAND, args);
  if (done !== undefined) return done;
  let before: StateExport | undefined;
  const file = () => `before-destroy-${stackOf(before as StateExport)?.stack}-${time}.json`;
  const time = new Date().toISOString().replaceAll(/[:.]/g, "-");
  try {
    before = await remembered(args);
    const lock = before && (await lockedBy(before));
    if (lock !== undefined) throw new Error(`nothing was changed: ${lock}`);
    if (before) await writeFile(file(), JSON.stringify(before, null, 2), { mode: 0o600, flag: "wx" });
  } catch (error) {
    console.error(`destroy: ${(error as Error).message}`);
    return 1;
  }
  // Ctrl-C reaches Pulumi as well, which ends in order and says so; this waits for it.
  process.on("SIGINT", () => {});
  const [code] = await once(spawn("pulumi", ["destroy", ...args], { stdio: "inherit" }), "close");
  if (before === undefined) return code ?? 1;
  const isSame = isDeepStrictEqual((await remembered(args))?.deployment.resources, before.deployment.resources);
  if (code === 0 || isSame) await rm(file());
  else {
    console.error(
      `destroy: it did not come to its end. Go on with \`npm run destroy\`; if all is to stay instead, docs/destroy.md, ` +
        `"A destroy that stopped", says what to do with ${file()}`,
    );
  }
  return code ?? 1;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
