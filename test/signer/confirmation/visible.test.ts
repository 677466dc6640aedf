import { expect } from "chai";
import fc from "fast-check";
import { columns, fold, foldWords, shorten, visible } from "../../../signer/confirmation/visible.ts";
import { anyCharacter } from "../../harness/any-character.ts";

describe("a text made visible", () => {
  it("keeps ASCII and the letters of scripts that run from left to right", () => {
    for (const text of ["plain ~ text | [x]", "Grüße", "Ελλάδα", "Москва", "漢字かなカナ한글"]) {
      expect(visible(text)).to.equal(text);
    }
  });

  it("escapes what steers a terminal, turns its text around, takes no column, stacks, or looks like the margin", () => {
    for (const [text, expected] of [
      ["\x1b[2J", "\\u{1b}[2J"],
      ["a\nb\r\tc", "a\\nb\\r\\tc"],
      ["\u009b0m", "\\u{9b}0m"],
      ["\u202e\u2066", "\\u{202e}\\u{2066}"],
      ["\u200b\u200d\u00ad\u115f\u3164\ufeff", "\\u{200b}\\u{200d}\\u{ad}\\u{115f}\\u{3164}\\u{feff}"],
      ["e\u0301", "e\\u{301}"],
      ["1\u11610\u11a8\ud7b0", "1\\u{1161}0\\u{11a8}\\u{d7b0}"],
      ["\u1100\u1100\ua960", "\\u{1100}\\u{1100}\\u{a960}"],
      ["שא", "\\u{5e9}\\u{5d0}"],
      ["│┃\u2800", "\\u{2502}\\u{2503}\\u{2800}"],
      ["👩‍👩", "\\u{1f469}\\u{200d}\\u{1f469}"],
      ["\ud800", "\\u{d800}"],
    ] as const) {
      expect(visible(text)).to.equal(expected);
    }
  });

  it("is folded so that nothing is lost and no line is too wide", () => {
    const property = fc.property(fc.string({ unit: anyCharacter }), fc.integer({ min: 2, max: 50 }), (text, width) => {
      const shown = visible(text);
      const lines = fold(shown, width);
      expect(lines.join("")).to.equal(shown);
      for (const line of lines) expect(columns(line)).to.be.at.most(width);
    });
    fc.assert(property);
    expect(fold("漢字漢", 5)).to.deep.equal(["漢字", "漢"]);
  });

  it("says how much is missing where it is cut to one line", () => {
    const property = fc.property(
      fc.string({ unit: anyCharacter, maxLength: 200 }),
      fc.integer({ min: 25, max: 80 }),
      (text, width) => {
        const shown = visible(text);
        const cut = shorten(shown, width);
        expect(columns(cut)).to.be.at.most(width);
        if (cut === shown) return;
        const [, head = "", missing] = /^(.*) \(\+(\d+) characters\)$/s.exec(cut) ?? [];
        expect([...head].length + Number(missing)).to.equal([...shown].length);
      },
    );
    fc.assert(property);
  });

  it("is broken between words where the words are the signer's own", () => {
    expect(foldWords("one two three", 8)).to.deep.equal(["one two", "three"]);
    expect(foldWords("abcdefghij", 4)).to.deep.equal(["abcd", "efgh", "ij"]);
  });
});
