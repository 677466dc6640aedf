/**
 * The text of a stack's file: what was answered, beside what the file has already. Pure.
 * @module
 */
import { Document, isMap, parseDocument } from "yaml";
import type { Draft } from "./questions.ts";

const HEADER = " Made by `npm run setup`. docs/change.md says what each change does.\n";

/**
 * Puts settings into a stack's file. Comments, keys that are not named and what Pulumi keeps beside them stay.
 * @param text what the file has; undefined where there is none
 * @param settings without the project's name; undefined takes a key out
 */
export function withSettings(text: string | undefined, project: string, settings: Draft): string {
  const document = text === undefined ? new Document({}) : parseDocument(text);
  if (text === undefined) document.commentBefore = HEADER.trimEnd();
  if (!isMap(document.contents)) document.contents = document.createNode({}) as typeof document.contents;
  if (!isMap(document.get("config"))) document.set("config", document.createNode({}));
  for (const [name, value] of Object.entries(settings)) {
    document.deleteIn(["config", name]);
    const path = ["config", `${project}:${name}`];
    if (value === undefined) document.deleteIn(path);
    else document.setIn(path, value === "true" ? true : value === "false" ? false : value);
  }
  return document.toString({ lineWidth: 0 });
}
