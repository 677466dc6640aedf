import { html } from "./html.ts";

/** The page's whole style: nothing is fetched, and its hash is what the policy lets through. */
export const STYLE = html`
:root {
  color-scheme: light dark;
  --page: #f4f5f7; --card: #fff; --line: #e3e6ea; --text: #16191d; --dim: #59626e;
  --good: #1a7f37; --warn: #8f5f00; --bad: #c0232c; --none: #d8dce1; --p50: #0a66c2; --p99: #b4530a;
  --band-good: #1a7f37; --band-warn: #8f5f00; --band-bad: #c0232c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0e1116; --card: #171b22; --line: #2a313b; --text: #e7eaee; --dim: #9aa4b1;
    --good: #3fb950; --warn: #dea52f; --bad: #ff7068; --none: #2b323c; --p50: #6cb6ff; --p99: #f0a35e;
    --band-good: #176630; --band-warn: #7a5200; --band-bad: #a31d26;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: .75rem; max-width: 60rem; background: var(--page); color: var(--text);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
  font-variant-numeric: tabular-nums; -webkit-text-size-adjust: 100%; text-size-adjust: 100%;
}
h1, h2, h3, p, ul, ol, dl, dd { margin: 0; padding: 0; }
ul, ol { list-style: none; }
h2 { font-size: .8125rem; font-weight: 600; color: var(--dim); text-transform: uppercase; letter-spacing: .06em; }
header, section { border-radius: .75rem; padding: 1rem; margin-bottom: .75rem; }
header { color: #fff; }
header.good { background: var(--band-good); } header.warn { background: var(--band-warn); } header.bad { background: var(--band-bad); }
h1 { font-size: clamp(3.25rem, 17vw, 5.5rem); font-weight: 700; line-height: 1; letter-spacing: -.03em; }
header p { margin-top: .5rem; font-size: 1.25rem; line-height: 1.35; }
strong, time { white-space: nowrap; }
header .since { margin-top: .25rem; font-size: 1rem; }
header ul { margin-top: 1rem; border-top: 1px solid #fff6; }
header li { padding-top: .75rem; }
section { background: var(--card); border: 1px solid var(--line); }
section > * + * { margin-top: .75rem; }
p, li, td, dd, h3 { overflow-wrap: anywhere; white-space: pre-line; }
.tiles { display: flex; flex-wrap: wrap; gap: 1px; padding: 0; overflow: hidden; background: var(--line); }
.tiles > * { flex: 1 1 9rem; margin: 0; padding: .875rem 1rem; background: var(--card); }
.tiles dt { font-size: .8125rem; color: var(--dim); }
.tiles dd { overflow-wrap: normal; font-size: 1.625rem; font-weight: 600; line-height: 1.3; letter-spacing: -.01em; }
.tiles dd + dd { overflow-wrap: anywhere; font-size: .8125rem; font-weight: 400; letter-spacing: 0; color: var(--dim); }
.dim { color: var(--dim); font-size: .875rem; } p.bad { color: var(--bad); } dd.warn { color: var(--warn); }
code { font: .875em/1.5 ui-monospace, "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
h3 { font-size: 1rem; font-weight: 600; } h3 code { font-size: 1em; }
article + article { padding-top: .75rem; border-top: 1px solid var(--line); }
table { width: 100%; margin-top: .5rem; border-collapse: collapse; font-size: .9375rem; }
th { font-size: .8125rem; font-weight: 400; color: var(--dim); text-align: left; }
td, th { padding: .3rem 0 .3rem .5rem; vertical-align: top; }
td { overflow-wrap: normal; } tbody th { padding-top: .75rem; text-align: left; }
td:first-child, th:first-child { padding-left: 0; }
td + td, th + th { text-align: right; white-space: nowrap; }
tbody tr { border-top: 1px solid var(--line); }
td small { display: block; color: var(--dim); }
svg { display: block; width: 100%; }
.bars { height: 2rem; } rect.good { fill: var(--good); } rect.warn { fill: var(--warn); } rect.bad { fill: var(--bad); } rect.none { fill: var(--none); }
.plot { position: relative; padding-left: 3.75rem; }
.plot svg { height: 11rem; overflow: visible; }
.plot path { fill: none; stroke-width: 2; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
.grid line { stroke: var(--line); vector-effect: non-scaling-stroke; }
path.p50 { stroke: var(--p50); } path.p99 { stroke: var(--p99); }
.scale { position: absolute; inset: -.6rem auto -.6rem 0; display: flex; flex-direction: column; justify-content: space-between; }
.scale li { font-size: .75rem; line-height: 1.2rem; color: var(--dim); }
.ends { display: flex; justify-content: space-between; font-size: .75rem; color: var(--dim); }
.plot + .ends { padding-left: 3.75rem; margin-top: .35rem; } .bars + .ends { margin-top: .35rem; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; font-size: .875rem; }
.legend span::before { content: ""; display: inline-block; width: .75rem; height: .1875rem; margin: 0 .4rem .25rem 0; background: currentColor; }
.legend .p50::before { color: var(--p50); } .legend .p99::before { color: var(--p99); }
.list li + li { padding-top: .75rem; margin-top: .75rem; border-top: 1px solid var(--line); }
.parts { display: grid; grid-template-columns: minmax(6.5rem, max-content) 1fr; gap: .5rem 1rem; }
.parts dt { color: var(--dim); } .parts dd + dd { grid-column: 2; margin-top: -.5rem; }
footer { padding: 0 1rem 1rem; font-size: .8125rem; color: var(--dim); }
@media (min-width: 40rem) { table { font-size: 1rem; } body { padding: 2rem; } header, section { padding: 1.5rem; margin-bottom: 1rem; } .tiles > * { padding: 1.125rem 1.5rem; } .tiles { padding: 0; } footer { padding-inline: 1.5rem; } header p { font-size: 1.375rem; } }
`;
