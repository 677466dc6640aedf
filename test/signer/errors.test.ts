import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { ERRORS, messagesOf, SignerError } from "../../signer/errors.ts";

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

describe("the messages of whatever was thrown", () => {
  it("are its own, then those of its causes", () => {
    const cause = new Error("middle", { cause: new Error("the real reason") });
    expect(messagesOf(new Error("outer", { cause }))).to.equal("outer: middle: the real reason");
    expect(messagesOf(new Error("outer", { cause: "a text" }))).to.equal("outer: a text");
  });

  it("say nothing twice", () => {
    const cause = new Error("the real reason");
    expect(messagesOf(new Error("cannot start: the real reason", { cause }))).to.equal("cannot start: the real reason");
  });

  it("include those of an AggregateError's errors, whose own is often empty", () => {
    const errors = [new Error("::1 refuses"), new Error("127.0.0.1 refuses")];
    expect(messagesOf(new AggregateError(errors))).to.equal("::1 refuses; 127.0.0.1 refuses");
    expect(messagesOf(new TypeError("fetch failed", { cause: new AggregateError(errors, "no address") }))).to.equal(
      "fetch failed: no address: ::1 refuses; 127.0.0.1 refuses",
    );
  });

  it("are a thrown text itself, and of anything else its type or its name", () => {
    expect(messagesOf("oops")).to.equal("oops");
    expect(messagesOf({ authorization: "Bearer sesame" })).to.equal("thrown: object");
    expect(messagesOf(new TypeError())).to.equal("TypeError");
  });

  it("end, however many causes there are and however long they are", () => {
    const circular = new Error("round");
    circular.cause = new Error("and about", { cause: circular });
    expect(messagesOf(circular)).to.match(/^round: and about: round/);
    const wide = (depth: number): Error =>
      new AggregateError(depth === 0 ? [] : Array(50).fill(wide(depth - 1)), `${depth} ${"x".repeat(5_000)}`);
    expect(messagesOf(wide(8))).to.have.length(1_001);
  });
});
