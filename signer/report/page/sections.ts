import { duration } from "../../duration.ts";
import { inWords } from "../../installation/own-release.ts";
import type { HourReport, Latency } from "../../observability/last-hour.ts";
import { ownCommand } from "../../own-command.ts";
import { HIGHEST_ROUND } from "../../watermark/decision.ts";
import type { StatusReport } from "../status.ts";
import { type Html, html, type Shown } from "./html.ts";
import { latency, outcomes } from "./plot.ts";
import { counted } from "./verdict.ts";

/** Returns how long ago a time was, in words, with the time itself for whoever asks the page. @param now milliseconds since 1970 */
function ago(time: string, now: number): Html {
  return html`<time datetime="${time}" title="${time}">${durationSince(time, now)} ago</time>`;
}

function durationSince(time: string, now: number): string {
  return duration((now - Date.parse(time)) / 1_000);
}

/** Shows the figures that are looked at first. */
export function tiles({ watermarks, head }: StatusReport, { now: recent, hour }: HourReport, now: number): Html {
  const last = watermarks
    .flatMap(({ signedAt }) => signedAt ?? [])
    .sort()
    .at(-1);
  const tile = (title: string, value: Shown, below: Shown) =>
    html`<dl><dt>${title}</dt><dd>${value}</dd><dd>${below}</dd></dl>`;
  return html`<section class="tiles">
${tile("Last signature", last === undefined ? "none" : ago(last, now), last === undefined ? "since the start" : `${last.slice(11, 19)} UTC`)}
${tile("Signing time", ms(recent.p50), `99 of 100 within ${ms(recent.p99)}, last 5 minutes`)}
${tile("Signed, last hour", hour.signed, `${hour.refused} refused, ${hour.failed} failed`)}
${head && tile("Head of the chain", head.level ?? "not seen", head.ageSeconds === null ? head.node : `${duration(head.ageSeconds)} ago`)}
</section>`;
}

/** Shows the requests that wait for a person; nothing where there are none. */
export function waiting({ confirmations }: StatusReport, now: number): Html | null {
  if (confirmations.waiting.length === 0) return null;
  const items = confirmations.waiting.map(
    ({ id, key, client, since, summary }) =>
      html`<li>Request ${id}: ${summary.kinds}<p class="dim">${ago(since, now)}, asked by ${client} for <code>${key}</code></p></li>`,
  );
  return html`<section><h2>Waiting for a person</h2><ul class="list">${items}</ul><p class="dim">${ownCommand("confirm")}</p></section>`;
}

/** Shows each key: what it may sign, and its last marks. */
export function keys({ keys, watermarks }: StatusReport, now: number): Html {
  const articles = keys.map(({ address, location, problem, policy: { allow, confirm = [], chains } }) => {
    const own = watermarks.filter(({ row }) => row.includes(` of ${address}`));
    const policy = [
      allow.length === 0 ? "may sign nothing unasked" : `may sign ${allow.join(", ")}`,
      ...(confirm.length > 0 ? [`after a person's yes ${confirm.join(", ")}`] : []),
      ...(chains ? [`on ${chains.join(", ")}`] : []),
    ];
    return html`<article><h3><code>${address}</code></h3><p class="dim">${location}; ${policy.join("; ")}</p>
${problem && html`<p class="bad">${problem}</p>`}
${own.length > 0 ? marks(own, address, now) : html`<p class="dim">Nothing was signed.</p>`}</article>`;
  });
  return html`<section><h2>Keys</h2>${articles.length > 0 ? articles : html`<p class="bad">There is no key.</p>`}</section>`;
}

function marks(rows: StatusReport["watermarks"], address: string, now: number): Html {
  const named = rows.map((mark) => {
    const [kind = "", chain = ""] = mark.row.replace(` of ${address}`, "").split(" on ");
    return { ...mark, kind, chain };
  });
  // Operations have no chain, and come last.
  const chains = [...Map.groupBy(named, ({ chain }) => chain)].toSorted(([one], [other]) => (one < other ? 1 : -1));
  const bodies = chains.map(([chain, marks]) => {
    const title = chain === "" ? null : html`<tr><th colspan="4">${chain}</th></tr>`;
    return html`<tbody>${title}${marks.map((mark) => markRow(mark, now))}</tbody>`;
  });
  const head = html`<thead><tr><th>last signed</th><th>level</th><th>round</th><th>ago</th></tr></thead>`;
  return html`<table>${head}${bodies}</table>`;
}

function markRow(mark: StatusReport["watermarks"][number] & { readonly kind: string }, now: number): Html {
  const { kind, level, round, since, signedAt } = mark;
  // What is older than the mark is not its signature.
  const isOwn = signedAt !== null && (since === null || since <= signedAt);
  const time = isOwn ? signedAt : since;
  const ago = time && html`<time datetime="${time}" title="${time}">${durationSince(time, now)}</time>`;
  return html`<tr><td>${kind}${isOwn ? null : html`<small>not signed by this process</small>`}</td><td>${level ?? "–"}</td>
<td>${round === HIGHEST_ROUND ? "all" : (round ?? "–")}</td><td>${ago ?? "–"}</td></tr>`;
}

/** Shows outcomes and times of the last hour. */
export function lastHour({ hour, minutes }: HourReport): Html {
  const ends = html`<div class="ends"><span>60 min ago</span><span>now</span></div>`;
  const legend = (name: keyof Latency, words: string) => html`<span class="${name}">${words} ${ms(hour[name])}</span>`;
  return html`<section><h2>Last hour</h2>
<div>${outcomes(minutes)}${ends}</div>
<p class="dim">A bar for each minute: green where all was signed, amber where something was refused, red where something failed.</p>
<h2>Signing time</h2>
<p class="legend">${legend("p50", "half within")}${legend("p99", "99 of 100 within")}</p>
<div>${latency(minutes)}${ends}</div></section>`;
}

/** Shows what was refused last, and why. */
export function refusals({ refusals }: StatusReport, now: number): Html {
  const items = refusals.map(
    ({ at, count, key, client, asked, message }) =>
      html`<li>${message}<p class="dim">${ago(at, now)}${count > 1 ? `, ${count} times` : null}, ${asked}, asked by ${client} for <code>${key}</code></p></li>`,
  );
  return html`<section><h2>Last refusals</h2>${items.length > 0 ? html`<ul class="list">${items}</ul>` : html`<p>None since the start.</p>`}</section>`;
}

/** Shows what the signer stands on. */
export function parts(status: StatusReport, now: number): Html {
  const { store, vault, head, release, settings, balancer, otherMachines, tls, confirmations } = status;
  const { p50, p99 } = vault.signMilliseconds;
  const { sha256, wanted, step, refused, waitingSettings } = release;
  const wants =
    wanted === null || wanted.sha256 === sha256 ? null : `wanted ${inWords(wanted)}${step ? `, ${step}` : ""}`;
  const operators = counted(confirmations.operators, "operator");
  const list: readonly (readonly [string, Shown, ...(string | null | false)[]])[] = [
    ["Store", html`${store.kind} <code>${store.id ?? "not known"}</code>`, store.problem],
    [
      "Vault",
      `${p50 === null ? "nothing asked yet" : `its part since the start: half within ${ms(p50)}, 99 of 100 within ${ms(p99)}`}${vault.tokenSeconds === null ? "" : `; token for ${duration(vault.tokenSeconds)}`}`,
      vault.problem,
    ],
    ["Head", head ? `${head.node}${head.chainId ? `, ${head.chainId}` : ""}` : "not followed", head?.problem ?? null],
    [
      "Release",
      sha256 === null ? `${release.version}, of a checkout` : inWords({ version: release.version, sha256 }),
      wants,
      release.problem,
      refused && `${inWords(refused)} was refused: ${refused.reason}`,
      waitingSettings && `newer settings wait for ${inWords(waitingSettings)}`,
    ],
    [
      "Settings",
      html`<code>${settings.version}</code> of ${settings.source}, taken ${ago(settings.since, now)}`,
      settings.refused,
    ],
    ["Confirmation", confirmations.socket === null ? "off" : `${operators} connected`, confirmations.problem],
    ...(balancer === null
      ? []
      : [["Balancer", balancer.ready ? "sends here" : "is to send nothing new here", balancer.leaving] as const]),
    ...(otherMachines ?? []).map(({ machine, ready, signedAt, problems }) => {
      const signed = signedAt === null ? "nothing signed since its start" : html`last signed ${ago(signedAt, now)}`;
      return ["Other machine", html`${machine}, ${ready ? "ready" : "not ready"}, ${signed}`, ...problems] as const;
    }),
    ["Certificate", tls ? `until ${tls.until.slice(0, 10)}` : "none: plain HTTP", tls?.problem ?? null],
  ];
  const rows = list.map(
    ([name, value, ...problems]) =>
      html`<dt>${name}</dt><dd>${value}</dd>${problems.flatMap((each) => (each ? html`<dd class="warn">${each}</dd>` : []))}`,
  );
  return html`<section><h2>Parts</h2><dl class="parts">${rows}</dl></section>`;
}

/** A time of some milliseconds, to two digits. */
function ms(milliseconds: number | null): string {
  if (milliseconds === null) return "–";
  if (milliseconds >= 1_000) return `${(milliseconds / 1_000).toFixed(1)} s`;
  return `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;
}
