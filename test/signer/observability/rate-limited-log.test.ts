import { expect } from "chai";
import { RateLimitedLog } from "../../../signer/observability/rate-limited-log.ts";

describe("rate-limited log", () => {
  it("writes one line a second and counts what it left out", () => {
    const lines: object[] = [];
    let now = 5;
    const log = new RateLimitedLog(
      (fields) => lines.push(fields),
      () => now,
    );
    for (let flood = 0; flood < 1_000; flood += 1) log.write({ code: "malformed-request" }, "refused");
    now += 1_000;
    log.write({ code: "unknown-path" }, "refused");
    now += 999;
    log.write({ code: "unknown-path" }, "refused");
    now += 1;
    log.write({ code: "body-too-large" }, "refused");
    expect(lines).to.deep.equal([
      { code: "malformed-request" },
      { code: "unknown-path", suppressed: 999 },
      { code: "body-too-large", suppressed: 1 },
    ]);
  });
});
