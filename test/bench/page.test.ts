import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { CASES } from "../../bench/cases.ts";
import { figureOf, pageOf, withFigure, withMeasured } from "../../bench/page.ts";
import { pictureOf } from "../../bench/picture.ts";
import type { Measured, Name, Results } from "../../bench/results.ts";

const ROOT = join(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

const run = (times: readonly number[], lost: readonly [number, number][] = []) => ({
  times: [...times],
  lost: new Map<number | "none", number>(lost),
});
const flat = (milliseconds: number) => Array<number>(100).fill(milliseconds);

/** Two repetitions of each case: 20 ms alone, 3 and 5 more of this signer, 2 more of Signatory, which loses some. */
const RESULTS: Results = {
  cases: CASES.map((each) => ({
    case: each,
    repetitions: [3, 5].map((more) => ({
      duration: 1_000,
      of: new Map<Name, Measured>([
        ["alone", run(flat(20))],
        ["ours", { ...run(flat(20 + more)), processor: 200 }],
        ["peer", run(flat(22), [[429, 2]])],
      ]),
      stages: new Map([["sign", 21 + more]]),
    })),
  })),
  starts: [new Map([["ours", { milliseconds: 900, memory: 110 }]])],
  memory: [new Map([["ours", 140]])],
};
const COMPUTER = {
  processor: "a processor",
  cores: 2,
  memory: "4 GiB",
  system: "Linux 6",
  load: 1.5,
  stolen: () => 0.01,
};

describe("the page that the bench writes", () => {
  const page = pageOf(RESULTS, { computer: COMPUTER, minutes: 10, repetitions: 2 });

  it("has of each case who was asked, what is added with its spread, what was lost and the processor's time", () => {
    expect(page).to.include("| base case | vault or token alone | 20.00 |  | 20.00 | – | 0 of 200 |  |");
    expect(page).to.include("|  | this signer | 23.00 | 4.00 (3.00 to 5.00) | 25.00 | – | 0 of 200 | 2.00 |");
    expect(page).to.include("|  | Signatory v1.4.0 | 22.00 | 2.00 | 22.00 | – | 4 (429 x 4) of 204 |  |");
  });

  it("says on what computer, beside how much other work, and how often it was measured", () => {
    expect(page).to.include("2 cores of a processor with 4 GiB, Linux 6");
    expect(page).to.include("other work wanted 1.5 cores; the host gave 1.0 %");
    expect(page).to.include("2 repetitions in 10 minutes");
  });

  it("has the stages, the start and the memory", () => {
    expect(page).to.include("| sign | 25.00 | 25.00 | 25.00 |");
    expect(page).to.include("| from the start of the process to its first signature, ms | 900 |");
    expect(page).to.include("| memory after the rates above, MiB | 140 |");
  });

  it("takes its place between the marks, and README's figure its own", () => {
    const marks = ["<!-- measured by npm run bench -->", "<!-- end of what is measured -->"];
    expect(withMeasured(`a${marks.join("old")}b`, "new")).to.equal(`a${marks.join("\n\nnew\n\n")}b`);
    expect(() => withMeasured("no place", "new")).to.throw('there is no "<!-- measured by npm run bench -->"');
    const row = "**It is fast enough**: 14 % ([performance.md](docs/performance.md)).";
    expect(withFigure(row, figureOf(RESULTS))).to.include("takes 4.00 ms more than the vault's own 20, and 4.00 after");
  });

  it("draws the same picture for both themes, in other colours", () => {
    const [light, dark] = [pictureOf(RESULTS, "light"), pictureOf(RESULTS, "dark")];
    const uncoloured = (svg: string) => svg.replaceAll(/#[0-9a-f]{6}/g, "");
    expect(uncoloured(light)).to.equal(uncoloured(dark));
    expect(light).to.not.equal(dark);
    expect(light).to.not.include("NaN");
    expect([...light.matchAll(/class="line"/g)]).to.have.length(6);
  });
});

describe("docs/performance.md", () => {
  it("is where README's figure is from", () => {
    const figure = /^In short: (.*)\.$/m.exec(read("docs/performance.md"))?.[1] ?? "none";
    expect(read("README.md")).to.include(`**It is fast enough**: ${figure} ([performance.md](docs/performance.md)`);
  });

  it("has every case that the bench measures", () => {
    const missing = CASES.filter(({ name }) => !read("docs/performance.md").includes(`\n| ${name} | `));
    expect(missing.map(({ name }) => name)).to.deep.equal([]);
  });
});
