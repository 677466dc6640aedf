import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { parse } from "yaml";

/**
 * The picture of README.md, drawn from docs/pictures/architecture.yaml, light and dark:
 *   node test/docs/picture.ts
 * writes both.
 * @module
 */

const FOLDER = resolve(import.meta.dirname, "../../docs/pictures");

/** Whose a thing is, which decides its colour. */
type Owner = "yours" | "azure" | "key";

/** Lengths in pixels of a picture that is shown at its own size. */
interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly owner: Owner;
  readonly title: string;
}

interface Picture {
  readonly title: string;
  readonly description: string;
  readonly width: number;
  readonly height: number;
  readonly areas: readonly Area[];
  readonly boxes: readonly (Area & { readonly lines: readonly string[] })[];
  readonly arrows: readonly {
    readonly from: [number, number];
    readonly to: [number, number];
    readonly label?: string;
  }[];
  readonly notes: readonly { readonly x: number; readonly y: number; readonly text: string }[];
}

interface Palette {
  readonly text: string;
  readonly quiet: string;
  /** Fill of a box, its border, and the fill of an area around boxes, by owner. */
  readonly owners: Readonly<Record<Owner, { readonly fill: string; readonly line: string; readonly ground: string }>>;
}

/** Near to the colours of GitHub's own pages, on which the picture is seen. */
export const PALETTES: Readonly<Record<"light" | "dark", Palette>> = {
  light: {
    text: "#1f2328",
    quiet: "#59636e",
    owners: {
      yours: { fill: "#ffffff", line: "#1a7f37", ground: "#f3faf4" },
      azure: { fill: "#ffffff", line: "#0969da", ground: "#f2f7fd" },
      key: { fill: "#fff8e6", line: "#9a6700", ground: "#fff8e6" },
    },
  },
  dark: {
    text: "#f0f6fc",
    quiet: "#9198a1",
    owners: {
      yours: { fill: "#0d1117", line: "#3fb950", ground: "#0f1a14" },
      azure: { fill: "#0d1117", line: "#4493f8", ground: "#0f1722" },
      key: { fill: "#272115", line: "#d29922", ground: "#272115" },
    },
  },
};

const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");

/** Draws the picture of a source in YAML, as an SVG that needs nothing else. */
export function draw(source: string, palette: Palette): string {
  const picture = parse(source) as Picture;
  const words = (x: number, y: number, kind: string, text: string) =>
    `<text x="${x}" y="${y}" class="${kind}">${escaped(text)}</text>`;
  const frame = ({ x, y, width, height }: Area, fill: string, line: string, more = "") =>
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="8" fill="${fill}" stroke="${line}"${more}/>`;
  const areas = picture.areas.flatMap((area) => {
    const { ground, line } = palette.owners[area.owner];
    return [frame(area, ground, line, ' stroke-opacity="0.45"'), words(area.x + 20, area.y + 31, "area", area.title)];
  });
  const boxes = picture.boxes.flatMap((box) => {
    const { fill, line } = palette.owners[box.owner];
    return [
      frame(box, fill, line, ' stroke-width="1.5"'),
      words(box.x + 16, box.y + 32, "title", box.title),
      ...box.lines.flatMap((text, at) => (text === "" ? [] : [words(box.x + 16, box.y + 56 + at * 20, "line", text)])),
    ];
  });
  const arrows = picture.arrows.flatMap(({ from, to, label }) => [
    `<path d="M${from.join(" ")} L${to[0] - 2} ${to[1]}" class="arrow" marker-end="url(#head)"/>`,
    ...(label === undefined ? [] : [words((from[0] + to[0]) / 2 - 3, from[1] - 8, "label", label)]),
  ]);
  const notes = picture.notes.map(({ x, y, text }) => words(x, y, "line", text));
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${picture.width} ${picture.height}" width="${picture.width}" height="${picture.height}" role="img" aria-labelledby="title description">`,
    `<title id="title">${escaped(picture.title)}</title>`,
    `<desc id="description">${escaped(picture.description)}</desc>`,
    `<style>text { font-family: -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; font-size: 13px; fill: ${palette.quiet} } .title { font-size: 16px; font-weight: 600; fill: ${palette.text} } .area { font-size: 14px } .label { font-size: 12px; text-anchor: middle } .arrow { stroke: ${palette.quiet}; stroke-width: 1.5; fill: none }</style>`,
    `<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="${palette.quiet}"/></marker>`,
    ...[areas, boxes, arrows, notes].flat(),
    "</svg>",
  ].join("\n")}\n`;
}

/** The pictures that lie in the tree, each by its path, and what the script makes now. */
export function pictures(): Readonly<Record<string, string>> {
  const source = readFileSync(resolve(FOLDER, "architecture.yaml"), "utf8");
  return Object.fromEntries(
    Object.entries(PALETTES).map(([name, palette]) => [
      resolve(FOLDER, `architecture-${name}.svg`),
      draw(source, palette),
    ]),
  );
}

if (import.meta.main) for (const [path, picture] of Object.entries(pictures())) writeFileSync(path, picture);
