import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect } from "chai";
import { explore } from "./explorer/explore.ts";
import type { Event, Outcome, Request } from "./explorer/messages.ts";
import { REAL, Run } from "./explorer/run.ts";
import { type Bounds, NOTHING } from "./explorer/world.ts";
import { SCENARIOS } from "./scenarios.ts";
import { SEEDED_BUGS } from "./seeded-bugs.ts";

const A_CRASH: Bounds = { ...NOTHING, crashes: 1, imports: 1 };
const A_FAULT: Bounds = { ...NOTHING, faults: 1, imports: 1 };

/**
 * The number of schedules of each scenario with a crash, and with a fault where that takes a second or two; `npm run test:guard`
 * goes further. It changes with the guard's calls; whoever changes them looks here.
 */
const SCHEDULES: readonly (readonly [number, number?])[] = [
  [48_957, 164_970],
  [143_983],
  [197_621],
  [44_679, 145_827],
  [39_031, 121_004],
  [63_081],
  [112_895],
  [35_733, 103_580],
  [101_358],
  [916, 1_761],
  [2_581, 4_877],
  [4_418, 7_580],
  [1_958, 4_798],
  [2_275, 4_256],
];

describe("guard explorer", function () {
  this.timeout(60_000);

  for (const [index, scenario] of SCENARIOS.entries()) {
    const [withCrash, withFault] = SCHEDULES[index] ?? [];
    const check = async (bounds: Bounds, expected: number | undefined) => {
      const { violation, schedules } = await explore(scenario, [bounds]);
      expect(violation).to.equal(undefined);
      expect(schedules).to.equal(expected);
    };
    it(`finds no broken promise with a crash: ${scenario.name}`, () => check(A_CRASH, withCrash));
    if (withFault === undefined) continue;
    it(`finds no broken promise with a fault: ${scenario.name}`, () => check(A_FAULT, withFault));
  }

  it("runs more than 10,000 schedules in these tests", () => {
    expect(SCHEDULES.flat().reduce<number>((sum, count = 0) => sum + count, 0)).to.be.greaterThan(10_000);
  });

  it("spends faults, crashes and deadlines together only within a bound", async () => {
    const apart = [
      { ...NOTHING, faults: 1 },
      { ...NOTHING, crashes: 1 },
    ];
    const [scenario] = SCENARIOS.slice(9);
    if (scenario === undefined) throw new Error("no such scenario");
    const together = await explore(scenario, [{ ...NOTHING, faults: 1, crashes: 1 }]);
    const either = await explore(scenario, apart);
    expect(either.worlds).to.be.lessThan(together.worlds);
    for (const bound of apart) expect((await explore(scenario, [bound])).worlds).to.be.lessThan(either.worlds);
  });

  it("comes to the same ends with its reduction and without", async () => {
    const corners: [RegExp, Bounds][] = [
      ...[A_CRASH, A_FAULT, { ...NOTHING, deadlines: 1 }].map((bounds): [RegExp, Bounds] => [
        /^attestation: the first|itself/,
        bounds,
      ]),
      [/^attestation: other bytes of its position are imported/, { ...NOTHING, imports: 1 }],
    ];
    for (const [which, bounds] of corners) {
      for (const scenario of SCENARIOS.filter(({ name }) => which.test(name))) {
        const reduced = await explore(scenario, [bounds]);
        const plain = await explore(scenario, [bounds], { isReduced: false });
        expect([...reduced.ends].sort()).to.deep.equal([...plain.ends].sort());
        expect(reduced.worlds).to.be.lessThan(plain.worlds);
      }
    }
  });

  describe("takes two histories for one state", () => {
    it("only where everything that follows is the same", async () => {
      const { merged, compared } = await mergeHistories(6_000);
      expect(merged).to.be.greaterThan(600);
      expect(compared).to.be.greaterThan(5_000);
    });

    it("having looked at every private field of the guard and of the store behind it", () => {
      const fields = ["guard", "trusted-store", "row-memory"].map((name) => {
        const source = readFileSync(new URL(`../../signer/watermark/${name}.ts`, import.meta.url), "utf8");
        return [...source.matchAll(/^ {2}(?:readonly )?#(\w+)[:;? ]/gm)].map(([, field]) => field);
      });
      // The first of each never changes. Whoever adds a field reads it in explorer/memory.ts.
      expect(fields).to.deep.equal([
        ["options", "attempts", "released"],
        ["options", "memory", "stops", "id"],
        ["store", "known", "highest"],
      ]);
    });
  });

  describe("catches a broken guard:", () => {
    for (const { name, parts, needs, shows = /./, caughtBy } of SEEDED_BUGS) {
      it(name, async () => {
        const bounds = needs === undefined ? NOTHING : { ...NOTHING, [needs]: 1 };
        let found: string | undefined;
        for (const scenario of SCENARIOS.filter(({ name }) => shows.test(name))) {
          found ??= (await explore(scenario, [bounds], { parts, limit: 6_000 })).violation;
        }
        expect(found).to.match(caughtBy);
      });
    }
  });
});

const REQUESTS: readonly Request[] = [
  { kind: "block", level: 1, round: 0, bytes: "X" },
  { kind: "block", level: 1, round: 0, bytes: "Y" },
  { kind: "attestation", level: 1, round: 0, bytes: "X" },
  { kind: "attestation", level: 1, round: 0, bytes: "X" },
  { kind: "block", level: 1, round: 0, bytes: "X" },
  { kind: "block", level: 2, round: 0, bytes: "Z" },
];

/** Numbers from 0 up to a limit, the same ones each time. */
function picker(seed: number): (limit: number) => number {
  let n = 0;
  return (limit) => hash("sha1", `${seed} ${n++}`, "buffer").readUInt32BE() % limit;
}

/** Something that a signer could be told, whatever came before. */
function someEvent(run: Run, sent: number, pick: (limit: number) => number): Event | undefined {
  const events: Event[] = run.calls.map(({ name, operation }) => {
    const outcomes: Outcome[] = [{ fault: "unavailable" }, { fault: "conflict" }];
    if (operation.does === "identity") outcomes.push({ value: "id" });
    else if (operation.does === "now") outcomes.push({ value: 1_700_000_000_000 });
    else if (operation.does === "sign") outcomes.push({ value: `s0of${operation.request.bytes}` });
    else if (operation.does === "read") {
      const row = { level: pick(2), round: 0, digest: "X", anchor: { level: 0, at: 1_700_000_000_000 } };
      outcomes.push({ value: { row, version: String(1 + row.level) } });
    } else outcomes.push({ value: "2" });
    // Most of the time nothing goes wrong.
    const outcome = outcomes[Math.max(pick(6), 2) === 2 ? pick(outcomes.length) : outcomes.length - 1];
    return { tells: "outcome", call: name, outcome: outcome ?? { fault: "unavailable" } };
  });
  if (pick(4) === 0) events.push(...run.deadlines.map((attempt): Event => ({ tells: "deadline", attempt })));
  const request = REQUESTS[sent];
  if (request !== undefined) events.push({ tells: "request", attempt: `${sent}.0`, request });
  return events[pick(events.length)];
}

/** Random histories; where two of them lead to one state, both go on with the same events and must do the same. */
async function mergeHistories(count: number): Promise<{ merged: number; compared: number }> {
  const first = new Map<string, readonly Event[]>();
  let merged = 0;
  let compared = 0;
  for (let n = 0; n < count; n += 1) {
    const pick = picker(n);
    const run = new Run(REAL, "always");
    const history: Event[] = [];
    const tellMore = async () => {
      const sent = history.filter(({ tells }) => tells === "request").length;
      const event = someEvent(run, sent, pick);
      if (event === undefined) return false;
      history.push(event);
      await run.tell([event]);
      return true;
    };
    for (let length = 3 + pick(18); length > 0 && (await tellMore()); length -= 1);
    const text = await run.describe();
    const before = first.get(text);
    if (before === undefined) first.set(text, [...history]);
    if (before === undefined || JSON.stringify(before) === JSON.stringify(history)) continue;
    merged += 1;
    const other = new Run(REAL, "always");
    await other.tell(before);
    for (let more = 0; more < 10 && (await tellMore()); more += 1) {
      await other.tell(history.slice(-1));
      expect(await other.describe()).to.equal(await run.describe());
      expect([other.calls, other.answers, other.complaint]).to.deep.equal([run.calls, run.answers, run.complaint]);
      compared += 1;
    }
  }
  return { merged, compared };
}
