import { expect } from "chai";
import { ownKeys } from "../../../infra/config/namespaces.ts";
import { ConfigurationError, parseConfig } from "../../../infra/config/parse.ts";
import { LEAST } from "../../fixtures/stack-configs.ts";

const own = (all: Readonly<Record<string, string>>) => ownKeys(all, "tezos-signer");

describe("the names of a stack's keys", () => {
  it("lose the project's name, and leave out the keys of Pulumi and of the program's packages", () => {
    const others = { "azure-native:location": "westeurope", "pulumi:tags": "{}", "random:x": "y" };
    expect(own({ "tezos-signer:location": "northeurope", ...others })).to.deep.equal({
      config: { location: "northeurope" },
      warnings: [],
    });
  });

  it("are a mistake where the project is mistyped, and the value is judged as it was meant", () => {
    const least = Object.fromEntries(Object.entries(LEAST).map(([key, value]) => [`tezos-signer:${key}`, value]));
    for (const project of ["tezos-singer", "tezos-signers", "Tezos-Signer", "tezos_signer", "tezos", "signer"]) {
      const { config, warnings } = own({ ...least, [`${project}:adminIp`]: "10.0.0.4" });
      expect(warnings, project).to.deep.equal([]);
      expect(() => parseConfig(config, "dev"), project)
        .to.throw(ConfigurationError)
        .with.property("message")
        .that.includes(`  ${project}:adminIp: no such key; did you mean tezos-signer:adminIp?`)
        .and.includes(`    remove it: pulumi config rm ${project}:adminIp`)
        .and.includes("  adminIp: 10.0.0.4 is private");
    }
  });

  it("are mistakes, too, where JavaScript has something by that name", () => {
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      const { config } = own({ ...{ [`tezos-signer:${name}`]: "x" } });
      expect(Object.keys(config)).to.deep.equal([name]);
      expect(() => parseConfig({ ...LEAST, ...config }, "dev"))
        .to.throw(ConfigurationError)
        .with.property("message")
        .that.includes(`  ${name}: no such key; Pulumi.yaml lists them`);
    }
  });

  it("are warned of where nobody reads them, and never repeat a secret", () => {
    const sk = "edsk3gUfUPyBSfrS9CCgmCiQsTCHGkviBDusMxDJstFtojtc1zcpsh";
    const { config, warnings } = own({ "bakery:production": "true", [`x:${sk}`]: "y" });
    expect(config).to.deep.equal({});
    expect(warnings).to.deep.equal([
      "bakery:production is read by nothing here: the stack's own keys begin with tezos-signer:",
      "(it looks like a secret and is not shown) is read by nothing here: the stack's own keys begin with tezos-signer:",
    ]);
  });
});
