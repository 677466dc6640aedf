import { globSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect } from "chai";
import { headingsOf, PAGES, ROOT, textOf } from "./pages.ts";

/** A heading that a text sends its reader to, by a page's name and the heading in quotes. */
interface Named {
  readonly file: string;
  readonly page: string;
  readonly heading: string;
}

const PRINTED = "{signer,infra,machine,release,cloud-init,demo,bench}/**/*.{ts,js,py,yaml}";
const NAMED = /\b([\w./-]+\.md)\)?(?:,| says under| under) "([^"\n]+)"/g;

/** @param text what it says in several strings is one sentence, and an escaped quote is one */
function namedIn(file: string, text: string): readonly Named[] {
  const plain = text.replaceAll(/(["'`]) \+\s*["'`]/g, "").replaceAll(/\\(["'`])/g, "$1");
  return [...plain.matchAll(NAMED)].map(([, page = "", heading = ""]) => ({ file, page, heading }));
}

/** The page that a name means: beside the file that names it, or by its path from the root, or in docs/. */
function pathOf({ file, page }: Named): string | undefined {
  return [normalize(join(dirname(file), page)), page, `docs/${page}`].find((path) => PAGES.includes(path));
}

/** A heading as a sentence quotes it: without the number of a step and the marks of code. */
function plain(heading: string): string {
  return heading.replace(/^\d+\. /, "").replaceAll("`", "");
}

const pages = PAGES.flatMap((page) => namedIn(page, textOf(page)));
const messages = globSync(PRINTED, { cwd: ROOT }).flatMap((file) => namedIn(file, textOf(file)));

describe("a heading that is named beside its page", () => {
  const lost = (named: readonly Named[]) =>
    named
      .filter((each) => {
        const path = pathOf(each);
        return path === undefined || !headingsOf(textOf(path)).map(plain).includes(plain(each.heading));
      })
      .map(({ file, page, heading }) => `${file}: ${page}, "${heading}"`);

  it("is there, where a page names it", () => {
    expect(pages.length).to.be.greaterThan(50);
    expect(lost(pages)).to.deep.equal([]);
  });

  it("is there, where a message or a comment of the program names it", () => {
    expect(messages.length).to.be.greaterThan(20);
    expect(lost(messages)).to.deep.equal([]);
  });

  it("is the answer of recover.md to whoever is told that a level is too far ahead", () => {
    const guard = messages.filter(({ file }) => file === "signer/watermark/guard.ts");
    expect(guard.map(({ heading }) => heading)).to.deep.equal(["A level that is too far ahead"]);
  });

  it("would be missed where the page has another one, or is another page", () => {
    const said = namedIn("docs/x.md", 'See [change.md](change.md), "A failed up", or [y](y.md), "No".');
    expect(lost(said)).to.deep.equal(['docs/x.md: y.md, "No"']);
    expect(lost(namedIn("infra/x.ts", '"docs/change.md, \\"A fai" + "led down\\""'))).to.deep.equal([
      'infra/x.ts: docs/change.md, "A failed down"',
    ]);
  });
});
