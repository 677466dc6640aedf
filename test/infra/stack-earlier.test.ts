import { expect } from "chai";
import { build, readSettings } from "../../infra/index.ts";
import { Cloud } from "../support/azure/cloud.ts";
import { EARLIER_CUSTOM_DATA, earlierStack } from "../support/azure/earlier-stack.ts";
import { Engine, pulumiFolder } from "../support/azure/engine.ts";
import { requires } from "../support/requires.ts";
import { NO_CLI } from "./stack.ts";

for (const kind of ["throw-away", "production"] as const) {
  describe(`a ${kind} stack that version 0.1.0 made`, function () {
    this.timeout(60_000);

    it("is what its own program asks for", async function () {
      const folder = pulumiFolder();
      requires(this, folder !== undefined, NO_CLI);
      const cloud = new Cloud();
      const engine = await Engine.start(cloud, folder ?? "");
      try {
        const stack = await earlierStack(kind, cloud, engine, async () => build(readSettings(), EARLIER_CUSTOM_DATA));
        expect(Object.keys(await stack.refresh())).to.deep.equal(["same"]);
        const { operations, failed, messages } = await stack.up();
        expect(failed, messages).to.equal(false);
        expect(operations).to.deep.equal([]);
      } finally {
        engine.close();
      }
    });
  });
}
