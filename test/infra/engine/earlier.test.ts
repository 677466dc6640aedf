import { expect } from "chai";
import { Cloud } from "../../emulators/azure-resource-manager/cloud.ts";
import { earlierStack } from "../../emulators/azure-resource-manager/earlier-stack.ts";
import { Engine, pulumiFolder } from "../../emulators/azure-resource-manager/engine.ts";
import { text } from "../../emulators/azure-resource-manager/properties.ts";
import { requires } from "../../harness/requires.ts";
import {
  all,
  BLOB,
  kept,
  MACHINE,
  MACHINE_REPLACED,
  NO_CLI,
  OWN_FIGURES,
  program,
  released,
  requests,
  told,
} from "../stack.ts";

/** What waits for the signer, and what it is a part of. */
const WAIT = ["readiness", "await-ready"];

const FIREWALL = "azure-native:network:NetworkSecurityGroup";

for (const kind of ["throw-away", "production"] as const) {
  // The production one has monitoring, which brings the signer's own figures since.
  const figures = kind === "production" ? OWN_FIGURES : [];

  describe(`a ${kind} stack that version 0.1.0 made`, function () {
    this.timeout(300_000);

    it("comes over: one replacement of the machine, the releases added, the firewall closed, the rest as it was", async function () {
      const folder = pulumiFolder();
      requires(this, folder !== undefined, NO_CLI);
      const cloud = new Cloud();
      const engine = await Engine.start(cloud, folder ?? "");
      try {
        const stack = await earlierStack("0.1.0", kind, cloud, engine, program());
        if (kind === "production") {
          const { failed, messages } = await stack.preview();
          expect(failed).to.equal(true);
          expect(messages).to.include("authorizedKeys: is missing");
          await stack.configure({ authorizedKeys: "none" });
        }
        expect(Object.keys(await stack.refresh())).to.deep.equal(["same"]);
        const before = kept(cloud);
        const machines = cloud.ofType(MACHINE).map(({ outputs }) => text(outputs, "vmId"));

        const { operations, failed, messages, outputs } = await stack.up();
        expect(failed, messages).to.equal(false);
        const added = [
          "tezos-signer",
          "releases",
          "release-account",
          "release-container",
          "release-role",
          released("first"),
          ...WAIT,
          ...figures,
        ];
        const machine = MACHINE_REPLACED.filter((operation) => !operation.endsWith("await-ready"));
        expect(operations).to.have.members([...all("create", added), ...machine, "update firewall"]);
        expect(outputs).to.include({ version: "0.2.0", vmName: "signer" });

        // Vault, key, table, address, identity and all else but the firewall: the same ids, and the same in them.
        const after = kept(cloud);
        const [firewall] = cloud.ofType(FIREWALL);
        expect(Object.keys(after)).to.include(firewall?.id);
        const { [firewall?.id ?? ""]: _, ...same } = before;
        expect(after).to.deep.include(same);
        expect(machines).not.to.include(text(cloud.ofType(MACHINE)[0]?.outputs, "vmId"));
        expect(told(cloud).release.url).to.equal(text(cloud.ofType(BLOB)[0]?.outputs, "url"));

        expect((await stack.up()).operations).to.deep.equal([]);
      } finally {
        engine.close();
      }
    });
  });

  describe(`a ${kind} stack of 0.2.0 from before there was the component`, function () {
    this.timeout(300_000);

    it("gets the component, which is nothing in Azure, the wait for the signer and, with monitoring, its figures, and no more; nor does the next up", async function () {
      const folder = pulumiFolder();
      requires(this, folder !== undefined, NO_CLI);
      const cloud = new Cloud();
      const engine = await Engine.start(cloud, folder ?? "");
      try {
        const stack = await earlierStack("0.2.0", kind, cloud, engine, program());
        // Asked of a production stack since then; it changes nothing of what the machine is told.
        if (kind === "production") await stack.configure({ authorizedKeys: "none" });
        const changed = figures.length === 0 ? [] : ["update firewall", "update machine"];
        const added = [...all("create", ["tezos-signer", ...WAIT, ...figures]), ...changed];
        expect((await stack.preview()).operations).to.have.members(added);
        const { operations, failed, messages } = await stack.up();
        expect(failed, messages).to.equal(false);
        expect(operations).to.have.members(added);
        expect((await stack.up()).operations).to.deep.equal([]);
        const asked = added.filter((each) => !/ (?:tezos-signer|readiness|figures)$/.test(each));
        expect(requests(cloud)).to.have.members(asked);
      } finally {
        engine.close();
      }
    });
  });
}
