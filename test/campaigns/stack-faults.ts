import { expect } from "chai";
import { Cloud } from "../emulators/azure-resource-manager/cloud.ts";
import { Engine, pulumiFolder, type TestStack } from "../emulators/azure-resource-manager/engine.ts";
import { EVERYTHING, plan } from "../fixtures/stack-configs.ts";
import { requires } from "../harness/requires.ts";
import { program } from "../infra/stack.ts";

/** `npm run test:stack`: about two minutes, so it is not part of `npm test`, which fails them all at once instead. */
describe("an up in which one resource fails", function () {
  this.timeout(60_000);
  let engine: Engine;
  let stack: TestStack;
  const cloud = new Cloud();
  let names: string[] = [];

  before(async function () {
    const folder = pulumiFolder();
    requires(this, folder !== undefined, "no Pulumi CLI on PATH or in the cache; .ci/pulumi-cli builds one");
    engine = await Engine.start(cloud, folder ?? "");
    stack = await engine.stack("dev", program());
    await stack.configure({ ...EVERYTHING, production: "false" });
    const { resources } = await plan({ ...EVERYTHING, production: "false" });
    names = resources.filter(({ type }) => type.startsWith("azure-native:")).map(({ name }) => name);
  });

  after(() => engine?.close());

  it("converges by the next up, whichever resource it was", async () => {
    for (const name of names) {
      cloud.faults.set(name, "create");
      const first = await stack.up();
      expect(first.failed, name).to.equal(true);
      expect(first.messages, name).to.include("InternalServerError");
      const second = await stack.up();
      expect(second.failed, `${name}: ${second.messages}`).to.equal(false);
      const third = await stack.preview();
      expect(third.failed, `${name}: ${third.messages}`).to.equal(false);
      expect(third.operations, name).to.deep.equal([]);
      const made = cloud.calls.filter(({ method, failed }) => method === "create" && failed === undefined);
      expect(made.map((call) => call.name)).to.have.members(names);
      expect((await stack.destroy()).failed, name).to.equal(false);
      cloud.calls.length = 0;
    }
  }).timeout(1_800_000);
});
