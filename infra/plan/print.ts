import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { ownKeys } from "../config/namespaces.ts";
import { parseConfig } from "../config/parse.ts";
import { warnings } from "../config/warnings.ts";
import { estimateCost } from "../cost.ts";
import { firewallRules } from "../firewall.ts";
import { INVARIANTS } from "../invariants.ts";
import { draw } from "./draw.ts";
import { REPLACEMENTS } from "./guide.ts";
import { report } from "./report.ts";
import { readStackFile } from "./stack-file.ts";
import { USAGE } from "./usage.ts";

const PROJECT = "tezos-signer";

const ROOT = join(import.meta.dirname, "../..");

/** What is asked of the plan. */
export interface PlanOptions {
  readonly stack: string;
  readonly json: boolean;
  /** Whether each resource has beside it what it replaces of the old guide. */
  readonly guide: boolean;
  /** Where the stack's file is; the checkout otherwise. */
  readonly folder?: string | undefined;
}

/**
 * Prints the plan of a stack.
 * @returns the process's exit code: 1 for mistakes, 2 for a program that breaks an invariant
 */
export async function printPlan({ stack, json, guide, folder = ROOT }: PlanOptions): Promise<number> {
  const file = `Pulumi.${stack}.yaml`;
  let unread: readonly string[] = [];
  try {
    const text = readFileSync(join(folder, file), "utf8");
    const own = ownKeys(readStackFile(text, PROJECT), PROJECT);
    unread = own.warnings;
    const settings = parseConfig(own.config, stack);
    const plan = await draw(settings);
    const facts = {
      rules: firewallRules(settings),
      cost: estimateCost(settings),
      warnings: [...unread, ...warnings(settings)],
      kept: INVARIANTS.map(({ name }) => name),
    };
    console.log(
      json
        ? JSON.stringify({ stack, ...plan, ...facts, guide: REPLACEMENTS }, null, 2)
        : report({ settings, plan, guide, ...facts }),
    );
    return 0;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    for (const warning of unread) console.error(`${file}: ${warning}`);
    if (code === "ENOENT") console.error(`There is no ${file}. \`pulumi stack init NAME\` makes a stack; ${USAGE}`);
    else console.error(`${file}: ${message}`);
    return pulumi.RunError.isInstance(error) ? 2 : 1;
  }
}
