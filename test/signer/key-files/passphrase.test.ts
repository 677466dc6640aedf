import { expect } from "chai";
import fc from "fast-check";
import { faultOfOwnPassphrase, kinds, makePassphrase, readTyped } from "../../../signer/key-files/passphrase.ts";

const SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const typed = (text: string) => readTyped(Buffer.from(text));

/** Positions of the 28 symbols in the printed form: every fifth character is a dash. */
const POSITIONS = Array.from({ length: 28 }, (_, index) => index + Math.floor(index / 4));

function replace(text: string, position: number, symbol: string): string {
  return text.slice(0, position) + symbol + text.slice(position + 1);
}

describe("passphrase for paper", () => {
  const made = fc.constant(undefined).map(() => makePassphrase().toString());
  const symbol = fc.constantFrom(...SYMBOLS);
  const position = fc.constantFrom(...POSITIONS);

  it("has seven groups of four symbols, none of them I, L, O or U", () => {
    for (let count = 0; count < 200; count++) {
      expect(makePassphrase().toString()).to.match(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){6}$/);
    }
  });

  it("uses every symbol at every place but the check part about equally often", () => {
    const counts = new Map<string, number>();
    for (let count = 0; count < 2000; count++) {
      for (const place of POSITIONS.slice(0, 26)) {
        const seen = `${place}${makePassphrase().toString()[place]}`;
        counts.set(seen, (counts.get(seen) ?? 0) + 1);
      }
    }
    expect(counts.size).to.equal(26 * 32);
    expect(Math.min(...counts.values())).to.be.greaterThan(20);
    expect(Math.max(...counts.values())).to.be.lessThan(120);
  });

  it("is read whatever the case, the spacing and the look-alike letters typed", () => {
    fc.assert(
      fc.property(made, (text) => {
        const spoken = text.toLowerCase().replaceAll("-", " ").replaceAll("0", "o").replaceAll("1", "l");
        const read = typed(spoken);
        expect(read.form === "made" && read.passphrase.toString()).to.equal(text);
      }),
    );
  });

  it("finds the group of one wrong symbol", () => {
    fc.assert(
      fc.property(made, position, symbol, (text, place, wrong) => {
        fc.pre(text[place] !== wrong);
        expect(typed(replace(text, place, wrong))).to.deep.equal({
          form: "mistyped",
          group: Math.floor(place / 5) + 1,
        });
      }),
    );
  });

  it("notices any two wrong symbols, so two exchanged ones as well", () => {
    fc.assert(
      fc.property(made, position, position, symbol, symbol, (text, one, two, first, second) => {
        const wrong = replace(replace(text, one, first), two, second);
        fc.pre(wrong !== text);
        expect(typed(wrong).form).to.equal("mistyped");
      }),
      { numRuns: 1000 },
    );
  });

  it("takes texts of another length or alphabet for the user's own", () => {
    const text = makePassphrase().toString();
    for (const other of ["", text.slice(1), `${text}0`, replace(text, 0, "!"), "correct horse battery staple"]) {
      expect(typed(other)).to.deep.equal({ form: "other" });
    }
  });

  it("shows the kind of each symbol", () => {
    expect(kinds(Buffer.from("K7QF-02M9"))).to.equal("LNLL-NNLN");
  });

  it("refuses an own passphrase that is short or that another keyboard types differently", () => {
    expect(faultOfOwnPassphrase(Buffer.from("short"))).to.match(/16 characters/);
    expect(faultOfOwnPassphrase(Buffer.from("pässword with umlaut"))).to.match(/ASCII/);
    expect(faultOfOwnPassphrase(Buffer.alloc(201, "a"))).to.match(/200/);
    expect(faultOfOwnPassphrase(Buffer.from("correct horse battery staple"))).to.equal(undefined);
  });
});
