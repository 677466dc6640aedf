import { expect } from "chai";
import { type Bounds, explore } from "./explorer.ts";
import { SCENARIOS } from "./scenarios.ts";
import { SEEDED_BUGS } from "./seeded-bugs.ts";

/** One fault and one crash, no preemption; `npm run test:guard` goes further. */
const BOUNDS: Bounds = { preemptions: 0, faults: 1, crashes: 1 };

/** The number of schedules of each scenario. It changes with the guard's calls; whoever changes them looks here. */
const SCHEDULES = [1_977, 4_134, 4_134, 1_986, 1_260, 2_020, 2_060, 1_269, 4_199, 1_428];

describe("guard explorer", function () {
  this.timeout(60_000);

  for (const [index, scenario] of SCENARIOS.entries()) {
    it(`finds no broken promise: ${scenario.name}`, async () => {
      const { violation, schedules } = await explore(scenario, BOUNDS);
      expect(violation).to.equal(undefined);
      expect(schedules).to.equal(SCHEDULES[index]);
    });
  }

  it("runs more than 10,000 schedules in these tests", () => {
    expect(SCHEDULES.reduce((sum, count) => sum + count)).to.be.greaterThan(10_000);
  });

  describe("catches a broken guard:", () => {
    const deeper: Bounds[] = [
      BOUNDS,
      { preemptions: 1, faults: 1, crashes: 0 },
      { preemptions: 2, faults: 0, crashes: 0 },
    ];
    for (const { name, parts, caughtBy } of SEEDED_BUGS) {
      it(name, async () => {
        let found: string | undefined;
        for (const bounds of deeper) {
          for (const scenario of SCENARIOS) {
            if (found === undefined) found = (await explore(scenario, bounds, { parts, limit: 6_000 })).violation;
          }
        }
        expect(found).to.match(caughtBy);
      });
    }
  });
});
