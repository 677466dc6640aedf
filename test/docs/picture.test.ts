import { readFileSync } from "node:fs";
import { expect } from "chai";
import { parse } from "yaml";
import { PALETTES, pictures } from "./picture.ts";

const source = parse(readFileSync(new URL("../../docs/pictures/architecture.yaml", import.meta.url), "utf8")) as {
  width: number;
  height: number;
  boxes: { x: number; y: number; width: number; height: number; title: string; lines: string[] }[];
};

describe("the picture of README.md", () => {
  it("is what npm run docs:pictures makes of its source", () => {
    expect(Object.keys(pictures())).to.have.length(Object.keys(PALETTES).length);
    for (const [path, picture] of Object.entries(pictures()))
      expect(readFileSync(path, "utf8"), path).to.equal(picture);
  });

  it("has its words within their boxes, also in a wide font, and its boxes within itself", () => {
    for (const { x, y, width, height, title, lines } of source.boxes) {
      for (const line of lines) expect(16 + line.length * 6.8, `${title}: ${line}`).to.be.below(width);
      expect(56 + (lines.length - 1) * 20, title).to.be.below(height - 8);
      expect(x + width, title).to.be.below(source.width);
      expect(y + height, title).to.be.below(source.height);
    }
  });
});
