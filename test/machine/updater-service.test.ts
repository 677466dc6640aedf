import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Service } from "../../machine/updater/service.ts";

const RELEASE = "ab".repeat(32);

describe("what the updater sees of the service", () => {
  let proc: string;

  beforeEach(() => {
    proc = mkdtempSync(join(tmpdir(), "proc-"));
    mkdirSync(join(proc, "101"));
  });

  afterEach(() => rmSync(proc, { recursive: true }));

  /** @param states what systemd says one after the other; the last one stays */
  function service(states: [subState: string, pid: string, cwd: string][]): Service {
    const run = (_program: string, ...args: readonly string[]) => {
      const [subState, pid, cwd] = states[0] ?? ["dead", "0", "/"];
      if (args.includes("MainPID")) return { status: 0, output: pid };
      rmSync(join(proc, "101/cwd"), { force: true });
      symlinkSync(cwd, join(proc, "101/cwd"));
      if (states.length > 1) states.shift();
      return { status: 0, output: subState };
    };
    const seen = new Service(run, undefined, proc);
    seen.pause = async () => undefined;
    return seen;
  }

  const place = `/opt/tezos-signer/releases/${RELEASE}`;

  it("is the release of a process that systemd starts again after a crash, once it is the program", async () => {
    const seen = service([
      ["auto-restart", "0", "/"],
      ["start", "101", "/"],
      ["start", "101", "/"],
      ["start-post", "101", place],
    ]);
    expect(await seen.settledRelease()).to.equal(RELEASE);
  });

  it("is no release where the service is stopped, or never gets to be the program", async () => {
    expect(await service([["dead", "0", "/"]]).settledRelease()).to.equal(undefined);
    expect(await service([["auto-restart", "0", "/"]]).settledRelease()).to.equal(undefined);
  });
});
