import type { Span } from "../../observability/last-hour.ts";
import { type Html, html } from "./html.ts";

/** The plot's units: ten for each minute across, a hundred for each power of ten up. */
const [ACROSS, UP] = [10, 100];
/** From a millisecond to ten seconds: always the same, so that a look tells fast from slow. */
const [LOWEST, POWERS] = [1, 4];
const HEIGHT = UP * POWERS;

/** Draws each minute's outcomes as a bar in the colour of its worst. Without a style of its own, which the policy forbids. */
export function outcomes(minutes: readonly Span[]): Html {
  const bars = minutes.map(({ signed, refused, failed }, at) => {
    const worst = failed > 0 ? "bad" : refused > 0 ? "warn" : signed > 0 ? "good" : "none";
    const label = `${agoInWords(minutes.length - 1 - at)}: ${signed} signed, ${refused} refused, ${failed} failed`;
    return html`<rect class="${worst}" x="${at * ACROSS + 1}" y="0" width="${ACROSS - 2}" height="10"><title>${label}</title></rect>`;
  });
  const width = minutes.length * ACROSS;
  return html`<svg class="bars" role="img" aria-label="Outcomes by minute" viewBox="0 0 ${width} 10" preserveAspectRatio="none">${bars}</svg>`;
}

/** Draws the median and the 99th percentile of each minute. */
export function latency(minutes: readonly Span[]): Html {
  const width = minutes.length * ACROSS;
  const lines = Array.from({ length: POWERS + 1 }, (_, power) => {
    return html`<line x1="0" x2="${width}" y1="${HEIGHT - power * UP}" y2="${HEIGHT - power * UP}"/>`;
  });
  const [p50, p99] = (["p50", "p99"] as const).map((name) => steps(minutes.map((minute) => minute[name])));
  return html`<div class="plot">
<svg role="img" aria-label="Time of a signature by minute" viewBox="0 0 ${width} ${HEIGHT}" preserveAspectRatio="none">
<g class="grid">${lines}</g><path class="p99" d="${p99 ?? ""}"/><path class="p50" d="${p50 ?? ""}"/></svg>
<ol class="scale"><li>10 s</li><li>1 s</li><li>100 ms</li><li>10 ms</li><li>1 ms</li></ol>
</div>`;
}

/** A path of one level step for each minute that has a value, joined to its neighbours. */
function steps(values: readonly (number | null)[]): string {
  return values
    .map((value, at) => {
      if (value === null) return "";
      const y = Math.round(HEIGHT - UP * Math.min(Math.max(Math.log10(value / LOWEST), 0), POWERS));
      const isJoined = at > 0 && values[at - 1] !== null;
      return `${isJoined ? "L" : "M"}${at * ACROSS} ${y}H${(at + 1) * ACROSS}`;
    })
    .join("");
}

function agoInWords(minutes: number): string {
  return minutes === 0 ? "this minute" : `${minutes} min ago`;
}
