import { expect } from "chai";
import { ConfigurationError, parseConfig } from "../../../infra/config/parse.ts";
import { LEAST } from "../../fixtures/stack-configs.ts";

describe("a stack's name", () => {
  for (const name of ["dev", "mainnet-2", "Main.net_2", "x".repeat(77)]) {
    it(`may be ${name}`, () => {
      expect(parseConfig(LEAST, name).stack).to.equal(name);
    });
  }

  for (const [name, reason] of [
    ["x".repeat(78), "has 78 characters; the resource group is tezos-signer-NAME, and Azure takes 77 after that"],
    ["mainnet.", "names the resource group, and Azure takes no period at its end"],
    ["main net", "names the resource group, and Azure takes letters, digits, _, -, ., ( and ) in that"],
    ["org/project/dev", "names the resource group, and Azure takes letters, digits, _, -, ., ( and ) in that"],
    ["", "is empty; the resource group is named by it"],
  ] as const) {
    it(`is refused at once where it is ${name === "" ? "empty" : name}, beside every other mistake`, () => {
      expect(() => parseConfig({ ...LEAST, vmSize: "Tiny" }, name))
        .to.throw(ConfigurationError)
        .with.property("message")
        .that.matches(/has 2 mistakes/)
        .and.includes(`: ${reason}\n    for example: pulumi stack rename mainnet\n`);
    });
  }
});
