import { expect } from "chai";
import { World } from "./world.ts";
describe("verify", function () {
  this.timeout(60_000);
  it("finds nothing wrong where nothing is", async () => {
    await using world = await World.start();
    const rows = await world.rows();
    for (const r of rows) console.log(r.verdict, "|", r.name, "|", r.says, "|", r.mend ?? "");
    expect(rows.filter(({ verdict }) => verdict !== "ok")).to.deep.equal([]);
  });
});
