import { readFileSync } from "node:fs";
import { expect } from "chai";
import { RETURN_CODES } from "../../../../signer/keys/pkcs11/codes.ts";
import { faultOfCode, TOKEN_FAULTS } from "../../../../signer/keys/pkcs11/fault.ts";
import { IN_CHECKOUT, PROGRAM } from "../../../../signer/own-command.ts";

describe("kinds of token faults", () => {
  it("are exactly those of docs/hsm.md, each with its remedy", () => {
    const page = readFileSync(new URL("../../../../docs/hsm.md", import.meta.url), "utf8");
    const listed = [...page.matchAll(/^\| ([a-z-]+) \| (yes|no) \| .+? \| (.+?) \|$/gm)].map(([, ...row]) => row);
    const known = Object.entries(TOKEN_FAULTS).map(([kind, { reconnects, remedy }]) => [
      kind,
      reconnects ? "yes" : "no",
      remedy.replace(IN_CHECKOUT, PROGRAM),
    ]);
    expect(listed).to.deep.equal(known);
  });

  it("name a code as the standard does, and take whatever is not known for the device's", () => {
    expect(faultOfCode("C_Sign", 0x32).message).to.equal("The token answered CKR_DEVICE_REMOVED to C_Sign.");
    const unknown = faultOfCode("C_Sign", 0x80000001);
    expect([unknown.kind, unknown.message]).to.deep.equal([
      "device",
      "The token answered return code 0x80000001 to C_Sign.",
    ]);
  });

  it("try no PIN again, whatever the token has against it", () => {
    for (const [name, code] of Object.entries(RETURN_CODES).filter(([name]) => /PIN/.test(name))) {
      expect(faultOfCode("C_Login", code).reconnects, name).to.equal(false);
    }
  });
});
