import { createHash } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { INVISIBLE, visibleJson } from "../../../signer/invisible-characters.ts";
import { html } from "../../../signer/report/page/html.ts";
import { pageOf } from "../../../signer/report/page/page.ts";
import { verdictOf } from "../../../signer/report/page/verdict.ts";
import type { StatusReport } from "../../../signer/report/status.ts";
import { anyCharacter } from "../../harness/any-character.ts";
import { AT, FAULTY, HEALTHY, hourOf } from "../../harness/status-report.ts";

const HOSTILE = [
  "</title><script>alert(1)</script>",
  "</style><img src=//example.org onerror=alert(1)>",
  `"><svg onload="alert(1)">`,
  "' autofocus onfocus='alert(1)",
  "<!-- <![CDATA[ {{7}} &lt;b&gt;",
  "\u202egnp.yek\u202c \u0000\u200b\u2028\ud800",
];
const anyText = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.string({ unit: fc.oneof(fc.constantFrom(..."<>&\"'/=` $"), anyCharacter), minLength: 1, maxLength: 30 }),
);

/** What a reader of the document gets for a text that was put into it. */
function unescaped(text: string): string {
  const entities: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
  return text.replaceAll(/&([a-z0-9#]+);/g, (_, name) => entities[name] ?? `unknown ${name}`);
}

/** Every text of a report made another one. */
function withTexts<Value>(value: Value, text: string): Value {
  if (typeof value === "string") return text as Value;
  if (Array.isArray(value)) return value.map((each) => withTexts(each, text)) as Value;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, withTexts(each, text)])) as Value;
}

/** A report in which nothing is left out, its texts replaced but for the marks, which name their key. */
function fullOf(text: string): StatusReport {
  const release = { version: "1", sha256: "1" };
  const summary = {} as StatusReport["confirmations"]["waiting"][number]["summary"];
  const waiting = [{ id: 1, key: "", client: "", since: "", summary: { ...summary, kinds: "" } }];
  const full = withTexts(
    {
      ...FAULTY,
      release: { ...FAULTY.release, step: "", problem: "", refused: { ...release, reason: "", at: "" } },
      balancer: { askedAt: "", ready: false, times: 1, leaving: "", left: false },
      otherMachines: [{ machine: "", seenAt: "", ready: true, signedAt: "", waiting: 0, inStep: true, problems: [""] }],
      tls: { until: "", problem: "" },
      store: { ...FAULTY.store, problem: "" },
      keys: FAULTY.keys.map((key) => ({ ...key, problem: "" })),
      confirmations: { ...FAULTY.confirmations, problem: "", waiting } as unknown as StatusReport["confirmations"],
    },
    text,
  );
  return { ...full, watermarks: full.watermarks.map((mark) => ({ ...mark, row: `${text} of ${text} on ${text}` })) };
}

/** The document's tags and the names of their attributes, in order. */
function skeleton(document: string): readonly string[] {
  return (document.match(/<(?:[^>"]|"[^"]*")*>/g) ?? []).map((tag) => tag.replaceAll(/"[^"]*"/g, '""'));
}

describe("the status page", () => {
  const page = (status: StatusReport) => pageOf(status, hourOf(), AT).html;

  it("shows any text as it is written, and what is not seen as JSON writes it", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const { text: shown } = html`${text}`;
        expect(shown).not.to.match(/[<>"']|&(?!(?:amp|lt|gt|quot|#39);)/);
        expect(shown.replaceAll("\n", "")).not.to.match(new RegExp(INVISIBLE.source, "u"));
        expect(unescaped(shown)).to.equal(visibleJson(text));
      }),
    );
  });

  it("has the same elements whatever anybody wrote, in every field of the report", () => {
    const harmless = skeleton(page(fullOf("x")));
    expect(harmless.filter((tag) => tag.startsWith("<li")).length).to.be.greaterThan(9);
    fc.assert(
      fc.property(anyText, (text) => {
        expect(skeleton(page(fullOf(text)))).to.deep.equal(harmless);
      }),
      { numRuns: 25, examples: HOSTILE.map((text) => [text]) },
    );
  });

  it("runs nothing, fetches nothing, and lets no other style in than its own", () => {
    const { html: document, policy } = pageOf(FAULTY, hourOf(1), AT);
    expect(document).not.to.match(
      /<(script|link (?!rel="icon" href="data:)|iframe|form|object|base)|\son[a-z]+=|\sstyle=|javascript:|url\(|@import/i,
    );
    const [, style = ""] = /<style>([\s\S]*?)<\/style>/.exec(document) ?? [];
    const hash = createHash("sha256").update(style).digest("base64");
    expect(policy).to.include("default-src 'none'").and.include(`style-src 'sha256-${hash}'`);
    expect(policy).not.to.match(/unsafe|script-src|\*/);
  });

  it("says good or not in one word, since when, and why not", () => {
    expect(page(HEALTHY)).to.include("<h1>Good</h1>").and.include("for <strong>3 d</strong> now");
    const down = page(FAULTY);
    expect(down).to.include("<h1>Down</h1>").and.include("for <strong>97 s</strong> now");
    for (const reason of [...FAULTY.reasons, FAULTY.head?.problem ?? ""])
      expect(down).to.include(`<li>${html`${reason}`.text}</li>`);
  });

  it("shows each key's last marks, the last refusals, and what the signer stands on", () => {
    const text = unescaped(
      page(HEALTHY)
        .replace(/<style>[\s\S]*?<\/style>/, "")
        .replaceAll(/<(?:\/(?:td|th|dt|dd|p|h\d|li)|small)>/g, " ")
        .replaceAll(/<[^>]*>/g, ""),
    ).replaceAll(/\s+/g, " ");
    expect(text).to.match(/NetXdQprcVkpaWU attestation 9123457 0 2 s block 9122980 0 48 min /);
    expect(text).to.match(/operation – – 24 h /);
    expect(text).to.include("22 min ago, transaction, asked by 203.0.113.7 for tz3V7");
    expect(text).to.match(
      /Store azure-table f4bcc94b.*Release 0\.2\.0 \(6b1f0a9c33d1\).*Settings ed95cfb77711 of userData/,
    );
  });

  it("draws a step for each minute that had signatures, and a gap where there were none", () => {
    const [, path = ""] = /class="p50" d="([^"]*)"/.exec(pageOf(HEALTHY, hourOf(7), AT).html) ?? [];
    expect(path.match(/H/g)).to.have.length(53);
    expect(path.match(/M/g)).to.have.length(1);
    expect(pageOf(HEALTHY, hourOf(7), AT).html.match(/<rect class="bad"/g)).to.have.length(7);
  });
});

describe("the status page's verdict", () => {
  const quiet = hourOf();

  it("is Down where no signature can be had, whatever else there is", () => {
    expect(verdictOf(FAULTY, hourOf(2))).to.include({ word: "Down", tone: "bad" });
  });

  it("asks for attention where signatures can be had and something wants a person", () => {
    const release = { version: "9.9.9", sha256: "0".repeat(64) };
    const wants: readonly [Partial<StatusReport>, string][] = [
      [{ reasons: ["The certificate ends tomorrow."] }, "The certificate ends tomorrow."],
      [{ head: FAULTY.head }, "The chain's head is not known"],
      [
        { release: { ...HEALTHY.release, refused: { ...release, reason: "It does not start.", at: "" } } },
        "Release 9.9.9 (000000000000) was refused: It does not start.",
      ],
      [{ release: { ...HEALTHY.release, problem: "The updater's state is damaged." } }, "The updater's state"],
      [{ confirmations: { ...HEALTHY.confirmations, waiting: [{}] as never } }, "1 request waits for a person."],
      [{ otherMachines: [{ problems: ["signer-2 cannot sign."] }] as never }, "signer-2 cannot sign."],
    ];
    for (const [differs, thing] of wants) {
      const { word, things } = verdictOf({ ...HEALTHY, ...differs }, quiet);
      expect(word).to.equal("Attention");
      expect(things.join()).to.include(thing);
    }
    expect(verdictOf(HEALTHY, hourOf(1)).things).to.deep.equal([
      "20 requests failed in the last 5 minutes, by the vault, the store or the signer.",
    ]);
  });

  it("is Good where nothing does", () => {
    expect(verdictOf(HEALTHY, quiet)).to.deep.equal({ word: "Good", tone: "good", things: [] });
  });
});
