/**
 * Reads what Pulumi would find in a refresh that it only shows. Pure.
 * @module
 */
import { z } from "zod";
import { read } from "../arm/answer.ts";
import type { Said } from "../recovery/pulumi.ts";
import { nameOf } from "../recovery/state.ts";

/** What `pulumi refresh --preview-only --json` prints. */
const Shown = z.object({
  steps: z.array(z.object({ op: z.string(), urn: z.string(), diffReasons: z.array(z.string()).nullish() })),
});

/**
 * Reads which resources a refresh would change.
 * @returns each resource that is otherwise than Pulumi remembers it, with what of it: `vault (tags)`
 */
export function changedIn({ failed, stdout, stderr }: Said): string[] {
  if (failed) {
    const line = `${stderr}\n${stdout}`.split("\n").find((line) => /error/i.test(line)) ?? "it says nothing";
    throw new Error(`pulumi refresh fails: ${line.trim().slice(0, 200)}`);
  }
  const { steps } = read(Shown, parsed(stdout), "what pulumi refresh shows");
  const changed = steps.filter(({ op }) => op !== "refresh" && op !== "same");
  return changed.map(({ op, urn, diffReasons }) => {
    const what = op === "delete" ? ["gone"] : (diffReasons ?? []);
    return what.length === 0 ? nameOf({ urn }) : `${nameOf({ urn })} (${what.join(", ")})`;
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
