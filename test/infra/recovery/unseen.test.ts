import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { examine, told } from "../../../infra/recovery/recover.ts";
import type { Operation, StateExport, StateResource } from "../../../infra/recovery/state.ts";

const GROUP = "/subscriptions/5ba1d2f0-0c6e-4f0e-9a43-cf2c2e6f1a11/resourceGroups/tezos-signer-dev";

function resource(name: string, id: string): StateResource {
  const type = `azure-native:x:${name}`;
  return { urn: `urn:pulumi:dev::tezos-signer::${type}::${name}`, type, id: GROUP + id, inputs: { tags: {} } };
}

const [group, identity, machine] = [resource("group", ""), resource("identity", "/i"), resource("machine", "/m")];

describe("a recovery by somebody whom Azure does not show the subscription", () => {
  /** Examines a stack whose machine was being deleted. @param seen what Azure has of it, for this login */
  async function examined(seen: readonly StateResource[]): Promise<string[]> {
    const operation: Operation = { type: "deleting", resource: machine };
    const state: StateExport = {
      version: 3,
      deployment: { resources: [group, identity, machine], pending_operations: [operation] },
    };
    const folder = mkdtempSync(join(tmpdir(), "unseen-"));
    const file = (name: string, content: unknown) => writeFileSync(join(folder, name), JSON.stringify(content));
    try {
      file("state.json", state);
      file("seen.json", { version: 3, deployment: { resources: seen } });
      const script = `case "$*" in
        "stack export --file"*) cat ${folder}/seen.json >"$4";;
        "stack export"*) cat ${folder}/state.json;;
        esac`;
      writeFileSync(join(folder, "pulumi"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      return told(await examine({ cwd: folder, env: { PATH: `${folder}:${process.env.PATH}` } }));
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  it("takes nothing for gone, and says which login it takes", async () => {
    const said = await examined([]).catch(({ message }: Error) => message);
    expect(said)
      .to.include(`not even ${identity.id}: nothing was changed`)
      .and.to.include("az account set --subscription 5ba1d2f0-0c6e-4f0e-9a43-cf2c2e6f1a11");
  });

  it("is one like any other where Azure shows the rest of the stack", async () => {
    expect(await examined([identity])).to.deep.equal([
      "  machine was being deleted, and is gone: Pulumi is told, with all that stood in it",
    ]);
  });
});
