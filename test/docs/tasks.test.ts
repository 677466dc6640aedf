import { readFileSync } from "node:fs";
import { expect } from "chai";
import { parse } from "yaml";
import { parseConfig } from "../../infra/config/parse.ts";
import { OPERATION_KINDS } from "../../signer/tezos/payload/operation.ts";
import { LEAST } from "../fixtures/stack-configs.ts";

const page = readFileSync(new URL("../../docs/tasks.md", import.meta.url), "utf8");

/** What the page sets by `pulumi config set KEY 'JSON'`, or a plain word. */
const set = [...page.matchAll(/pulumi config set (\w+) (?:'([^']+)'|([\w.,]+))/g)].map(
  ([, key = "", json, word = ""]) => ({ key, value: json ?? word }),
);

describe("docs/tasks.md", () => {
  it("sets nothing that the stack would not take", () => {
    expect(set.length).to.be.greaterThan(10);
    for (const { key, value } of set) {
      expect(() => parseConfig({ ...LEAST, [key]: value }, "dev"), `${key} ${value}`).not.to.throw();
    }
  });

  it("names a kind for each task that is one of the protocol's operations", () => {
    const kinds = set.filter(({ key }) => key === "confirm").flatMap(({ value }) => JSON.parse(value) as string[]);
    for (const kind of kinds) expect(OPERATION_KINDS).to.include(kind);
    expect(kinds).to.include.members([
      "ballot",
      "proposals",
      "stake",
      "unstake",
      "set_delegate_parameters",
      "update_consensus_key",
    ]);
  });

  it("shows settings of a file that the signer takes", async () => {
    const { policySchema } = await import("../../signer/settings/schema.ts");
    const [, yaml = ""] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
    expect(policySchema.safeParse(parse(yaml).policy).success).to.equal(true);
  });
});
