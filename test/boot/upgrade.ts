import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { Baker } from "./baker.ts";
import { BAKER, connect, isConnected, type Machine } from "./machine.ts";
import { type Changes, type Variant, variant } from "./variants.ts";
import { OBJECT_ID, RIGHTS, THROW_AWAY, World } from "./world.ts";

/** How long the updater watches a new release here, seconds; longer for the release that ends after 30. */
const WATCH = 6;
const LONG_WATCH = 40;
/** What takes minutes is left to `BOOT_CAMPAIGN=all npm run test:boot`; test/machine/upgrade.test.ts has each case of it, played. */
const WHOLE = process.env.BOOT_CAMPAIGN === "all";

const UNIT = "/etc/systemd/system/tezos-signer.service";

/** Appends a line to the signer's first module. */
const inMain = (line: string): Changes => ({ "signer/main.ts": (text) => `${text}\n${line}\n` });

/** Releases that must not be kept: what each does, the reason that is told, and by when. */
const BROKEN: readonly [name: string, changes: Changes, said: RegExp, seconds: number][] = [
  ["has a syntax error", { "signer/main.ts": () => "const = ;\n" }, /exit status 1: .*Unexpected token/, 60],
  [
    "never gets ready",
    { "signer/report/readiness.ts": (text) => text.replace(/ready: reasons.size === 0/, "ready: false") },
    /it does not get ready, and the one in use does/,
    120,
  ],
  ["ends after 30 s", inMain("setTimeout(() => process.exit(1), 30_000).unref();"), /its process ended/, 120],
  [
    "needs a setting that is not there",
    {
      "signer/settings/schema.ts": (text) =>
        text.replace("settingsSchema = z.strictObject({", "settingsSchema = z.strictObject({ needed: z.string(),"),
    },
    /exit status 4: .*needed/,
    60,
  ],
  [
    "takes too much memory for Node.js's limit",
    inMain("const much: number[][] = []; for (;;) much.push(new Array(1e6).fill(much.length));"),
    /^(a signal ended it|exit status 134): /,
    90,
  ],
  [
    "takes too much memory for the machine",
    inMain("const much: Buffer[] = []; for (;;) much.push(Buffer.alloc(1 << 26, 1));"),
    /^(too much memory|a signal ended it): /,
    90,
  ],
];

describe("an upgrade on the machine", () => {
  const figures: [name: string, value: string][] = [];
  let world: World;
  let machine: Machine;
  let level = 10_000;
  const made = new Map<string, Variant>();

  before(async () => {
    world = await World.get();
    world.configure({ watermarks: undefined });
    machine = world.machine({ watch: WATCH });
    settings();
    machine.start();
    await world.signature(machine, level);
  });

  after(async () => {
    await machine.remove();
    await world.calm();
    for (const [name, value] of figures) console.log(`  ${name.padEnd(50)} ${value}`);
  });

  afterEach(() => {
    world.vault.policies.grant(OBJECT_ID, [...RIGHTS]);
    if (!isConnected()) connect(true);
  });

  /** As the stack writes them for a test network: levels may rise as fast as the baker asks. */
  function settings(release = world.release, changes: object = {}) {
    world.configure({ watermarks: THROW_AWAY, ...changes }, { release });
  }

  async function published(version: string, changes: Changes): Promise<Variant> {
    const release = made.get(version) ?? (await variant(world.release.content, version, changes));
    made.set(version, release);
    await world.publish(release);
    return release;
  }

  /**
   * Lets a baker ask while something is done.
   * @param lost how many requests may be lost: those that a process takes with it when it ends without a word
   */
  async function baking(name: string, act: () => Promise<void>, lost = 0) {
    const baker = new Baker(world.address, world.publicKey, level + 1);
    try {
      await act();
    } finally {
      const asked = await baker.stop();
      level = baker.level + 1;
      const { wait, at } = asked.longest;
      figures.push([
        name,
        `${asked.answers} answers, longest wait ${wait} ms (at ${(at / 1_000).toFixed(1)} s), median ${asked.median} ms`,
      ]);
      const failures = asked.failures.filter((failure) => lost === 0 || !/socket hang up|ECONNRESET/.test(failure));
      expect(failures, machine.console.split("\n").slice(-20).join("\n")).to.deep.equal([]);
      expect(asked.failures.length).to.be.at.most(lost);
    }
  }

  /** Has the updater watch new releases for so long from now on. */
  async function watchFor(seconds: number): Promise<void> {
    machine.write(
      "/etc/systemd/system/tezos-signer-updater.service.d/watch.conf",
      `[Service]\nEnvironment=WATCH_SECONDS=${seconds}\n`,
    );
    await machine.run("systemctl daemon-reload && systemctl restart tezos-signer-updater");
  }

  const inUse = async () => (await machine.output("readlink /opt/tezos-signer/current")).replace("releases/", "");
  const state = () => JSON.parse(machine.read("/var/lib/tezos-signer-updater/state.json"));

  it("takes nothing but signatures from a baker that asks twenty times a second", async () => {
    const next = await published("0.2.1", { "signer/main.ts": (text) => `${text}\n// Another one.\n` });
    await baking("a good upgrade", async () => {
      settings(next);
      await machine.says(`release 0.2.1 (${next.sha256.slice(0, 12)}) is in use`, 150);
    });
    expect(await inUse()).to.equal(next.sha256);
    const status = JSON.parse(await machine.output("curl -s http://127.0.0.1:9583/status"));
    expect(status.release).to.include({ version: "0.2.1", sha256: next.sha256 });
    expect(await machine.output("ls /opt/tezos-signer/releases | sort")).to.equal(
      [world.release.sha256, next.sha256].sort().join("\n"),
    );
  }).timeout(900_000);

  it("takes what it compiled in advance, for the service's own user, who cannot change it", async () => {
    const compiled = "/opt/tezos-signer/current/compiled";
    expect(await machine.output(`find -L ${compiled} ! -user root -o -perm /022`)).to.equal("");
    const asService = (command: string) =>
      machine.run(`cd /opt/tezos-signer/current && runuser -u tezos-signer -- ${command}`);
    expect((await asService(`touch ${compiled}/made-for`)).status).to.not.equal(0);
    const unit = machine.read(`/opt/tezos-signer/releases/${await inUse()}/machine/files${UNIT}`);
    const [, program = ""] = /^ExecStart=(.*) serve --user-data$/m.exec(unit) ?? [];
    const variables = `NODE_COMPILE_CACHE=${compiled} NODE_DEBUG_NATIVE=COMPILE_CACHE`;
    const { output } = await asService(`env ${variables} ${program} serve --help`);
    const count = (how: string) => output.split(`.ts was ${how}`).length - 1;
    expect(count("accepted"), output.slice(0, 2_000)).to.be.above(20);
    expect(count("not initialized") + count("rejected")).to.equal(0);
  });

  it("goes back to the release before without asking the storage, and without a failed request", async () => {
    const { calls } = world.blobs;
    await baking("the way back", async () => {
      settings();
      await machine.says(/back|release \S+ \(\S+\) is in use(?![\s\S]*0\.2\.1)/, 1).catch(() => undefined);
      await machine.until(
        "the first release",
        150,
        async () => (state().step === "done" && (await inUse()) === world.release.sha256) || undefined,
      );
    });
    expect(world.blobs.calls).to.equal(calls);
  }).timeout(900_000);

  const slow = /never gets ready/;
  for (const [index, [name, changes, said, patience]] of BROKEN.entries()) {
    if (!WHOLE && slow.test(name)) continue;
    it(`takes back a release that ${name}, says why, and signs on`, async () => {
      const broken = await published(`0.3.${index}`, changes);
      const before = JSON.parse(await machine.output("curl -s http://127.0.0.1:9583/status")).settings.version;
      if (name.includes("30 s")) await watchFor(LONG_WATCH);
      const offer = async () => {
        settings(broken, { listKnownKeys: false });
        const line = new RegExp(`(refused|back from) release ${broken.version} .*: `);
        const told = () =>
          state().refused?.version === broken.version &&
          said.test(state().refused.reason) &&
          line.test(machine.console);
        await machine.until(`${said}`, patience, () => told() || undefined);
      };
      const ends = name.includes("30 s");
      await baking(`a release that ${name}`, offer, ends ? 2 : 0);
      expect(await inUse()).to.equal(world.release.sha256);
      expect(state().refused).to.include({ version: broken.version, sha256: broken.sha256 });
      // Its settings went with it.
      const status = JSON.parse(await machine.output("curl -s http://127.0.0.1:9583/status"));
      expect(status.settings.version).to.equal(before);
      expect(status.release.refused).to.include({ version: broken.version });
      expect(status.settings.refused).to.equal(null);
      settings();
      await machine.until("calm", 300, () => state().step === "done" || undefined);
      if (ends) await watchFor(WATCH);
    }).timeout(1_200_000);
  }

  if (WHOLE) {
    it("tries a refused release again for other settings and by command, not else", async () => {
      const picky = await published("0.3.20", {
        "signer/settings/schema.ts": (text) =>
          text.replace("settingsSchema = z.strictObject({", "settingsSchema = z.strictObject({ needed: z.string(),"),
      });
      const tries = () => machine.console.split("trying release 0.3.20").length - 1;
      settings(picky);
      await machine.until("refused", 60, () => state().refused?.version === "0.3.20" || undefined);
      await machine.run("systemctl restart tezos-signer-updater && sleep 8");
      expect(tries()).to.equal(1);
      await machine.run("tezos-signer-retry");
      await machine.until("another try", 60, () => (tries() === 2 && state().step === "refused") || undefined);
      settings(picky, { needed: "yes" });
      await machine.until("in use", 150, async () => (await inUse()) === picky.sha256 || undefined);
      settings();
      await machine.until(
        "back",
        200,
        async () => (state().step === "done" && (await inUse()) === world.release.sha256) || undefined,
      );
    }).timeout(1_800_000);

    it("takes nothing back while the vault is away, before the switch or after it", async () => {
      const next = await published("0.4.0", inMain("// Patient."));
      world.vault.policies.grant(OBJECT_ID, []);
      settings(next);
      await machine.until(
        "neither is ready",
        150,
        () => /neither the release in use nor the new one/.test(state().problem ?? "") || undefined,
      );
      expect(state().refused).to.equal(null);
      world.vault.policies.grant(OBJECT_ID, [...RIGHTS]);
      // Away again before the new process has asked the vault.
      await machine.until(
        "the switch",
        200,
        () =>
          (machine.console.includes("switching from release 0.2.0 (") &&
            machine.console.includes("to release 0.4.0 (")) ||
          undefined,
      );
      world.vault.policies.grant(OBJECT_ID, []);
      await machine.until(
        "watched in vain",
        150,
        () => /the release before does not get ready either/.test(state().problem ?? "") || undefined,
      );
      expect(await inUse()).to.equal(next.sha256);
      world.vault.policies.grant(OBJECT_ID, [...RIGHTS]);
      await machine.says(`release 0.4.0 (${next.sha256.slice(0, 12)}) is in use`, 150);
      await world.signature(machine, ++level);
    }).timeout(2_700_000);
  }

  it("brings a release with 20 MB more, another unit and another line of the firewall, in place", async () => {
    const vmId = await machine.output("cat /etc/machine-id");
    const more = await published("0.5.0", {
      "signer/more.bin": () => Buffer.alloc(20 * 2 ** 20, "x").toString(),
      "machine/files/etc/tezos-signer/firewall.nft": (text) =>
        text.replace("tcp dport 6732 accept", "tcp dport 6732 accept\n    tcp dport 6799 accept"),
      "machine/files/etc/systemd/system/tezos-signer-more.service": () =>
        "[Unit]\nDescription=More\n\n[Service]\nType=oneshot\nExecStart=/usr/bin/true\n\n[Install]\nWantedBy=multi-user.target\n",
    });
    await baking("a larger release with other machine files", async () => {
      settings(more);
      await machine.says(`release 0.5.0 (${more.sha256.slice(0, 12)}) is in use`, 200);
    });
    expect(await machine.output("nft list ruleset")).to.include("6799");
    expect(
      await machine.output("systemctl start tezos-signer-more && systemctl is-enabled tezos-signer-more"),
    ).to.match(/enabled|linked/);
    expect(await machine.output("cat /etc/machine-id")).to.equal(vmId);
    settings();
    await machine.until(
      "back",
      200,
      async () => (state().step === "done" && (await inUse()) === world.release.sha256) || undefined,
    );
    expect(await machine.output("nft list ruleset")).not.to.include("6799");
    expect(machine.has("/etc/systemd/system/tezos-signer-more.service")).to.equal(false);
  }).timeout(1_800_000);

  it("starts from its disk without any network, and signs once there is one", async () => {
    await machine.stop();
    connect(false);
    machine.start();
    await machine.until(
      "the signer",
      60,
      async () =>
        (await machine.output("curl -s --max-time 2 http://127.0.0.1:9583/healthz")) === '{"alive":true}' || undefined,
    );
    const status = JSON.parse(await machine.output("curl -s http://127.0.0.1:9583/status"));
    expect(status.release.sha256).to.equal(world.release.sha256);
    expect(status.ready).to.equal(false);
    connect(true);
    await world.signature(machine, ++level, 120);
  }).timeout(900_000);

  it("loses at a kill -9 the requests in flight, and none that came after them", async () => {
    const kill = async () => {
      await sleep(2_000);
      await machine.run("kill -9 $(systemctl show --value --property MainPID tezos-signer)");
      await sleep(6_000);
    };
    await baking("kill -9", kill, 2);
    expect((await world.sign(++level, { from: BAKER })).status).to.equal(200);
  });
});
