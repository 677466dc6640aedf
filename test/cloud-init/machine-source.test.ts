import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { expect } from "chai";
import { readCheckout } from "../../cloud-init/checkout.ts";
import { locate } from "../../cloud-init/locate.ts";
import { machineSource } from "../../cloud-init/machine-source.ts";

const ROOT = resolve(import.meta.dirname, "../..");

describe("source for the machine", () => {
  it("has no types, comments or long names inside, and the same exports", () => {
    const source = "/** A key. */\nexport function twice(value: number): number {\n  return value * 2; // two\n}\n";
    expect(machineSource("a.ts", source)).to.equal("function n(e){return e*2}export{n as twice};\n");
  });

  it("imports no file for its types alone", () => {
    expect(machineSource("a.ts", 'import { type A, b } from "./c.ts";\nb();\n')).to.equal(
      'import{b as m}from"./c.ts";m();\n',
    );
  });

  it("refuses what is no program, naming the file", () => {
    expect(() => machineSource("signer/a.ts", "export const = 1;\n")).to.throw("signer/a.ts:1:13");
  });

  it("runs, each file of the signer, and says its version", () => {
    const folder = mkdtempSync(join(tmpdir(), "machine-source-"));
    for (const [path, source] of readCheckout(ROOT)) {
      if (!path.startsWith("signer/")) continue;
      mkdirSync(join(folder, dirname(path)), { recursive: true });
      writeFileSync(join(folder, path), machineSource(path, source));
    }
    symlinkSync(join(ROOT, "package.json"), join(folder, "package.json"));
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
    const run = (...args: string[]) =>
      execFileSync(process.execPath, [join(folder, "signer/tezos-signer.js"), ...args], { encoding: "utf8" });
    try {
      expect(run("--version")).to.match(/^\d+\.\d+\.\d+\n$/);
      expect(run("serve", "--help")).to.contain("--user-data");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("leads from a place on the machine back into the checkout", () => {
    const source = "export function fail(reason: string) {\n  const text = reason;\n  throw new Error(text);\n}\n";
    const column = machineSource("signer/a.ts", source).indexOf("throw") + 1;
    expect(locate(`    at fail (/opt/tezos-signer/signer/a.ts:1:${column})`, () => source)).to.equal("signer/a.ts:3:3");
  });
});
