import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { apiWarnings } from "../api-versions.ts";
import { ownKeys } from "../config/namespaces.ts";
import { parseConfig } from "../config/parse.ts";
import { warnings } from "../config/warnings.ts";
import { estimateCost } from "../cost.ts";
import { firewallRules } from "../firewall.ts";
import { INVARIANTS } from "../invariants.ts";
import { misplaced, STACK_FOLDER, stackFile } from "../stack-folder.ts";
import { draw } from "./draw.ts";
import { REPLACEMENTS } from "./guide.ts";
import { report } from "./report.ts";
import { readStackFile } from "./stack-file.ts";
import { USAGE } from "./usage.ts";

const PROJECT = "tezos-signer";

const ROOT = join(import.meta.dirname, "../..");

const EXAMPLE = "examples/stack.yaml";

/** What is asked of the plan. */
export interface PlanOptions {
  /** Its name; the example otherwise. */
  readonly stack?: string | undefined;
  readonly json: boolean;
  /** Whether each resource has beside it what it replaces of the old guide. */
  readonly guide: boolean;
  /** The project's, where the stacks' folder is; the checkout otherwise. */
  readonly folder?: string | undefined;
}

/**
 * Prints the plan of a stack.
 * @returns the process's exit code: 1 for mistakes, 2 for a program that breaks an invariant
 */
export async function printPlan({ stack: named, json, guide, folder = ROOT }: PlanOptions): Promise<number> {
  const stack = named ?? "example";
  const file = named === undefined ? EXAMPLE : stackFile(named);
  const misplacement = misplaced(folder);
  if (misplacement !== undefined) {
    console.error(misplacement);
    return 1;
  }
  let unread: readonly string[] = [];
  try {
    const text = readFileSync(join(named === undefined ? ROOT : folder, file), "utf8");
    const own = ownKeys(readStackFile(text, PROJECT), PROJECT);
    unread = own.warnings;
    const settings = parseConfig(own.config, stack);
    const plan = await draw(settings);
    const facts = {
      rules: firewallRules(settings),
      cost: estimateCost(settings),
      warnings: [...unread, ...warnings(settings), ...apiWarnings()],
      kept: INVARIANTS.map(({ name }) => name),
    };
    console.log(
      json
        ? JSON.stringify({ stack, ...plan, ...facts, guide: REPLACEMENTS }, null, 2)
        : [
            ...(named === undefined
              ? [`The example, ${EXAMPLE}. ${ownStacks(folder) ?? "`npm run setup` asks what yours needs."}`]
              : []),
            report({ settings, plan, guide, ...facts }),
          ].join("\n"),
    );
    return 0;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    for (const warning of unread) console.error(`${file}: ${warning}`);
    if (code === "ENOENT") {
      console.error(`There is no ${file}. ${ownStacks(folder) ?? "`npm run setup` writes a stack's file."}\n${USAGE}`);
    } else console.error(`${file}: ${message}`);
    return pulumi.RunError.isInstance(error) ? 2 : 1;
  }
}

/** Says how the stacks that are there are drawn. @returns undefined where there are none */
function ownStacks(folder: string): string | undefined {
  const path = join(folder, STACK_FOLDER);
  const files = existsSync(path) ? readdirSync(path) : [];
  const own = files.flatMap((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1] ?? []);
  return own.length === 0 ? undefined : `Yours: ${own.map((name) => `npm run plan -- --stack ${name}`).join(", ")}`;
}
