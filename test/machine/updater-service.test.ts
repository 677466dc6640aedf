import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
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

describe("a restart of the service for another release", () => {
  let folder: string;
  let asked: string[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "restart-"));
    asked = [];
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  const SOCKET = "[Socket]\nListenStream=0.0.0.0:6732\n";
  const UNITS = { "tezos-signer.socket": SOCKET, "tezos-signer.service": "[Service]\n" };

  /** A release that has these units. */
  function release(name: string, units: Readonly<Record<string, string>>): string {
    const place = join(folder, name);
    const into = join(place, "machine/files/etc/systemd/system");
    mkdirSync(into, { recursive: true });
    for (const [unit, text] of Object.entries(units)) writeFileSync(join(into, unit), text);
    return place;
  }

  /** What systemctl is asked for. @param status of every call */
  function restarted(place: string, before?: string, status = 0): boolean {
    const service = new Service((_, ...words) => {
      asked.push(words.join(" "));
      return { status, output: "" };
    });
    return service.restart(place, before);
  }

  it("never stops it first, so that no waiting request starts the one before, whatever comments its socket has", () => {
    const before = release("one", { ...UNITS, "tezos-signer.socket": `# Another comment.\n\n${SOCKET}` });
    expect(restarted(release("two", UNITS), before)).to.equal(true);
    expect(asked).to.deep.equal(["daemon-reload", "start tezos-signer.socket", "restart tezos-signer.service"]);
  });

  it("closes a socket only where it is another one, and opens it at once", () => {
    const before = release("one", { ...UNITS, "tezos-signer.socket": `${SOCKET}Backlog=10\n` });
    restarted(release("two", UNITS), before);
    expect(asked).to.deep.equal([
      "daemon-reload",
      "stop tezos-signer.socket tezos-signer.service",
      "restart tezos-signer.socket",
      "start tezos-signer.socket",
      "restart tezos-signer.service",
    ]);
  });

  it("starts what the release brings anew and stops what it has no more, and waits for neither", () => {
    const wanted = "[Install]\nWantedBy=multi-user.target\n";
    const before = release("one", { ...UNITS, "old.service": wanted, "both.service": wanted });
    restarted(release("two", { ...UNITS, "new.service": wanted, "both.service": wanted, "asked.service": "" }), before);
    expect(asked.slice(3)).to.deep.equal(["stop --no-block old.service", "start --no-block new.service"]);
  });

  it("starts nothing beside it for the first release, whose machine starts it at the boot", () => {
    restarted(release("one", { ...UNITS, "new.service": "[Install]\nWantedBy=multi-user.target\n" }));
    expect(asked).to.deep.equal(["daemon-reload", "start tezos-signer.socket", "restart tezos-signer.service"]);
  });

  it("says so where it is not alive", () => {
    expect(restarted(release("one", UNITS), undefined, 1)).to.equal(false);
  });
});
