import { readFileSync } from "node:fs";
import { expect } from "chai";
import { explore } from "./explorer/explore.ts";
import { compareHistories } from "./explorer/histories.ts";
import { compareReduction } from "./explorer/reduction.ts";
import { type Bounds, NOTHING } from "./explorer/world.ts";
import { SCENARIOS } from "./scenarios.ts";
import { SEEDED_BUGS } from "./seeded-bugs.ts";

const A_CRASH: Bounds = { ...NOTHING, crashes: 1, imports: 1 };
const A_FAULT: Bounds = { ...NOTHING, faults: 1, imports: 1 };

/**
 * The number of schedules of each scenario with a crash, and with a fault, where that takes a second; `npm run test:guard`
 * goes further, in all of them. It changes with the guard's calls; whoever changes them looks here.
 */
const SCHEDULES: readonly { readonly crash?: number; readonly fault?: number }[] = [
  {},
  {},
  {},
  {},
  {},
  {},
  {},
  {},
  {},
  { crash: 916, fault: 1_761 },
  { crash: 3_115, fault: 5_607 },
  { crash: 4_728, fault: 8_055 },
  { crash: 1_958, fault: 4_798 },
  { crash: 2_275, fault: 4_256 },
];

describe("guard explorer", function () {
  this.timeout(60_000);

  for (const [index, scenario] of SCENARIOS.entries()) {
    for (const [what, bounds] of [
      ["crash", A_CRASH],
      ["fault", A_FAULT],
    ] as const) {
      const expected = SCHEDULES[index]?.[what];
      if (expected === undefined) continue;
      it(`finds no broken promise with a ${what}: ${scenario.name}`, async () => {
        const { violation, schedules } = await explore(scenario, [bounds]);
        expect(violation).to.equal(undefined);
        expect(schedules).to.equal(expected);
      });
    }
  }

  it("runs more than 10,000 schedules in these tests", () => {
    const counts = SCHEDULES.flatMap((row) => Object.values(row));
    expect(counts.reduce((sum, count) => sum + count, 0)).to.be.greaterThan(10_000);
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

  it("comes to the same ends with its reduction and without, in fewer worlds", async () => {
    const [scenario] = SCENARIOS.filter(({ name }) => /itself/.test(name));
    if (scenario === undefined) throw new Error("no such scenario");
    expect(await compareReduction(scenario)).to.have.keys("reduced", "plain");
  });

  describe("takes two histories for one state", () => {
    it("only where everything that follows is the same", async () => {
      const { merged, compared } = await compareHistories(1_000);
      expect(merged).to.be.greaterThan(50);
      expect(compared).to.be.greaterThan(400);
    });

    it("having looked at every private field of the guard and of the store behind it", () => {
      const fields = ["guard", "trusted-store", "row-memory"].map((name) => {
        const source = readFileSync(new URL(`../../signer/watermark/${name}.ts`, import.meta.url), "utf8");
        return [...source.matchAll(/^ {2}(?:readonly )?#(\w+)[:;? ]/gm)].map(([, field]) => field);
      });
      // The first of each never changes. Whoever adds a field reads it in explorer/memory.ts.
      expect(fields).to.deep.equal([
        ["options", "attempts", "released"],
        ["options", "memory", "stops", "id", "isListed", "named", "making"],
        ["store", "known", "highest"],
      ]);
    });
  });

  describe("catches a broken guard:", () => {
    for (const { name, parts, needs, shows = /./, caughtBy } of SEEDED_BUGS) {
      it(name, async () => {
        const bounds = { ...NOTHING, ...needs };
        let found: string | undefined;
        for (const scenario of SCENARIOS.filter(({ name }) => shows.test(name))) {
          found ??= (await explore(scenario, [bounds], { parts, limit: 1_000 })).violation;
        }
        expect(found).to.match(caughtBy);
      });
    }
  });
});
