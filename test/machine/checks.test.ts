import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { faultOf } from "../../machine/updater/checks.ts";
import type { Ended } from "../../machine/updater/command.ts";

const FINE: Ended = { status: 0, output: "" };

describe("a release's machine files, judged before they are in force", () => {
  let root: string;
  let asked: string[] = [];
  const place = () => join(root, "release");
  const units = () => join(root, "units");

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "checks-"));
    for (const folder of ["release/machine/bin", "release/machine/files/etc/systemd/system", "units"]) {
      mkdirSync(join(root, folder), { recursive: true });
    }
    for (const program of ["apply", "watch"]) writeFileSync(join(place(), "machine/bin", program), "#!/bin/sh\n");
    writeFileSync(join(place(), "machine/files/etc/systemd/system/tezos-signer.service"), "[Service]\n");
    writeFileSync(join(place(), "machine/files/etc/systemd/system/tezos-signer.socket"), "[Socket]\n");
    for (const file of [
      "systemd/system/tezos-signer-updater.service",
      "tezos-signer/firewall.nft",
      "sudoers.d/10-tezos-signer",
    ]) {
      mkdirSync(dirname(join(place(), "machine/files/etc", file)), { recursive: true });
      writeFileSync(join(place(), "machine/files/etc", file), "");
    }
  });
  afterEach(() => rmSync(root, { recursive: true }));

  /** Judges them where one command, by its beginning, ends otherwise. */
  function fault(command = "none", ended: Ended = FINE): string | undefined {
    asked = [];
    return faultOf(place(), units(), (...words: string[]) => {
      const line = words.join(" ").replaceAll(`${root}/`, "");
      asked.push(line);
      if (line.startsWith(command)) return ended;
      return line.includes("LoadState") ? { status: 0, output: "loaded" } : FINE;
    });
  }

  it("are taken where each program of the machine takes what is its own", () => {
    expect(fault()).to.equal(undefined);
    expect(asked).to.include.members([
      "release/node/bin/node release/machine/updater/main.ts --self-test",
      "bash -n release/machine/bin/apply",
      "bash -n release/machine/bin/watch",
      "nft --check --file release/machine/files/etc/tezos-signer/firewall.nft",
      "visudo --check --quiet --file release/machine/files/etc/sudoers.d/10-tezos-signer",
      "systemctl show --value --property LoadState tezos-signer-check-tezos-signer.service",
      "systemctl show --value --property LoadState tezos-signer-check-tezos-signer.socket",
    ]);
  });

  for (const [command, output, sentence] of [
    ["release/node/bin/node", "x\nError: no such module\n  at y", "its updater: Error: no such module"],
    [
      "bash -n release/machine/bin/watch",
      "watch: line 3: syntax error",
      "machine/bin/watch: watch: line 3: syntax error",
    ],
    ["nft", "firewall.nft:4:2: Error: no such rule", "its firewall: firewall.nft:4:2: Error: no such rule"],
    ["visudo", "10-tezos-signer:2: syntax error", "its sudo's rules: 10-tezos-signer:2: syntax error"],
  ] as const) {
    it(`are refused by ${command.split(" ")[0]}, in its own words`, () => {
      expect(fault(command, { status: 1, output })).to.equal(sentence);
    });
  }

  it("are judged by nobody in place of a program that the machine lacks", () => {
    for (const program of ["nft", "visudo"])
      expect(fault(program, { status: null, output: "ENOENT" })).to.equal(undefined);
  });

  it("are tried by systemd as they are, under other names, of which none is left, whatever it says", () => {
    const seen: Record<string, string> = {};
    const run = (...words: string[]): Ended => {
      if (words[1] === "daemon-reload") {
        for (const name of readdirSync(units())) seen[name] = readFileSync(join(units(), name), "utf8");
      }
      return words.includes("LoadState") ? { status: 0, output: "bad-setting" } : FINE;
    };
    expect(faultOf(place(), units(), run)).to.match(
      /^systemd does not take tezos-signer(-updater)?\.(service|socket): bad-setting$/,
    );
    expect(seen).to.deep.equal({
      "tezos-signer-check-tezos-signer-updater.service": "",
      "tezos-signer-check-tezos-signer.service": "[Service]\n",
      "tezos-signer-check-tezos-signer.socket": "[Socket]\n",
    });
    expect(readdirSync(units())).to.deep.equal([]);
    expect(existsSync(join(units(), "tezos-signer.service"))).to.equal(false);
    expect(fault()).to.equal(undefined);
    expect(readdirSync(units())).to.deep.equal([]);
    expect(asked.at(-1)).to.equal("systemctl daemon-reload");
  });
});
