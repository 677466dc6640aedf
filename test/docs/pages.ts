import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

/** The pages of the repository, and where their links lead. */

export const ROOT = resolve(import.meta.dirname, "../..");

/** Every page, by its path from the root. */
export const PAGES = globSync(["*.md", "{docs,monitoring,hardware,container,.github,test}/**/*.md"], {
  cwd: ROOT,
  exclude: ["**/node_modules/**"], // of hardware/, once it is built
}).toSorted();

/** The text of a page or another file. @param path from the root */
export const textOf = (path: string) => readFileSync(join(ROOT, path), "utf8");

/** The headings of a page, as they are written. */
export function headingsOf(page: string): readonly string[] {
  return [...withoutBlocks(page).matchAll(/^#{1,6} +(.*?) *#*$/gm)].map(([, heading = ""]) => heading);
}

/** The anchors that GitHub gives the headings of a page: letters, digits, hyphens; a second one of a name gets -1. */
export function anchorsOf(page: string): ReadonlySet<string> {
  const seen = new Map<string, number>();
  return new Set(
    headingsOf(page).map((heading) => {
      const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
      const slug = plain.replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-");
      const times = seen.get(slug) ?? 0;
      seen.set(slug, times + 1);
      return times === 0 ? slug : `${slug}-${times}`;
    }),
  );
}

/** A link of a page to something in this repository. */
export interface Link {
  readonly from: string;
  /** The path that it leads to, from the root. */
  readonly path: string;
  readonly anchor: string | undefined;
}

/** A page without its code. */
export function proseOf(page: string): string {
  return withoutBlocks(textOf(page)).replace(/`[^`\n]*`/g, "");
}

/** The links of a page that stay in this repository, pictures among them. */
export function linksOf(from: string): readonly Link[] {
  const targets = [...proseOf(from).matchAll(/\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"/g)].map(
    ([, link, attribute]) => link ?? attribute ?? "",
  );
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path = "", anchor] = target.split("#");
      return { from, path: path === "" ? from : relative(ROOT, resolve(ROOT, dirname(from), path)), anchor };
    });
}

/** A page without its blocks of code. */
export function withoutBlocks(page: string): string {
  return page.replace(/^( *)(`{3,})[\s\S]*?^\1\2 *$/gm, "");
}
