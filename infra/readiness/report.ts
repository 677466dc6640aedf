/**
 * What the machine said when it was waited for: machine/bin/await-ready prints it, and Azure shows how that ended. Pure.
 * @module
 */
import { z } from "zod";
import { INVISIBLE } from "../../signer/invisible-characters.ts";

/** What of Azure's instance view is read (VirtualMachineRunCommandInstanceView). */
export interface InstanceView {
  readonly executionState?: string;
  readonly executionMessage?: string;
  /** The last 4 KB of each stream. */
  readonly output?: string;
  readonly error?: string;
}

const Report = z.object({
  /** Of the release in use. */
  version: z.string().regex(/^[\w.+-]{1,40}$/),
  release: z.string().regex(/^[0-9a-f]{64}$/),
  keys: z.array(
    z.object({
      address: z.string().regex(/^tz[1-4][1-9A-HJ-NP-Za-km-z]{33}$/),
      publicKey: z.string().regex(/^(edpk|sppk|p2pk|BLpk)[1-9A-HJ-NP-Za-km-z]{40,120}$/),
    }),
  ),
  /** How many keys there are beside those. */
  more: z.int().positive().optional(),
  /** The signer's words where nothing is missing but the first key. */
  missing: z.string().optional(),
});

/** A signer that is ready, or would be with a key. */
export type Report = z.output<typeof Report>;

export type Outcome =
  | { readonly kind: "under-way" }
  | { readonly kind: "over"; readonly report: Report }
  | { readonly kind: "failed"; readonly words: string };

/**
 * Reads how the machine's script ended.
 * @param view undefined where Azure shows none yet
 */
export function outcomeOf(view: InstanceView | undefined): Outcome {
  const { executionState: state = "Unknown", executionMessage = "", output = "", error = "" } = view ?? {};
  if (/^(unknown|pending|running)$/i.test(state)) return { kind: "under-way" };
  if (state !== "Succeeded") {
    const words = lastLine(error) || lastLine(output) || `Azure says ${state}: ${executionMessage}`;
    return { kind: "failed", words: shown(words) };
  }
  const line = lastLine(output);
  const { data: report } = Report.safeParse(parsed(line));
  if (report === undefined) return { kind: "failed", words: `it is not understood: ${shown(line.slice(0, 200))}` };
  const { missing } = report;
  return { kind: "over", report: missing === undefined ? report : { ...report, missing: shown(missing) } };
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** They come from another computer, and go to a terminal. */
function shown(words: string): string {
  return words.replaceAll(INVISIBLE, " ").trim();
}
