import { createHash } from "node:crypto";
import { duration } from "../../duration.ts";
import type { HourReport } from "../../observability/last-hour.ts";
import type { StatusReport } from "../status.ts";
import { type Html, html } from "./html.ts";
import { keys, lastHour, parts, refusals, tiles, waiting } from "./sections.ts";
import { STYLE } from "./style.ts";
import { verdictOf } from "./verdict.ts";

/** A document for people, and what their browser is to let it do. */
export interface Page {
  readonly html: string;
  /** Content-Security-Policy. */
  readonly policy: string;
}

/** After so many seconds a browser asks for the page again: it needs no script for that. */
const REFRESH = 10;

/** Our own style, a picture in the document itself, and nothing else from anywhere: no script, frame or form. */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE.text).digest("base64")}'`,
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** In a browser's tab. */
const COLOURS = { good: "%231a7f37", warn: "%23d29922", bad: "%23c0232c" } as const;

/**
 * Makes the status page: one document that stands alone.
 * @param now milliseconds since 1970
 */
export function pageOf(status: StatusReport, hour: HourReport, now: number): Page {
  const { word, tone, things } = verdictOf(status, hour);
  const icon = `data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'><circle cx='4' cy='4' r='4' fill='${COLOURS[tone]}'/></svg>`;
  const document = html`<!doctype html>
<html lang="en" dir="ltr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="${REFRESH}">
<title>${word} – tezos-signer</title>
<link rel="icon" href="${icon}">
<style>${STYLE}</style>
</head>
<body>
<header class="${tone}">
<h1>${word}</h1>
<p>${sinceInWords(status, now)}</p>
<p class="since">Since ${inUtc(status.readySince)}</p>
${things.length > 0 ? html`<ul>${things.map((thing) => html`<li>${thing}</li>`)}</ul>` : null}
</header>
<main>
${waiting(status, now)}
${tiles(status, hour, now)}
${keys(status, now)}
${lastHour(hour)}
${refusals(status, now)}
${parts(status, now)}
</main>
<footer>As of ${inUtc(new Date(now).toISOString())}; asked again every ${REFRESH} seconds. Started ${inUtc(status.started)}.</footer>
</body>
</html>
`;
  return { html: document.text, policy: POLICY };
}

function sinceInWords({ ready, readySince }: StatusReport, now: number): Html {
  const seconds = (now - Date.parse(readySince)) / 1_000;
  const what = ready ? "Signatures can be had" : "No signature can be had";
  return html`${what}, for <strong>${duration(seconds)}</strong> now.`;
}

function inUtc(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 19)} UTC`;
}
