import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { connect, type Machine } from "./machine.ts";
import { type Variant, variant } from "./variants.ts";
import { THROW_AWAY, World } from "./world.ts";

/**
 * The updater killed in the middle of an upgrade, then the power and the network gone: the machine always starts one
 * whole release, and goes on to the one that is wanted once it can. BOOT_KILLS=all tries every point; a number that many,
 * spread evenly.
 */
const KILLS = process.env.BOOT_KILLS ?? "2";
/** What changes names or makes them durable. */
const CALLS = [
  "rename",
  "renameat",
  "renameat2",
  "symlink",
  "symlinkat",
  "link",
  "linkat",
  "fsync",
  "fdatasync",
  "sync",
  "syncfs",
];
/** Deleting a release is thousands of these: the first is a point, and each 2,000th. */
const DELETIONS = ["unlink", "unlinkat"];

describe("an updater that is killed", () => {
  let world: World;
  let machine: Machine;
  let other: Variant;
  let level = 100_000;
  let wanted: Variant;

  before(async () => {
    world = await World.get();
    other = await variant(world.release.content, "0.2.9", { "signer/main.ts": (text) => `${text}\n// Another one.\n` });
    await world.publish(other);
    wanted = world.release;
    configure();
    machine = world.machine({ watch: 2 });
    machine.start();
    await world.signature(machine, level);
  });

  after(async () => {
    await machine.remove();
    await world.calm();
  });

  function configure(): void {
    world.configure({ watermarks: THROW_AWAY }, { release: wanted });
  }

  const updaterState = () => JSON.parse(machine.read("/var/lib/tezos-signer-updater/state.json"));
  const inUse = async () => (await machine.output("readlink /opt/tezos-signer/current")).replace("releases/", "");
  const settled = () =>
    machine.until("the wanted release", 150, async () => {
      const { step, running } = updaterState();
      return (step === "done" && running?.sha256 === wanted.sha256 && (await inUse()) === wanted.sha256) || undefined;
    });

  /** The machine as it must be after any end: started from its disk, one signer, of a whole release. */
  async function startsFromDisk(): Promise<void> {
    await machine.cutPower();
    connect(false);
    machine.start();
    await machine.until(
      "a signer",
      60,
      async () =>
        (await machine.output("curl -s --max-time 2 http://127.0.0.1:9583/healthz")) === '{"alive":true}' || undefined,
    );
    const release = await inUse();
    expect([world.release.sha256, other.sha256]).to.include(release);
    const { release: running } = JSON.parse(await machine.output("curl -s http://127.0.0.1:9583/status"));
    expect(running.sha256).to.equal(release);
    // The first letter in brackets, so that the shell that was told the pattern is not found by it.
    const signers = await machine.output("pgrep --full '[t]ezos-signer.js serve'");
    expect(signers, await machine.output("ps -e --forest -o pid,ppid,stat,args")).to.match(/^\d+$/);
    expect(
      await machine.output(
        `cd /opt/tezos-signer/current && grep -v '  archives/' MANIFEST | sha256sum --check --quiet`,
      ),
    ).to.equal("");
    connect(true);
    await world.signature(machine, ++level, 120);
    await settled();
  }

  /**
   * Has the other release wanted from now on, and forgets all of it first, so that each upgrade begins with the fetching.
   * @param meanwhile is done between the two, while the updater rests
   */
  async function setOut(meanwhile: (updater: number) => unknown = () => undefined): Promise<void> {
    wanted = wanted === other ? world.release : other;
    await machine.run(`rm -rf /opt/tezos-signer/releases/${wanted.sha256} /opt/tezos-signer/previous`);
    await meanwhile(await rested());
    configure();
  }

  /** The updater's process, once it is that of the release in use: after a switch it is started anew. */
  async function rested(): Promise<number> {
    for (let last: number | undefined; ; ) {
      const pid = await machine.until("the updater", 20, () => machine.processOf("tezos-signer-updater"));
      if (pid === last) return pid;
      last = pid;
      await sleep(4_000);
    }
  }

  /** Follows the updater's system calls; each is held for a moment, so that whoever is told of one is in time. */
  async function follow(pid: number, onCall: (line: string) => void): Promise<() => void> {
    const inject = `inject=${CALLS.join(",")}:delay_exit=60000`;
    const traced = [...CALLS, ...DELETIONS].join(",");
    const tracer = spawn(
      "strace",
      ["--follow-forks", "--quiet=all", "-e", `trace=${traced}`, "-e", inject, "--attach", String(pid)],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    let deletions = 0;
    createInterface(tracer.stderr).on("line", (line) => {
      if (!/ = 0$| = 0 \(DELAYED\)$/.test(line)) return;
      if (DELETIONS.some((call) => line.includes(`${call}(`)) && deletions++ % 2_000 > 0) return;
      onCall(line);
    });
    await sleep(300);
    return () => tracer.kill("SIGTERM");
  }

  /** Ends the updater and all that it has started, at once. */
  function killAll(pid: number): void {
    const tree = [pid];
    for (const each of tree) tree.push(...childrenOf(each));
    for (const each of tree) {
      try {
        process.kill(each, "SIGKILL");
      } catch {
        // It has ended already.
      }
    }
  }

  it("leaves a machine that starts one whole release, whatever call was the last", async () => {
    const calls: string[] = [];
    let unfollow = () => undefined as unknown;
    await setOut(async (updater) => {
      unfollow = await follow(updater, (line) => calls.push(line));
    });
    await settled();
    unfollow();
    console.log(`      ${calls.length} calls of an upgrade change names or make them durable`);
    expect(calls.length).to.be.above(15);
    const count = KILLS === "all" ? calls.length : Number(KILLS);
    const points = Array.from({ length: count }, (_, index) => Math.floor((index * calls.length) / count) + 1);
    for (const point of points) {
      let seen = 0;
      let last = "";
      await setOut(async (updater) => {
        unfollow = await follow(updater, (line) => {
          seen += 1;
          if (seen !== point) return;
          last = line;
          killAll(updater);
        });
      });
      await machine
        .until(`call ${point}`, 150, () => last !== "" || undefined)
        .catch(() => console.log(`      call ${point} did not come: ${seen} of ${calls.length}`));
      unfollow();
      await startsFromDisk();
    }
  }).timeout(7_200_000);

  it("leaves a machine that starts one whole release, at any moment", async () => {
    const count = KILLS === "all" ? 100 : Number(KILLS);
    for (let index = 0; index < count; index++) {
      let pid = 0;
      await setOut((updater) => {
        pid = updater;
      });
      const moment = Math.round(Math.random() * 18_000);
      await sleep(moment);
      const { step } = updaterState();
      killAll(pid);
      await startsFromDisk();
      console.log(`      ${index + 1} of ${count}: killed after ${moment} ms, in the step "${step}"`);
    }
  }).timeout(7_200_000);
});

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}
