import { expect } from "chai";
import { VaultFault } from "../../../signer/keys/azure-key-vault/fault.ts";
import { FaultLog } from "../../../signer/keys/fault-log.ts";
import { logLines } from "../../harness/log-lines.ts";

describe("a backend's fault log", () => {
  const start = () => {
    const { log, lines } = logLines();
    const clock = { now: 0 };
    return { lines, clock, faults: new FaultLog(log, "the vault", () => clock.now) };
  };
  const timeout = new VaultFault("timeout", "It did not answer within 1500 ms.");

  it("writes a fault when it begins, then once in 10 s with the number left out", () => {
    const { lines, clock, faults } = start();
    for (clock.now = 0; clock.now < 25_000; clock.now += 1_000) faults.fault(timeout, {});
    expect(lines.map(({ suppressed }) => suppressed)).to.deep.equal([undefined, 9, 9]);
  });

  it("keeps kinds of fault apart", () => {
    const { lines, faults } = start();
    faults.fault(timeout, {});
    faults.fault(new VaultFault("connection", "The connection failed (ECONNRESET)."), {});
    expect(lines.map(({ fault }) => fault)).to.deep.equal(["timeout", "connection"]);
  });

  it("says once that the vault answers again, after how long", () => {
    const { lines, clock, faults } = start();
    for (clock.now = 0; clock.now <= 600_000; clock.now += 1_000) faults.fault(timeout, {});
    lines.length = 0;
    for (clock.now = 601_000; clock.now < 640_000; clock.now += 1_000) faults.success();
    expect(lines).to.have.length(1);
    expect(lines[0]).to.include({ msg: "the vault answers again", fault: "timeout", seconds: 610 });
  });

  it("hides a token that an answer should hold", () => {
    const token = "eyJ0eXAiOiJKV1QifQ.eyJhdWQiOiJ4In0.c2lnbmF0dXJl";
    expect(new VaultFault("refused", `It said ${token}.`).message).to.equal("It said [token].");
  });
});
