import { readFileSync } from "node:fs";
import { resolve } from "node:path";

/** What docs/first-run.md shows of a command, without the command. */
export function shown(command: string): string {
  const page = readFileSync(resolve(import.meta.dirname, "../../docs/first-run.md"), "utf8");
  const blocks = [...page.matchAll(/^```\w*\n([\s\S]*?)^```$/gm)].map(([, text = ""]) => text);
  const block = blocks.find((text) => text.startsWith(`$ ${command}\n`)) ?? "";
  return steady(block.slice(block.indexOf("\n") + 1));
}

/** What another run, or another day, has otherwise. */
export function steady(text: string): string {
  return text
    .replaceAll(/\d+ of 20 are high/g, "9 of 20 are high")
    .replaceAll(/in \d+ days/g, "in 90 days")
    .replaceAll(/, \d{4}-\d\d-\d\d\.$/gm, ", TODAY.")
    .replaceAll(/"[0-9a-f]{8}-[0-9a-f-]{27}"/g, '"GUID"')
    .replaceAll(/(?<![0-9a-f])[0-9a-f]{16}(?![0-9a-f])/g, "ID")
    .trimEnd();
}

/** Of what `pulumi up` prints, what it made, in any order, and all that it prints at its end but how long it took. */
export function made(printed: string): string[] {
  const text = steady(printed.replaceAll(/ \([\d.]+s\) *$/gm, ""));
  const created = text.split("\n").filter((line) => / created$/.test(line) && !line.startsWith("    "));
  return [...created.sort(), text.slice(text.indexOf("Outputs:")).split("Duration:")[0]?.trimEnd() ?? ""];
}
