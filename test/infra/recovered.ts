import { globSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { type Ahead, creationsIn } from "../../infra/recovery/ahead.ts";
import { carryOut, examine, told, unlockIdle } from "../../infra/recovery/recover.ts";
import type { StateExport } from "../../infra/recovery/state.ts";
import type { Cloud } from "../emulators/azure-resource-manager/cloud.ts";
import type { Outcome, TestStack } from "../emulators/azure-resource-manager/engine.ts";
import type { Kill } from "../emulators/azure-resource-manager/kills.ts";

/** What tests of cut-off commands share. */

/** Runs a command of Pulumi's that ends in the middle of a request. */
export async function cutOff(cloud: Cloud, kill: Kill, command: () => Promise<Outcome>): Promise<void> {
  cloud.kills.at(kill);
  const { failed } = await command();
  expect(failed, `${kill.when} ${kill.method} ${kill.name}`).to.equal(true);
  expect(cloud.kills.pending, `${kill.when} ${kill.method} ${kill.name} was not asked for`).to.equal(0);
}

/** As docs/change.md says it of a state that cannot be read. */
function restoreState({ surroundings }: TestStack): void {
  const folder = fileURLToPath(surroundings.env.PULUMI_BACKEND_URL ?? "");
  for (const file of globSync(join(folder, ".pulumi/stacks/**/*.attrs"))) {
    if (statSync(file).size === 0) rmSync(file);
  }
}

/** The next `up` of a program that runs in this process, which `pulumi preview` alone does not know. */
async function previewed(stack: TestStack, state: StateExport): Promise<Ahead> {
  const steps = await stack.steps().catch((error: Error) => error);
  if (steps instanceof Error) return { creations: [], unknown: steps.message };
  return { creations: creationsIn(steps, state), unknown: undefined };
}

/** `npm run recover -- --yes`. @returns the lines that it prints of what it found */
export async function recover(stack: TestStack): Promise<string[]> {
  restoreState(stack);
  const { surroundings } = stack;
  const recovery = await examine(surroundings, (_, state) => previewed(stack, state));
  const lines = told(recovery);
  if (recovery.findings.length > 0) await carryOut(recovery, surroundings, new Date());
  else await unlockIdle(recovery, surroundings);
  return lines;
}
