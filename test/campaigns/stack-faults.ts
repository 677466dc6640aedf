import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { Cloud } from "../emulators/azure-resource-manager/cloud.ts";
import { Engine, pulumiFolder, type TestStack } from "../emulators/azure-resource-manager/engine.ts";
import type { Fate } from "../emulators/azure-resource-manager/subscription.ts";
import { seededRandom } from "../emulators/key-vault/random.ts";
import { AZURE_CODES } from "../fixtures/azure-error-codes.ts";
import { EVERYTHING, plan } from "../fixtures/stack-configs.ts";
import { requires } from "../harness/requires.ts";
import { RECOVERY_KILLS, run } from "../infra/killed-recovery.ts";
import { cutOff, recover } from "../infra/recovered.ts";
import { MACHINE, program, released } from "../infra/stack.ts";

const root = resolve(import.meta.dirname, "../..");

/** STACK_CAMPAIGN=all runs every campaign with every code and resource; else one of each kind, within what .ci/run may take. */
const all = process.env.STACK_CAMPAIGN === "all";

/** `npm run test:stack`: some minutes, so it is not part of `npm test`, which fails them all at once instead. */
describe("an up in which one resource fails", function () {
  this.timeout(60_000);
  let engine: Engine;
  let stack: TestStack;
  const cloud = new Cloud();
  let names: string[] = [];
  let failing: string[] = [];

  before(async function () {
    const folder = pulumiFolder();
    requires(this, folder !== undefined, "no Pulumi CLI on PATH or in the cache; .ci/pulumi-cli builds one");
    engine = await Engine.start(cloud, folder ?? "");
    stack = await engine.stack("dev", program());
    await stack.configure({ ...EVERYTHING, production: "false" });
    const { resources } = await plan({ ...EVERYTHING, production: "false" });
    names = resources.filter(({ type }) => type.startsWith("azure-native:")).map(({ name }) => name);
    failing = names.filter((_, index) => all || index % 4 === 0);
  });

  after(() => engine?.close());

  it("converges by the next up, whichever resource it was", async () => {
    for (const name of failing) {
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

/** Another seed draws other codes: STACK_SEED=7 npm run test:stack. */
const SEED = Number(process.env.STACK_SEED ?? 18);

/** What the program names, anywhere: these codes it may know something of. */
const PROGRAM = globSync("infra/**/*.ts", { cwd: root })
  .map((file) => readFileSync(join(root, file), "utf8"))
  .join();

/** What may become of a request that is answered with an error: the first three that are drawn have one each. */
const FATES = ["done", "half-made", "refused"] as const;

/** Ten codes of Microsoft's lists of which the program knows nothing, drawn by the seed alone. */
function drawn() {
  const random = seededRandom(SEED);
  const unknown = AZURE_CODES.filter(({ code }) => !PROGRAM.includes(code));
  expect(unknown).to.have.length.of.at.least(60);
  return Array.from({ length: 10 }, (_, index) => {
    const [taken] = unknown.splice(Math.floor(random() * unknown.length), 1);
    const { code = "", status, page = "" } = taken ?? {};
    const drawn = status ?? (STATUSES[Math.floor(random() * STATUSES.length)] as number);
    return { code, page, status: drawn, fate: FATES[index % FATES.length] as Fate };
  });
}

/** Where a page gives a code no status, one of these is drawn too. */
const STATUSES = [400, 403, 409, 429, 500, 503];

describe("a stack whose commands are cut off, before or after Azure's answer to each request in turn", function () {
  this.timeout(3_600_000);

  /** What Azure holds, but for what tells one making of a machine from another. */
  const holds = (cloud: Cloud) => [...cloud.resources.keys()].sort();

  async function standing(open: AsyncDisposableStack, production: boolean, cloud: Cloud, content: () => object) {
    const ARM_SUBSCRIPTION_ID = cloud.subscription.split("/").at(-1) ?? "";
    const engine = open.adopt(
      await Engine.start(cloud, pulumiFolder() ?? "", { ARM_SUBSCRIPTION_ID }),
      async (engine) => engine.close(),
    );
    const stack = await engine.stack("dev", () => program(content())());
    await stack.configure({ ...EVERYTHING, production: String(production) });
    return stack;
  }

  let recoveries = 0;

  /** Recovers, where the way back is cut off too, and goes on until all is made. */
  async function finish(stack: TestStack, cloud: Cloud, what: string): Promise<void> {
    recoveries += 1;
    const kill = RECOVERY_KILLS[recoveries % RECOVERY_KILLS.length];
    if (all) await run(stack, ["infra/recovery/main.ts", "--yes"], kill);
    await recover(stack);
    const { failed, messages } = await stack.up();
    expect(failed, `${what}: ${messages}`).to.equal(false);
    const preview = await stack.preview();
    expect(preview.operations, `${what}: ${preview.messages}`).to.deep.equal([]);
    expect(cloud.ofType(MACHINE), what).to.have.length(1);
  }

  beforeEach(function () {
    requires(this, pulumiFolder() !== undefined, "no Pulumi CLI on PATH or in the cache; .ci/pulumi-cli builds one");
  });

  for (const when of ["before", "after"] as const) {
    const isHere = (usual: string) => all || when === usual;

    (isHere("before") ? it : () => undefined)(
      `${when} it: a first up comes to its end, with each resource made once and none deleted`,
      async () => {
        await using open = new AsyncDisposableStack();
        const cloud = new Cloud();
        const stack = await standing(open, true, cloud, () => ({}));
        const { resources } = await plan(EVERYTHING);
        const left = new Set(resources.filter(({ type }) => type.startsWith("azure-native:")).map(({ name }) => name));
        // Whatever is not made yet may be next: the request at which Pulumi ends is one that it does send.
        for (const name of left) {
          if (cloud.calls.some((call) => call.name === name && call.method === "create")) continue;
          await cutOff(cloud, { when, method: "create", name }, () => stack.up());
          await recover(stack);
        }
        await finish(stack, cloud, `${when} create`);
        const made = cloud.calls.filter(({ method, failed }) => method === "create" && failed === undefined);
        expect(made.map(({ name }) => name)).to.have.members([...left]);
        expect(cloud.calls.filter(({ method }) => method === "delete")).to.deep.equal([]);
      },
    );

    (isHere("after") ? it : () => undefined)(
      `${when} it: an upgrade and a change of the policy of a production stack come to their end, and back`,
      async () => {
        await using open = new AsyncDisposableStack();
        const cloud = new Cloud();
        let content = "first";
        let customData = "IyBvbmUK";
        const stack = await standing(open, true, cloud, () => ({ content, customData }));
        expect((await stack.up()).failed).to.equal(false);
        const before = holds(cloud).length;
        content = "second";
        await cutOff(cloud, { when, method: "create", name: released("second") }, () => stack.up());
        await finish(stack, cloud, `${when} release`);
        expect(holds(cloud)).to.have.length(before + 1);
        for (const method of ["delete", "create"] as const) {
          customData = Buffer.from(`${when} ${method}`).toString("base64");
          await cutOff(cloud, { when, method, name: "machine" }, () => stack.up());
          await finish(stack, cloud, `${when} ${method} machine`);
        }
        for (const policy of ['{"default":{"allow":["block"]}}', null]) {
          await stack.configure({ policy });
          await cutOff(cloud, { when, method: "update", name: "machine" }, () => stack.up());
          await finish(stack, cloud, `${when} policy`);
        }
        expect(holds(cloud)).to.have.length(before + 1);
      },
    );

    (isHere("before") ? it : () => undefined)(`${when} it: a destroy comes to its end`, async () => {
      await using open = new AsyncDisposableStack();
      const cloud = new Cloud();
      const stack = await standing(open, true, cloud, () => ({}));
      expect((await stack.up()).failed).to.equal(false);
      stack.unprotect();
      for (const name of ["vault-lock", "account-lock", "group"]) {
        if (cloud.calls.some((call) => call.name === name && call.method === "delete")) continue;
        await cutOff(cloud, { when, method: "delete", name }, () => stack.destroy());
        await recover(stack);
      }
      const { failed, messages } = await stack.destroy();
      expect(failed, messages).to.equal(false);
      expect(holds(cloud)).to.deep.equal([]);
    });
  }

  it("is left whole by errors of which it knows nothing, at the machine and beside it", async () => {
    await using open = new AsyncDisposableStack();
    const cloud = new Cloud();
    let customData = "IyBvbmUK";
    const stack = await standing(open, true, cloud, () => ({ customData }));
    expect((await stack.up()).failed).to.equal(false);
    const before = holds(cloud);
    const codes = drawn();
    console.log(
      `      STACK_SEED=${SEED}: ${codes.map(({ status, code, fate }) => `${status} ${code} (${fate})`).join(", ")}`,
    );
    for (const [index, fault] of (all ? codes : codes.slice(0, 3)).entries()) {
      cloud.fault = fault;
      const fails = async (name: string, method: "create" | "update" | "delete") => {
        cloud.faults.set(name, method);
        const { failed, messages } = await stack.up();
        expect(failed, fault.code).to.equal(true);
        expect(messages, fault.code).to.include(fault.code);
        await finish(stack, cloud, `${fault.code} ${method} ${name}`);
        expect(holds(cloud), fault.code).to.deep.equal(before);
      };
      for (const method of ["delete", "create"] as const) {
        // What is not there is deleted: no service answers 404 to the deletion of something that stays.
        if (method === "delete" && fault.status === 404) continue;
        customData = Buffer.from(`${fault.code} ${method}`).toString("base64");
        await fails("machine", method);
      }
      await stack.configure({ tags: JSON.stringify({ owner: fault.code }) });
      await fails(["vault", "firewall", "account", "address"][index % 4] as string, "update");
    }
  });
});
