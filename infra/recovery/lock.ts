/**
 * The lock that a command of Pulumi's leaves in the state where it is cut off.
 * @module
 */
import { hostname } from "node:os";
import { pulumiOrFail, type Surroundings } from "./pulumi.ts";

/**
 * Takes away the lock of a process that has ended.
 * @param said why Pulumi did not write
 * @throws Error for every other reason, and where the process may still run
 */
export async function unlock(said: string, where: Surroundings): Promise<void> {
  if (!/currently locked|in progress/i.test(said)) throw new Error(`pulumi stack import: ${said.trim()}`);
  const locks = [...said.matchAll(/created by (\S+)@(\S+) \(pid (\d+)\) at (\S+)/g)];
  const ended = locks.every(([, , host, pid]) => host === hostname() && !runs(Number(pid)));
  if (locks.length === 0 || !ended) {
    const whose = locks.map(([, user, host, pid, time]) => `${user}@${host}, process ${pid}, since ${time}`).join("; ");
    throw new Error(
      `somebody has locked the stack (${whose || said.trim()}). Wait until that is done. If you are sure that nothing ` +
        "runs there any more: `pulumi cancel`, and run this again",
    );
  }
  await pulumiOrFail(where, "cancel", "--yes");
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
