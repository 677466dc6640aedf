import { expect } from "chai";
import { codeOf, report } from "../../../infra/preflight/report.ts";
import { notKnown, notOk, ok, type Row } from "../../../infra/preflight/row.ts";

function told(...rows: Row[]): string {
  return report({ stack: "dev", subscription: "5ba1d2f0", rows });
}

const GOOD = ok("size", "it is sold");
const BAD = notOk("locks", "one holds it", "az lock delete --ids /x");
const UNKNOWN = notKnown("image's terms", "Azure does not say");

describe("a preflight's report", () => {
  it("has a line for each row, and below what is not ok the command alone", () => {
    expect(told(GOOD, BAD, UNKNOWN)).to.equal(
      [
        "Stack dev, subscription 5ba1d2f0. Nothing was changed.",
        "",
        "  ok         size           it is sold",
        "  not ok     locks          one holds it",
        "                            az lock delete --ids /x",
        "  not known  image's terms  Azure does not say",
        "",
        "1 of 3 ok, 1 not ok: type the command below each, then ask again",
      ].join("\n"),
    );
    expect(told(GOOD, UNKNOWN)).to.match(/\n1 of 2 ok, 1 not known$/);
    expect(told(GOOD)).to.match(/\n1 of 1 ok: npm run up$/);
  });

  it("ends with 0, with 1 where something is not ok, and with 4 where only something is not known", () => {
    expect(codeOf({ rows: [GOOD] })).to.equal(0);
    expect(codeOf({ rows: [GOOD, UNKNOWN, BAD] })).to.equal(1);
    expect(codeOf({ rows: [GOOD, UNKNOWN] })).to.equal(4);
  });

  it("shows nothing that a terminal would obey, whatever names Azure gives", () => {
    const text = told(notOk("locks", "\u001b[2Jtheirs\nok \u202e", "az lock delete --ids /x\u001b]0;y\u0007"));
    expect(text).to.contain("?[2Jtheirs?ok ?");
    expect(text).to.contain("/x?]0;y?");
    expect(text.replaceAll("\n", "")).not.to.match(/[\p{Cc}\p{Cf}]/u);
  });
});
