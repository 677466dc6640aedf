import { globSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { Az } from "../../emulators/azure-resource-manager/az.ts";
import { RECOVERY_KILLS, run, type ScriptKill } from "../killed-recovery.ts";
import { cutOff, recover } from "../recovered.ts";
import { MACHINE, requests } from "../stack.ts";
import { story } from "../story.ts";

const IMAGE = "Canonical:ubuntu-26_04-lts:server:latest";
const UP = ["infra/up.ts"];
const RECOVER = ["infra/recovery/main.ts"]; // npm run recover

/** What docs/change.md shows of the way back: what each command printed, in order. */
const SHOWN = [
  ...(/^```\n(\$ npm run up\n[\s\S]*?)^```$/m
    .exec(readFileSync(resolve(import.meta.dirname, "../../../docs/change.md"), "utf8"))?.[1]
    ?.matchAll(/^\$ (.+)\n((?:(?!\$ ).*\n)*)/gm) ?? []),
].map(([, command = "", output = ""]) => ({ command, output }));

describe("a production stack that is cut off again and again, one story whose tests follow on each other", function () {
  this.timeout(600_000);
  const signer = story({ name: "mainnet" });
  const { cloud } = signer;

  const copies = () => globSync(join(signer.stack.surroundings.cwd, "before-recovery-mainnet-*.json"));
  const cutOffAtNewMachine = async (image: string | null) => {
    await signer.stack.configure({ image });
    await cutOff(cloud, { when: "after", method: "create", name: "machine" }, () => signer.stack.up());
  };
  /** By Pulumi's own means and the portal's, as somebody does who has not read the page. */
  const withoutThePage = async () => {
    await signer.stack.stack.cancel();
    new Az(cloud).run(["vm", "delete", "--ids", cloud.ofType(MACHINE)[0]?.id ?? "", "--yes"]);
  };

  it("says what docs/change.md shows: npm run up what was begun, npm run recover what became of it", async () => {
    await cutOffAtNewMachine(IMAGE);
    expect(SHOWN.map(({ command }) => command)).to.deep.equal([
      ...["npm run up", "npm run recover", "npm run recover -- --yes", "npm run up"],
    ]);
    expect((await run(signer.stack, UP)).output).to.equal(SHOWN[0]?.output);
    expect((await run(signer.stack, RECOVER)).output).to.equal(SHOWN[1]?.output);
  });

  it("is recovered, however often npm run recover is killed at any of the commands that it runs", async () => {
    const { machines } = signer;
    const kills = process.env.STACK_CAMPAIGN === "all" ? RECOVERY_KILLS : RECOVERY_KILLS.filter(isWriting);
    for (const kill of kills) {
      const { code, output } = await run(signer.stack, [...RECOVER, "--yes"], kill);
      expect(code, `${kill.when} ${kill.words}: ${output}`).to.equal(undefined);
    }
    const last = await run(signer.stack, [...RECOVER, "--yes"]);
    expect(last.code, last.output).to.equal(0);
    expect(requests(cloud).filter((request) => !request.startsWith("read "))).to.deep.equal([]);
    for (const file of copies()) {
      expect(statSync(file).mode & 0o777, file).to.equal(0o600);
      expect(JSON.parse(readFileSync(file, "utf8")).deployment.pending_operations, file).to.have.length(1);
    }
    let said = "";
    await signer.stack.stack.up({ color: "never", onOutput: (text) => (said += text) });
    const resources = /Resources:\n(?: {4}.+\n)+/;
    expect(resources.exec(said)?.[0], said).to.equal(resources.exec(SHOWN[3]?.output ?? "")?.[0]);
    expect(signer.machines).to.deep.equal(machines);
  });

  it("keeps a machine that was made since by other means, whatever Pulumi goes on to remember as begun", async () => {
    await cutOffAtNewMachine(null);
    await withoutThePage();
    await signer.stack.configure({ image: IMAGE });
    expect((await signer.stack.up()).failed).to.equal(false);
    const { machines } = signer;
    expect((await run(signer.stack, UP)).output).to.include("an earlier command was cut off (creating machine)");
    expect(await recover(signer.stack)).to.deep.equal([
      "  machine was being made, and was made since: it stays as Pulumi remembers it",
    ]);
    await signer.done();
    expect(signer.machines).to.deep.equal(machines);
  });

  it("takes in the machine of the last of two that were cut off, and not as the first was to be", async () => {
    await cutOffAtNewMachine(null);
    await withoutThePage();
    await cutOffAtNewMachine(IMAGE);
    const { machines } = signer;
    const { output } = await run(signer.stack, [...RECOVER, "--yes"]);
    const placed = (text = "") => text.replace(/\S+before-recovery-mainnet-[-\dTZ]+\.json/, "FILE");
    expect(placed(output)).to.equal(placed(SHOWN[2]?.output));
    await signer.done();
    expect(signer.machines).to.deep.equal(machines);
  });
});

/** What may leave something behind. */
function isWriting({ when, words, nth }: ScriptKill): boolean {
  return when === "after" && (words === "refresh" || words === "cancel" || nth === 2);
}
