import { execFile } from "node:child_process";

/** Where and as whom Pulumi's command line runs. */
export interface Surroundings {
  /** The project's folder. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Chosen on the command line; absent: the one that is selected. */
  readonly stack?: string;
}

/** What a command printed, and whether it failed. */
export interface Said {
  readonly failed: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs `pulumi` and never asks anybody anything.
 * @throws Error where there is no Pulumi
 */
export function pulumi({ cwd, env, stack }: Surroundings, ...args: string[]): Promise<Said> {
  const chosen = stack === undefined ? [] : ["--stack", stack];
  const all = [...args, ...chosen, "--non-interactive", "--color", "never"];
  return new Promise((resolve, reject) => {
    execFile("pulumi", all, { cwd, env, maxBuffer: 2 ** 30 }, (error, stdout, stderr) => {
      if (error !== null && "code" in error && error.code === "ENOENT") {
        reject(new Error("pulumi is not on PATH: docs/deploy.md says how to install it", { cause: error }));
      } else resolve({ failed: error !== null, stdout, stderr });
    });
  });
}

/**
 * Runs `pulumi` and expects it to succeed.
 * @returns what it printed
 * @throws Error with what it said otherwise
 */
export async function pulumiOrFail(where: Surroundings, ...args: string[]): Promise<string> {
  const { failed, stdout, stderr } = await pulumi(where, ...args);
  if (failed) throw new Error(`pulumi ${args.slice(0, 2).join(" ")}: ${(stderr || stdout).trim()}`);
  return stdout;
}
