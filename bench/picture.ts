import { TITLES } from "./page.ts";
import { type CaseResult, has, type Name, type Results, timesOf } from "./results.ts";
import { distribution, type Point, quantile } from "./statistics.ts";

/**
 * The picture of docs/performance.md: how long the slowest of so many requests took, for two cases. Pure.
 * @module
 */

export type Theme = "light" | "dark";

/** Near to the colours of GitHub's own pages, on which the picture is seen. */
const COLOURS: Readonly<Record<Theme, Readonly<Record<Name | "text" | "grid", string>>>> = {
  light: { text: "#59636e", grid: "#d1d9e0", alone: "#8c959f", ours: "#0969da", peer: "#bc4c00" },
  dark: { text: "#9198a1", grid: "#3d444d", alone: "#656c76", ours: "#4493f8", peer: "#db6d28" },
};

/** The cases that are drawn, in this order. */
const DRAWN = ["base case", "1 s between two requests"];
/** Lengths in pixels. */
const PANEL = { width: 380, height: 240, left: 56, top: 44, gap: 84 };
/** As many points a line has. */
const POINTS = 200;
/** The slowest in a thousand is the right end: an even step for each power of ten. */
const DECADES = 3;
const TICKS = [
  [0, "half"],
  [0.9, "9 of 10"],
  [0.99, "99 of 100"],
  [0.999, "999 of 1,000"],
] as const;

/** Draws the distributions of a run. @returns SVG */
export function pictureOf({ cases }: Results, theme: Theme): string {
  const drawn = DRAWN.flatMap((name) => cases.filter((each) => each.case.name === name));
  const width = PANEL.left + drawn.length * (PANEL.width + PANEL.gap);
  const height = PANEL.top + PANEL.height + 56;
  const { text, grid } = COLOURS[theme];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">
<title id="title">How long a signature takes, from the quickest to the slowest in a thousand</title>
<style>text { font: 12px -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; fill: ${text} } .head { font-size: 14px } .grid { stroke: ${grid} } .line { fill: none; stroke-width: 2 }</style>
${drawn.map((result, index) => panel(result, PANEL.left + index * (PANEL.width + PANEL.gap), theme)).join("\n")}
</svg>
`;
}

function panel(result: CaseResult, left: number, theme: Theme): string {
  const names = (Object.keys(TITLES) as Name[]).filter((name) => has(result, name));
  const most = roundUp(Math.max(...names.map((name) => quantile(timesOf(result, name), 0.995))));
  const x = (share: number) => left + (Math.min(-Math.log10(1 - share), DECADES) / DECADES) * PANEL.width;
  const y = (milliseconds: number) => PANEL.top + PANEL.height * (1 - Math.min(milliseconds / most, 1));
  const bottom = PANEL.top + PANEL.height;
  const parts = [`<text class="head" x="${left}" y="20">${result.case.name}</text>`];
  for (let step = 0; step <= 4; step += 1) {
    const at = y((most * step) / 4).toFixed(1);
    parts.push(
      `<path class="grid" d="M${left} ${at} h${PANEL.width}"/>`,
      `<text x="${left - 8}" y="${at}" dy="4" text-anchor="end">${(most * step) / 4} ms</text>`,
    );
  }
  for (const [share, words] of TICKS) {
    const at = x(share === 0 ? 0.5 : share).toFixed(1);
    parts.push(`<text x="${at}" y="${bottom + 18}" text-anchor="middle">${words}</text>`);
  }
  for (const [index, name] of names.entries()) {
    const line = distribution(timesOf(result, name), POINTS).map(({ milliseconds, share }: Point) =>
      [x(share), y(milliseconds)].map((each) => each.toFixed(1)).join(" "),
    );
    const colour = COLOURS[theme][name];
    parts.push(
      `<path class="line" stroke="${colour}" d="M${line.join(" L")}"/>`,
      `<text x="${left + index * 140}" y="${bottom + 42}"><tspan fill="${colour}">■</tspan> ${TITLES[name]}</text>`,
    );
  }
  return parts.join("\n");
}

/** The next number that four steps divide evenly. */
function roundUp(value: number): number {
  const step = [4, 8, 20, 40, 80, 100, 200, 400, 800, 1_000, 2_000, 4_000].find((each) => value <= each * 2) ?? 10_000;
  return Math.ceil(value / step) * step;
}
