import { readFileSync } from "node:fs";
import { callsIn, type Words } from "../../harness/shell-words.ts";

const page = readFileSync(new URL("../../../docs/disaster.md", import.meta.url), "utf8");

/**
 * A block of shell of docs/disaster.md.
 * @param heading under which it stands
 * @param part a text that it holds
 * @throws Error where there is not one
 */
export function block(heading: string, part: string): string {
  const section = page.split(/^##+ /m).find((text) => text.startsWith(`${heading}\n`)) ?? "";
  const blocks = [...section.matchAll(/^ *```sh\n([\s\S]*?)^ *```$/gm)].map(([, code = ""]) => code);
  const found = blocks.filter((code) => code.includes(part));
  if (found.length !== 1) throw new Error(`docs/disaster.md, "${heading}": ${found.length} blocks with ${part}`);
  return found[0] as string;
}

/** The line of a block with a text in it, lines that a backslash joins as one. */
export function line(heading: string, part: string): string {
  const lines = block(heading, part)
    .replaceAll(/ \\\n\s*/g, " ")
    .split("\n");
  return lines.find((each) => each.includes(part)) as string;
}

/** What a line gives to `tezos-signer keys`, with what its reader puts in. */
export function keyWords(text: string, values: Readonly<Record<string, string>>): Words {
  const [call = []] = callsIn(text);
  const words = call.slice(call.indexOf("keys") + 1);
  return words.map((word) =>
    Object.entries(values).reduce((filled, [name, value]) => filled.replace(name, value), word),
  );
}
