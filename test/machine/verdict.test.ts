import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Ended } from "../../machine/updater/command.ts";
import { type Outcome, Trial } from "../../machine/updater/trial.ts";

const NAME = "tezos-signer-try.service";
const SERVICE = "[Service]\nExecStart=/opt/tezos-signer/current/node signer serve --user-data\n\n[Install]\n";

describe("the trial of a release", () => {
  let root: string;
  let asked: string[] = [];
  /** Whether the operator's additions held for the trial. */
  let added = false;
  const units = () => join(root, "run/systemd/system");

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "trial-"));
    for (const folder of ["release/machine/bin", "release/machine/files/etc/systemd/system"]) {
      mkdirSync(join(root, folder), { recursive: true });
    }
    writeFileSync(join(root, "release/machine/files/etc/systemd/system/tezos-signer.service"), SERVICE);
  });
  afterEach(() => rmSync(root, { recursive: true }));

  /** Tries the release where systemd shows this of the unit and the signer has said that. */
  function tried(
    shown: string,
    said: { readonly report?: string; readonly journal?: string; status?: number } = {},
  ): Outcome {
    asked = [];
    added = false;
    const run = (...words: string[]): Ended => {
      asked.push(words.join(" "));
      if (words.includes("LoadState")) return { status: 0, output: "loaded" };
      if (words.includes("start")) {
        added = existsSync(join(units(), `${NAME}.d`, "own.conf"));
        if (said.report !== undefined) writeFileSync(join(root, "run/tezos-signer-trial.json"), said.report);
        return { status: said.status ?? 0, output: "" };
      }
      if (words.includes("ExecMainStatus")) return { status: 0, output: shown };
      return { status: 0, output: words[0] === "journalctl" ? (said.journal ?? "") : "" };
    };
    return new Trial(run, root, "/opt/tezos-signer/current").of(join(root, "release"), 60);
  }

  it("finds it ready where the signer has ended well, and leaves nothing behind", () => {
    expect(tried("Result=success\nExecMainStatus=0")).to.deep.equal({ verdict: "ready" });
    expect(readdirSync(units())).to.deep.equal([]);
    expect(readdirSync(join(root, "run"))).to.deep.equal(["systemd"]);
  });

  it("does not take a unit that systemd has not run at all for a success", () => {
    const started = "Result=success\nExecMainStatus=";
    expect(tried(started)).to.deep.include({ verdict: "broken" });
    expect(tried("Result=success\nExecMainStatus=0", { status: 1 })).to.deep.include({ verdict: "broken" });
  });

  it("finds that it waits, for the reasons that it gives, where vault or table are away", () => {
    const shown = "Result=exit-code\nExecMainStatus=11"; // `unavailable` of signer/cli/exit-codes.ts
    expect(tried(shown, { report: '{"reasons":["The vault is away.","So is the table."]}' })).to.deep.equal({
      verdict: "waiting",
      reason: "The vault is away. So is the table.",
    });
    expect(tried(shown)).to.deep.equal({ verdict: "waiting", reason: "it does not say why" });
  });

  it("finds it broken, in its own words, and for good but where memory or time were short", () => {
    const journal = 'Starting x\n{"level":30}\nThe settings have a mistake.\nFailed to start x';
    expect(tried("Result=exit-code\nExecMainStatus=2", { status: 1, journal })).to.deep.equal({
      verdict: "broken",
      reason: "exit status 2: The settings have a mistake.",
    });
    for (const [result, how] of [
      ["oom-kill", "too much memory"],
      ["timeout", "it took too long"],
    ]) {
      expect(tried(`Result=${result}\nExecMainStatus=9`, { status: 1 })).to.deep.equal({
        verdict: "broken",
        reason: `${how}: `,
        passing: true,
      });
    }
  });

  it("ends one that a killed updater has left, before it begins", () => {
    tried("Result=success\nExecMainStatus=0");
    const stop = asked.indexOf(`systemctl stop ${NAME}`);
    expect(stop).to.be.within(0, asked.indexOf(`systemctl start ${NAME}`));
  });

  it("has what the operator added to the service", () => {
    const folder = join(root, "etc/systemd/system/tezos-signer.service.d");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "own.conf"), "[Service]\n");
    expect(tried("Result=success\nExecMainStatus=0")).to.deep.equal({ verdict: "ready" });
    expect(added).to.equal(true);
    expect(readFileSync(join(folder, "own.conf"), "utf8")).to.equal("[Service]\n");
    expect(readdirSync(units())).to.deep.equal([]);
  });
});
