import { expect } from "chai";
import { atEnd } from "./at-end.ts";
import type { Asked } from "./baker.ts";
import { broken, costOf, inWords, type PairResult, released, tableOf } from "./cost.ts";
import { EVENTS } from "./events.ts";

const FROM = 100_000;
const HAPPENED = { what: "kill -9", moment: "reservation", planned: false, from: FROM, to: FROM + 30_000 } as const;

/** One that was answered with a signature while it happened. */
function asked(more: Partial<Asked> = {}): Asked {
  const { level = 1, bytes = 1 } = more;
  const signature = `signature ${level} ${bytes}`;
  return {
    key: "one",
    form: "block",
    level,
    bytes,
    at: FROM + 1,
    wait: 20,
    status: 200,
    hung: false,
    signature,
    ...more,
  };
}

/** One that was not. */
function unanswered(more: Partial<Asked> = {}): Asked {
  const { signature: _, ...rest } = asked({ status: 0, message: "aborted after 3000 ms", ...more });
  return rest;
}

describe("what the campaign of a pair counts", () => {
  it("is what was asked meanwhile, who was not answered and why, and how long each client waited", () => {
    const all = [
      asked({ at: FROM - 5_000 }), // over before it began
      asked({ at: FROM - 10 }),
      unanswered({ level: 2, wait: 25_000, hung: true }),
      unanswered({ level: 3, key: "patient", wait: 3_000, hung: true }),
      unanswered({ level: 4, status: 409, message: "below" }),
      unanswered({ level: 5, status: 409, message: "other bytes" }),
      asked({ level: 5, bytes: 2 }), // and lost to these
      asked({ at: FROM + 40_000 }),
    ];
    const ups = [{ at: FROM + 9_800, up: ["first"] }];
    const cost = costOf(HAPPENED, all, ups, "patient");
    expect(cost).to.deep.include({
      ...{ requests: 6, failed: 3, hanging: 1 },
      reasons: { "0 aborted after N ms": 2, "409 below": 1 },
      longest: { without: 25_000, within: 3_000 },
      sent: [{ after: 9_800, to: ["first"] }],
    });
    expect(inWords(cost)).to.equal(
      "3 of 6 requests failed, 1 hung; the longest wait 25.0 s without a time-out, 3.0 s with one",
    );
  });

  it("finds two payloads of one position and two signatures of one block, and no third thing", () => {
    const fine = [asked(), asked(), asked({ form: "attestation" }), asked({ form: "attestation", signature: "other" })];
    expect(released(fine)).to.deep.equal({ positions: 2, released: 4, second: 0 });
    expect(released([...fine, asked({ signature: "other" })]).second).to.equal(1);
    expect(released([...fine, asked({ form: "attestation", bytes: 2 })]).second).to.equal(1);
  });

  it("is wrong where a position was signed twice, or what is planned cost anything", () => {
    const cost = costOf(HAPPENED, [unanswered()], [], "patient");
    const result: PairResult = { costs: [cost], positions: 9, released: 8, second: 0 };
    expect(broken(result)).to.deep.equal([]);
    expect(broken({ ...result, second: 2 })).to.deep.equal(["2 positions were signed twice"]);
    const [line] = broken({ ...result, costs: [{ ...cost, planned: true }] });
    expect(line).to.include("a planned event cost something: kill -9: 1 of 1 requests failed");
  });

  it("is drawn as a table of a row for each", () => {
    const costs = [
      costOf(HAPPENED, [asked()], [{ at: FROM + 9_800, up: [] }], "patient"),
      costOf({ ...HAPPENED, moment: "any", what: "drain", planned: true }, [asked()], [], "patient"),
    ];
    expect(tableOf({ costs, positions: 9, released: 8, second: 0 }).split("\n")).to.deep.equal([
      "| what happens | requests | failed | hung | longest wait, s | with a time-out, s | left after, s |",
      "| --- | --- | --- | --- | --- | --- | --- |",
      "| kill -9, while it reserves | 1 | 0 | 0 | 0.0 | 0.0 | 9.8 |",
      "| drain | 1 | 0 | 0 | 0.0 | 0.0 | – |",
      "",
      "9 positions, 8 signatures, 0 positions signed twice",
    ]);
  });

  it("has something for each thing that may happen to a machine, by a name of its own", () => {
    const names = EVENTS.map(({ what }) => what);
    expect(new Set(names).size).to.equal(names.length);
    for (const what of [
      "kill -9",
      "power",
      "pause",
      "table",
      "vault",
      "drain",
      "announces",
      "both",
      "patches",
      "upgrade",
    ])
      expect(names.join("; ")).to.include(what);
  });

  it("takes what it opened away by one listener, however much that is", () => {
    const before = process.listenerCount("exit");
    const done: number[] = [];
    const ends = Array.from({ length: 20 }, (_, index) => atEnd(() => done.push(index)));
    expect(process.listenerCount("exit")).to.equal(before);
    for (const end of [...ends, ...ends]) end[Symbol.dispose]();
    expect(done).to.have.length(20);
  });
});
