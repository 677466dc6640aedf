import { visibleJson } from "../../invisible-characters.ts";

/** Text that is HTML already. Nothing makes one but {@link html}. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What may stand in a template; null is nothing. */
export type Shown = Html | string | number | null | readonly Shown[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * Makes HTML of a template. Whatever is put into it is text, between tags or within a quoted attribute, whoever wrote it:
 * markup shows as it is written, and what is not seen, or would turn a line round, as JSON's escapes.
 */
export function html(parts: TemplateStringsArray, ...values: readonly Shown[]): Html {
  return new Html(parts.map((part, at) => `${part}${at < values.length ? textOf(values[at] ?? null) : ""}`).join(""));
}

function textOf(value: Shown): string {
  if (value === null) return "";
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map(textOf).join("");
  return visibleJson(String(value)).replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
