/**
 * What a terminal shows, as a picture (SVG) that needs nothing else. Pure.
 * @module
 */

/** A text in one style. */
interface Run {
  readonly text: string;
  readonly isBold: boolean;
  /** Number of one of the eight colours (ECMA-48 SGR 30 to 37, less 30). */
  readonly colour: number | undefined;
}

/** The colours of a terminal: its ground, its text, and what the eight numbers stand for. */
export interface TerminalPalette {
  readonly ground: string;
  readonly frame: string;
  readonly text: string;
  readonly quiet: string;
  readonly colours: readonly string[];
}

/** Near to the colours of GitHub's own pages. */
export const TERMINALS: Readonly<Record<"light" | "dark", TerminalPalette>> = {
  light: {
    ground: "#ffffff",
    frame: "#d1d9e0",
    text: "#1f2328",
    quiet: "#59636e",
    colours: ["#1f2328", "#cf222e", "#116329", "#4d2d00", "#0969da", "#8250df", "#1b7c83", "#6e7781"],
  },
  dark: {
    ground: "#0d1117",
    frame: "#3d444d",
    text: "#f0f6fc",
    quiet: "#9198a1",
    colours: ["#6e7681", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#d2a8ff", "#39c5cf", "#f0f6fc"],
  },
};

const ESCAPE = "\x1b";
/** A control sequence (ECMA-48 CSI); those that end in m set the style. */
const SEQUENCE = new RegExp(`${ESCAPE}\\[([\\d;?]*)([A-Za-z])`, "g");

/** Lines of what a terminal was sent, in runs of one style. @throws Error for a sequence that moves the cursor */
function runs(screen: string): readonly (readonly Run[])[] {
  let isBold = false;
  let colour: number | undefined;
  return screen.split("\n").map((line) => {
    const found: Run[] = [];
    let from = 0;
    const add = (text: string) => text !== "" && found.push({ text, isBold, colour });
    for (const { index, 0: whole, 1: numbers = "", 2: kind } of line.matchAll(SEQUENCE)) {
      if (kind !== "m") throw new Error(`a picture has no cursor: ${JSON.stringify(whole)}`);
      add(line.slice(from, index));
      from = index + whole.length;
      for (const number of numbers.split(";").map(Number)) {
        if (number === 0) [isBold, colour] = [false, undefined];
        else if (number === 1) isBold = true;
        else if (number === 22) isBold = false;
        else if (number === 39) colour = undefined;
        else if (number >= 30 && number <= 37) colour = number - 30;
        else throw new Error(`a picture has no style ${number}`);
      }
    }
    add(line.slice(from));
    return found;
  });
}

const CHARACTER = 8.4;
const LINE = 20;
const MARGIN = 20;
const BAR = 34;

const escaped = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;").replaceAll(" ", "\u00a0"); // else an SVG makes one space of several

/**
 * Draws a screen.
 * @param title what was typed; it stands above the screen
 * @param screen what the terminal was sent: text, line feeds, and styles
 * @param columns of the terminal
 */
export function drawTerminal(title: string, screen: string, columns: number, palette: TerminalPalette): string {
  const lines = runs(screen.trimEnd());
  const width = Math.ceil(2 * MARGIN + columns * CHARACTER);
  const height = BAR + 2 * MARGIN + lines.length * LINE;
  const rows = lines.flatMap((line, row) => {
    let column = 0;
    const parts = line.map(({ text, isBold, colour }) => {
      // Each run says how wide it is, so that columns stand under each other in whatever font is there.
      const [x, length] = [MARGIN + column * CHARACTER, text.length * CHARACTER];
      column += text.length;
      const style = `${isBold ? ' font-weight="700"' : ""}${colour === undefined ? "" : ` fill="${palette.colours[colour]}"`}`;
      return `<tspan x="${x.toFixed(1)}" textLength="${length.toFixed(1)}" lengthAdjust="spacingAndGlyphs"${style}>${escaped(text)}</tspan>`;
    });
    return parts.length === 0 ? [] : [`<text y="${BAR + MARGIN + 14 + row * LINE}">${parts.join("")}</text>`];
  });
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">`,
    `<title id="title">${escaped(title)}</title>`,
    `<style>text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: ${palette.text} }</style>`,
    `<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" fill="${palette.ground}" stroke="${palette.frame}"/>`,
    `<path d="M1 ${BAR} H${width - 1}" stroke="${palette.frame}"/>`,
    `<text x="${MARGIN}" y="22" style="fill: ${palette.quiet}">$ ${escaped(title)}</text>`,
    ...rows,
    "</svg>",
  ].join("\n")}\n`;
}
