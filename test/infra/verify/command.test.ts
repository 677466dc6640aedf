import { expect } from "chai";
import { hasProgram } from "../../emulators/has-program.ts";
import { requires } from "../../harness/requires.ts";
import { shown, steady } from "../first-run-page.ts";
import { Desk, type Ended, ended } from "./desk.ts";
import { ID, World } from "./world.ts";

describe("npm run verify", function () {
  this.timeout(300_000);

  before(function () {
    requires(this, hasProgram("python3"), "python3 is not installed (.ci/machine-tools)");
  });

  it("prints what docs/first-run.md shows, before an up and after it, and writes the report to a file", async () => {
    await using world = await World.start();
    await using desk = await Desk.start(world);
    const stands = [...world.cloud.resources.values()];
    world.cloud.resources.clear();
    desk.remembers(false);
    const before = await desk.run("preflight");
    expect(before.errors).to.equal("");
    expect(steady(before.out)).to.equal(shown("npm run preflight"));
    for (const resource of stands) world.cloud.hold(resource);
    desk.remembers(true);
    const { code, out, errors } = await desk.run("verify");
    expect(steady(`${errors}${out}`)).to.equal(shown("npm run verify"));
    expect(code).to.equal(0);
    const file = desk.file("verify-dev.txt");
    expect(out).to.contain(file.trimEnd());
    for (const hidden of [
      world.cloud.subscription.split("/")[2] ?? "",
      ID,
      "20.50.100.10",
      world.cloud.managementToken ?? "",
    ]) {
      expect(`${file}${out}${errors}`).not.to.contain(hidden);
    }
  });

  it("takes away what it made after Ctrl-C, says so, and ends with 130; the report has what it knows", async () => {
    await using world = await World.start();
    await using desk = await Desk.start(world);
    const child = desk.start("verify");
    world.network.before = (script) => {
      if (script.includes("/keys/k1/sign")) child.kill("SIGINT");
    };
    const { code, out, errors } = await ended(child);
    expect(errors).to.contain("it ends, and takes away what it made");
    expect(code).to.equal(130);
    expect(out)
      .to.contain("It was ended before its end")
      .and.to.match(/ok {9}taken away/);
    expect([...world.cloud.resources.keys(), ...world.cloud.softDeleted.keys()].join()).not.to.contain("tzver");
    expect(desk.file("verify-dev.txt")).to.contain("It was ended before its end");
  });

  it("says of a second one at once that the machine and the vault are in use, and takes nothing of the first", async () => {
    await using world = await World.start();
    await using desk = await Desk.start(world);
    const seconds: Ended[] = [];
    world.network.before = async (script) => {
      if (script.includes("/keys/k1/sign") && seconds.length === 0) seconds.push(await desk.run("verify"));
    };
    const first = await desk.run("verify");
    const [second] = seconds;
    expect(second?.out)
      .to.match(/not known {2}run command +another command is at work on the machine: try again in a minute/)
      .and.match(
        /not known {2}vault made +another `npm run verify` made a vault at .+ \(process \d+ of this computer\)/,
      )
      .and.not.match(/not ok/);
    expect([first.code, second?.code], first.out).to.deep.equal([0, 4]);
  });

  it("says in one sentence that nothing is up, that nobody is logged in, and that an option is wrong", async () => {
    await using world = await World.start();
    await using desk = await Desk.start(world);
    desk.remembers(false);
    const none = await desk.run("verify");
    expect([none.code, none.errors]).to.deep.equal([2, "verify: the stack is not up: npm run up\n"]);
    const other = world.cloud.subscription;
    world.cloud.subscription = "/subscriptions/99999999-0000-4000-8000-000000000000";
    const login = await desk.run("verify");
    expect([login.code, login.errors]).to.deep.equal([
      3,
      `verify: this login has no subscription ${other.split("/")[2]}: az account set --subscription NAME\n`,
    ]);
    expect((await desk.run("verify", "--stak", "x")).code).to.equal(2);
    expect((await desk.run("verify", "--help")).out).to.match(/^npm run verify -- \[--stack NAME\] \[--json\]\n/);
  });
});
