import { expect } from "chai";
import { readStackFile } from "../../../infra/plan/stack-file.ts";

const read = (config: string) => readStackFile(`config:\n${config}`, "tezos-signer");

describe("a stack's file, read without Pulumi", () => {
  it("gives text as it is, nothing as an empty text, and everything else as JSON", () => {
    expect(read("  tezos-signer:a: x\n  tezos-signer:b:\n  tezos-signer:c: [1]\n  azure-native:d: true")).to.deep.equal(
      {
        "tezos-signer:a": "x",
        "tezos-signer:b": "",
        "tezos-signer:c": "[1]",
        "azure-native:d": "true",
      },
    );
    for (const text of ["", "encryptionsalt: v1:x", "config:"]) {
      expect(readStackFile(text, "tezos-signer"), text).to.deep.equal({});
    }
  });

  it("takes a key without a project for the stack's own, as Pulumi does", () => {
    expect(read("  monitoring: true")).to.deep.equal({ "tezos-signer:monitoring": "true" });
  });

  it("is refused where a key is there with the project's name and without: Pulumi would take either", () => {
    expect(() => read("  monitoring: true\n  tezos-signer:monitoring: false")).to.throw(
      "holds tezos-signer:monitoring twice, with the project's name and without: remove one",
    );
  });

  it("is refused where a value of its own is encrypted, since only Pulumi could read it", () => {
    for (const name of ["tezos-signer:bakerIp", "bakerIp"]) {
      expect(() => read(`  ${name}:\n    secure: v1:abc`)).to.throw(/^holds tezos-signer:bakerIp encrypted/);
    }
    expect(read("  azure-native:clientSecret:\n    secure: v1:abc")).to.deep.equal({});
  });

  it("is refused in a line that repeats no private key where it is no YAML", () => {
    const sk = "edsk3gUfUPyBSfrS9CCgmCiQsTCHGkviBDusMxDJstFtojtc1zcpsh";
    for (const value of [`!${sk} x`, `|${sk}`, `*${sk}`, `{ ${sk}`]) {
      expect(() => read(`  tezos-signer:bakerIp: ${value}`), value)
        .to.throw(/^is no YAML: [^\n]+$/)
        .with.property("message")
        .that.does.not.include("edsk3");
    }
  });
});
