import { expect } from "chai";
import { estimateCost } from "../../infra/cost.ts";
import { textOf } from "./pages.ts";

/** What a month costs by docs/is-it-for-you.md: one key, five keys in a stack, five stacks. */
const COLUMNS = [
  { keys: 1, stacks: 1 },
  { keys: 5, stacks: 1 },
  { keys: 5, stacks: 5 },
];

describe("docs/is-it-for-you.md", () => {
  it("says for one baker and for five what the estimate says", () => {
    const { lines } = estimateCost({
      vmSize: "Standard_B1s",
      keys: [],
      monitoring: false,
      instances: 1,
      balancer: false,
    });
    const usd = (pattern: RegExp) => lines.reduce((sum, { what, usd }) => sum + (pattern.test(what) ? usd : 0), 0);
    const parts = {
      "machine, disk, address, releases": ({ stacks }: { stacks: number }) =>
        stacks * usd(/^Machine|^Disk|^Public|^Releases/),
      "HSM keys, 5 dollars each": ({ keys }: { keys: number }) => keys * usd(/^HSM key/),
      "signatures, of two in every block": ({ keys }: { keys: number }) => keys * usd(/^Signatures/),
      table: ({ keys }: { keys: number }) => keys * usd(/^Watermark table/),
    };
    const page = textOf("docs/is-it-for-you.md");
    const row = (name: string, figures: readonly number[]) =>
      `| ${[name, ...figures.map((figure) => figure.toFixed(2))].join(" | ")} |`;
    for (const [name, of] of Object.entries(parts)) expect(page).to.include(row(name, COLUMNS.map(of)));
    const totals = COLUMNS.map((column) => Object.values(parts).reduce((sum, of) => sum + of(column), 0));
    const bold = totals.map((figure) => `**${figure.toFixed(2)}**`);
    expect(page).to.include(`| **US dollars a month** | ${bold.join(" | ")} |`);
  });
});
