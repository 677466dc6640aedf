import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { metricAlerts } from "../../infra/components/metric-alerts.ts";
import { costOfVoting, estimateCost } from "../../infra/cost.ts";
import { settings } from "../fixtures/stack-configs.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/cost.md"), "utf8");

/** Keys that attest in every block, and all that one vault takes. */
const MOST_VOTING_KEYS = Math.floor(1 / costOfVoting(1).limit);

/** A row of the page's table of keys. */
function row(count: number): string {
  const { signatures, keys, vault, table, limit } = costOfVoting(count);
  const million = ((vault + table) / signatures) * 1e6;
  const money = [keys, vault, table, million].map((usd) => usd.toFixed(2));
  return `| ${count} | ${signatures.toLocaleString("en-US")} | ${money.join(" | ")} | ${(100 * limit).toFixed(1)} % |`;
}

describe("what keys cost", () => {
  it("is what docs/cost.md says, for each number of keys there", () => {
    const rows = [...PAGE.matchAll(/^\| (\d+) \| [\d,]+ \| .*$/gm)];
    expect(rows.map(([, count]) => Number(count))).to.deep.equal([1, 10, 100, MOST_VOTING_KEYS]);
    expect(rows.map(([text]) => text)).to.deep.equal(rows.map(([, count]) => row(Number(count))));
  });

  it("is in a stack's estimate for one key that attests", () => {
    const { lines } = estimateCost(settings());
    const { vault, table, keys } = costOfVoting(1);
    const usd = new Map(lines.map((line) => [line.what, line.usd]));
    expect([usd.get("HSM key"), usd.get("Signatures"), usd.get("Watermark table")]).to.deep.equal([keys, vault, table]);
  });

  it("has each alert on a metric, of one machine and of two", () => {
    for (const suffixes of [[""], ["", "-2"]]) {
      const { lines } = estimateCost(settings({ monitoring: "true", instances: `${suffixes.length}` }));
      const machines = suffixes.map((suffix) => ({ id: "the machine", suffix }));
      const series = metricAlerts("the vault", machines, true).length;
      expect(lines.find(({ what }) => what === "Alerts on metrics")?.usd).to.be.closeTo(series * 0.1, 1e-9);
    }
  });

  it("grows with the keys, and names the number that reaches the vault's limit", () => {
    expect(costOfVoting(10).vault).to.be.closeTo(10 * costOfVoting(1).vault, 1e-9);
    expect(costOfVoting(MOST_VOTING_KEYS).limit).to.be.at.most(1);
    expect(costOfVoting(MOST_VOTING_KEYS + 1).limit).to.be.greaterThan(1);
  });
});
