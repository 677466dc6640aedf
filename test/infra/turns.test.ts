import { expect } from "chai";
import { inTurn, Turns } from "../../infra/readiness/turns.ts";

describe("whose turn it is among a signer's machines", () => {
  const all = ["signer", "signer-2"];

  it("is the last one's first, where both sign, neither is known to, or the last one is not", () => {
    for (const signing of [all, [], ["signer"]]) {
      expect(inTurn(all, (machine) => signing.includes(machine))).to.deep.equal(["signer-2", "signer"]);
    }
  });

  it("is the first one's where that is not known to sign and the other one is: nobody would sign meanwhile", () => {
    expect(inTurn(all, (machine) => machine === "signer-2")).to.deep.equal(["signer", "signer-2"]);
  });

  it("comes once those before it sign, and never where one of them does not", async () => {
    const turns = new Turns(Promise.resolve(["signer-2", "signer"]));
    const report = Promise.withResolvers<void>();
    turns.note("signer-2", report.promise);
    await turns.of("signer-2");
    let hasTurn = false;
    const turn = turns.of("signer").then(() => {
      hasTurn = true;
    });
    expect(await Promise.all(all.map((machine) => turns.after(machine)))).to.deep.equal([0, 1]);
    expect(hasTurn).to.equal(false);
    report.reject(new Error("the vault refuses it"));
    expect(await turn.catch((error: Error) => error.message)).to.equal("the vault refuses it");
  });
});
