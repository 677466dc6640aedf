import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { ERRORS, SignerError } from "../../signer/errors.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/reference/errors.md"), "utf8");

describe("errors", () => {
  it("are exactly those of docs/reference/errors.md, in its order, with its statuses", () => {
    const rows = [...page.matchAll(/^\| ([a-z-]+) +\| (\d{3}) +\|/gm)].map(([, code, status]) => [
      code,
      Number(status),
    ]);
    expect(rows).to.deep.equal(Object.entries(ERRORS).map(([code, { status }]) => [code, status]));
  });

  it("say on the page what client and operator do, for each", () => {
    for (const row of page.match(/^\| [a-z-]+ +\| \d{3} +\|.*$/gm) ?? []) {
      const cells = row.split("|").slice(1, -1);
      expect(cells, row).to.have.length(5);
      for (const cell of cells) expect(cell.trim(), row).to.not.equal("");
    }
  });

  it("never have a status that octez takes for something else", () => {
    // 201 is "unimplemented" to octez, 204 an empty answer, 301, 307 and 308 are followed, 503 and 429 are not retried.
    for (const { status } of Object.values(ERRORS)) {
      expect(status).to.satisfy((value: number) => (value >= 400 && value <= 500 && value !== 429) || value === 502);
    }
  });

  it("have 502 exactly where asking again may help", () => {
    for (const [code, { status, text }] of Object.entries(ERRORS)) {
      expect(status === 502, code).to.equal(text.endsWith("ask again"));
    }
  });

  it("carry their status, their text and the detail", () => {
    const error = new SignerError("unknown-key", "tz3…", { cause: new Error("why") });
    expect(error).to.include({ status: 404, message: "No such key here: tz3…", name: "SignerError" });
    expect(error.cause).to.be.an("error");
  });
});
