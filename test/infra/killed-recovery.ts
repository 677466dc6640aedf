import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { STACK_FOLDER, stackFile } from "../../infra/stack-folder.ts";
import type { TestStack } from "../emulators/azure-resource-manager/engine.ts";

const root = resolve(import.meta.dirname, "../..");

/** What a script of the project's printed, and how it ended. */
export interface Ran {
  /** The exit code; undefined where it was killed. */
  readonly code: number | undefined;
  readonly output: string;
  /** The commands of Pulumi's that it has run, in order. */
  readonly asked: readonly string[];
}

/** At which of the commands of Pulumi's that a script runs the script is killed. */
export interface ScriptKill {
  readonly when: "before" | "after";
  /** The command's first words. */
  readonly words: string;
  /** Which of these commands; the first is 1. */
  readonly nth?: number;
}

/**
 * Where `npm run recover -- --yes` is killed, each time from where it had come to: in reading, in asking Azure by a stack
 * of its own, in writing, which a lock refuses the first time, in unlocking, in writing again, and in looking ahead.
 */
export const RECOVERY_KILLS: readonly ScriptKill[] = [
  { when: "before", words: "stack export" },
  { when: "after", words: "stack export" },
  { when: "before", words: "stack import" },
  { when: "after", words: "stack import" },
  { when: "before", words: "refresh" },
  { when: "after", words: "refresh" },
  { when: "before", words: "stack import", nth: 2 },
  { when: "after", words: "stack import", nth: 2 },
  { when: "before", words: "cancel" },
  { when: "after", words: "cancel" },
  { when: "before", words: "stack import", nth: 2 },
  { when: "after", words: "stack import", nth: 2 },
  { when: "before", words: "preview" },
  { when: "after", words: "preview" },
];

/**
 * Runs a script of package.json's on a stack, as a process of its own.
 * @param script such as `infra/recovery/main.ts`
 * @param kill where the script is killed (SIGKILL)
 */
export async function run(
  { surroundings }: TestStack,
  [script = "", ...args]: readonly string[],
  kill?: ScriptKill,
): Promise<Ran> {
  const bin = mkdtempSync(join(tmpdir(), "tezos-signer-killed-"));
  const real = (surroundings.env.PATH ?? "").split(delimiter)[0];
  const { words = "", nth = 1 } = kill ?? {};
  const strike = (when: string) =>
    kill?.when === when ? `case "$*" in "${words}"*) [ "$n" = ${nth} ] && kill -9 $PPID && exit;; esac` : "";
  const lines = [
    "#!/bin/sh",
    `echo "$*" >>${bin}/asked`,
    `n=$(grep -c '^${words}' ${bin}/asked)`,
    strike("before"),
    `${real}/pulumi "$@"; code=$?`,
    strike("after"),
    "exit $code",
  ];
  writeFileSync(join(bin, "pulumi"), lines.join("\n"), { mode: 0o755 });
  // As in a checkout: the stack's file lies in stacks/. The engine has it beside Pulumi.yaml, where the script refuses it.
  const cwd = join(bin, "project");
  mkdirSync(join(cwd, STACK_FOLDER), { recursive: true });
  writeFileSync(join(cwd, "Pulumi.yaml"), `name: tezos-signer\nruntime: nodejs\nstackConfigDir: ${STACK_FOLDER}\n`);
  symlinkSync(join(surroundings.cwd, `Pulumi.${surroundings.stack}.yaml`), join(cwd, stackFile(surroundings.stack)));
  const env = {
    ...surroundings.env,
    PATH: `${bin}${delimiter}${surroundings.env.PATH}`,
    PULUMI_STACK: surroundings.stack,
    TMPDIR: bin, // what a killed one leaves goes with it
  };
  try {
    return await new Promise((done) => {
      execFile(process.execPath, [join(root, script), ...args], { cwd, env }, (error, out, err) => {
        const asked = readFileSync(join(bin, "asked"), "utf8").trimEnd().split("\n");
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : undefined;
        done({ code, output: out + err, asked });
      });
    });
  } finally {
    rmSync(bin, { recursive: true, force: true });
  }
}
