import { readFileSync } from "node:fs";
import { join } from "node:path";
import { verifySignature } from "@taquito/utils";
import { expect } from "chai";
import { sign } from "../emulators/octez-client.ts";
import { attestation } from "../fixtures/payloads.ts";
import { Baker } from "./baker.ts";
import { hardwareRelease } from "./hardware-release.ts";
import { BAKER, connectNetwork, MACHINE, Machine } from "./machine.ts";
import { PROMPTS, SHELL, Terminal } from "./terminal.ts";
import { type Changes, type Variant, variant } from "./variants.ts";

/** How long the installer watches a new release here, seconds. */
const WATCH = 4;

/** So long may a command take on a computer that others want, seconds: a release has thousands of files. */
const LONGEST = 600;

const SETTINGS = "/etc/tezos-signer/settings.yaml";
const UNIT = "/etc/systemd/system/tezos-signer.service";

const page = readFileSync(join(import.meta.dirname, "../../docs/on-premises.md"), "utf8");
/** What docs/on-premises.md has typed to make a token and a key. */
const TOKEN_LINES = /```text\n((?:(?!```).)*softhsm2-util.*?)```/s.exec(page)?.[1] ?? "";

/**
 * A computer of one's own, as docs/on-premises.md sets it up: a release with the packages for tokens, unpacked, and a token of
 * SoftHSM2. The tests run in order, as the computer's life does.
 */
describe("a machine of one's own", () => {
  const figures: [name: string, value: string][] = [];
  let machine: Machine;
  let release: Variant;
  let address = "";
  let publicKey = "";
  let level = 1_000;

  before(async () => {
    connectNetwork();
    const { BOOT_ROOT: root = "", BOOT_DISKS: disks = "" } = process.env;
    release = await hardwareRelease();
    machine = new Machine({
      root,
      disks,
      customData: Buffer.from("#cloud-config\n{}\n"),
      files: { "/etc/hosts": "127.0.0.1 localhost\n", "/etc/cloud/cloud-init.disabled": "" },
    });
    machine.start();
    await machine.until("a computer that has started", 60, async () =>
      /running|degraded/.test(await machine.output("systemctl is-system-running")) ? true : undefined,
    );
  });

  after(async () => {
    await machine?.remove();
    for (const [name, value] of figures) console.log(`  ${name.padEnd(50)} ${value}`);
  });

  /** Runs a command line that has to work. @returns what it prints */
  async function run(command: string): Promise<string> {
    const { status, output } = await machine.run(command, LONGEST);
    expect(status, `${command}\n${output}`).to.equal(0);
    return output;
  }

  /** Copies a release to the computer and unpacks it there, as its user does. @returns its folder */
  async function unpack({ version, name, content }: Variant): Promise<string> {
    machine.write(`/root/${name}`, content);
    await run(
      `cd /root && tar --extract --file ${name} && rm ${name} && mv tezos-signer-*/ ${version} && ${version}/unpack`,
    );
    return `/root/${version}`;
  }

  const inUse = () => run("readlink /opt/tezos-signer/current");
  const status = async () => JSON.parse(await run("curl --silent --max-time 5 http://127.0.0.1:9583/status"));

  /** Asks for an attestation as octez does. */
  async function attest(at: number) {
    const payload = attestation({ level: at, round: 0 }).toString("hex");
    const options = { localAddress: BAKER, retries: 0, signal: AbortSignal.timeout(20_000) };
    const answer = await sign(`http://${MACHINE}:6732`, address, payload, options);
    if (answer.signature !== undefined) expect(verifySignature(payload, publicKey, answer.signature)).to.equal(true);
    return answer;
  }

  /** Lets a baker ask while something is done. @param lost requests that a process may take with it */
  async function baking(name: string, act: () => Promise<void>, lost = 0): Promise<void> {
    const baker = new Baker(address, publicKey, level + 1);
    let asked: Awaited<ReturnType<Baker["stop"]>>;
    try {
      await act();
    } finally {
      asked = await baker.stop();
      level = baker.level + 1;
    }
    figures.push([name, `${asked.answers} answers, longest wait ${asked.longest.wait} ms, median ${asked.median} ms`]);
    const refused = asked.failures.filter((failure) => lost === 0 || !/socket hang up|ECONNRESET/.test(failure));
    expect(refused).to.deep.equal([]);
    expect(asked.failures.length).to.be.at.most(lost);
  }

  it("is told what an installation would do, and has nothing of it afterwards", async () => {
    const folder = await unpack(release);
    const said = await run(`${folder}/tezos-signer install --dry-run`);
    expect(said)
      .to.include("would make the user and group tezos-signer")
      .and.include(`would write first settings, ${SETTINGS}`);
    const left = "ls -d /opt/tezos-signer /etc/tezos-signer /var/lib/tezos-signer /etc/systemd/system/tezos-signer*";
    expect(await machine.output(`${left} 2>/dev/null; id tezos-signer 2>/dev/null`)).to.equal("");
  });

  it("is left as it is where another thing has one of the names", async () => {
    machine.write(UNIT, "[Service]\nExecStart=/bin/true\n");
    const { status: code, output } = await machine.run(`/root/${release.version}/tezos-signer install`);
    expect(code).to.equal(1);
    expect(output).to.match(/Nothing was changed\.\s+\S*tezos-signer\.service\s+is\s+another/);
    await run(`rm ${UNIT}`);
    expect(machine.has("/opt/tezos-signer")).to.equal(false);
    expect(machine.has("/etc/tezos-signer")).to.equal(false);
  });

  it("has user, folders, units and first settings where the first try was killed, and says what it waits for", async () => {
    // Root's own umask closes what it makes to everybody else.
    const installing = `umask 077; timeout --signal KILL $LIMIT /root/${release.version}/tezos-signer install`;
    await machine.run(`LIMIT=4; ${installing}`);
    const { status: code, output } = await machine.run(`LIMIT=${LONGEST}; ${installing}`, LONGEST);
    expect(output)
      .to.include("installed, and not started yet")
      .and.match(/PIN|pin/);
    expect(code).to.equal(4);
    expect(
      await run("stat --format '%U:%G %a %n' /etc/tezos-signer /var/lib/tezos-signer /etc/tezos-signer/settings.yaml"),
    ).to.equal(
      "root:tezos-signer 750 /etc/tezos-signer\ntezos-signer:tezos-signer 700 /var/lib/tezos-signer\nroot:tezos-signer 640 /etc/tezos-signer/settings.yaml",
    );
    expect(await run("stat --format %a /opt/tezos-signer /opt/tezos-signer/releases")).to.equal("755\n755");
    expect(await machine.output("systemctl is-active tezos-signer.socket")).to.equal("inactive");
    const found = await machine.run("tezos-signer install --check");
    expect(found.status).to.equal(1);
    expect(found.output, found.output).to.match(/missing {2}the PIN's file: there is no \/etc\/tezos-signer\/pin/);
  });

  it("makes a key on the token, and signs with it once its settings work", async () => {
    const made = await run(`set -e\n${TOKEN_LINES}`);
    address = /tz3\w{33}/.exec(made)?.[0] ?? "";
    publicKey = /p2pk\w+/.exec(made)?.[0] ?? "";
    const settings = machine
      .read(SETTINGS)
      .replace("host: 127.0.0.1", "host: 0.0.0.0")
      .replace(/# initialise: .*/, "initialise: always\n  maxStep: off");
    machine.write(SETTINGS, `${settings}allowedAddresses: [${BAKER}/32]\n`);
    const said = await run("tezos-signer install");
    expect(said).to.include("the signer is ready");
    expect((await attest(level)).status).to.equal(200);
    expect((await attest(level - 1)).status).to.equal(409);
    const found = await machine.run("tezos-signer install --check");
    const missing = found.output.split("\n").filter((line) => /^missing/.test(line) && !/the clock/.test(line));
    expect(missing, found.output).to.deep.equal([]);
    expect(await run("tezos-signer install")).to.equal("nothing to do: the signer has this release and these settings");
  });

  it("is as closed as Azure's machine but for what a file and a library need", async () => {
    const told = await run("systemd-analyze security --no-pager tezos-signer.service");
    const [, exposure = "10"] = /Overall exposure level for tezos-signer\.service: ([\d.]+)/.exec(told) ?? [];
    figures.push(["exposure of the service, of 10", exposure]);
    expect(Number(exposure)).to.be.at.most(1.4);
    const pid = await run("systemctl show --value --property MainPID tezos-signer");
    expect(await run(`grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/${pid}/status`)).to.equal(
      "CapEff:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2",
    );
  });

  it("takes other settings once they were tried, and goes on with those that it has where they do not work", async () => {
    const settings = machine.read(SETTINGS);
    machine.write(SETTINGS, settings.replace("tokenLabel: tezos", "tokenLabel: another"));
    const { status: code, output } = await machine.run("tezos-signer install");
    expect(code, output).to.equal(4);
    level += 1;
    expect((await attest(level)).status).to.equal(200);
    machine.write(SETTINGS, `${settings}listKnownKeys: true\n`);
    expect(await run("tezos-signer install")).to.include("the signer has the new settings");
    level += 1;
    expect((await attest(level)).status).to.equal(200);
  });

  it("refuses no request through kill -9, and its marks outlive it", async () => {
    await baking(
      "kill -9, twice",
      async () => {
        for (let kills = 0; kills < 2; kills += 1) {
          const before = await run("systemctl show --value --property MainPID tezos-signer");
          await run("systemctl kill --kill-whom=main --signal KILL tezos-signer");
          await machine.until("another process", 20, async () => {
            const { release: found } = await status().catch(() => ({ release: undefined }));
            const pid = await machine.output("systemctl show --value --property MainPID tezos-signer");
            return found !== undefined && pid !== before ? true : undefined;
          });
        }
      },
      4,
    );
    expect((await attest(1_000)).status).to.equal(409);
  });

  it("signs after a reboot by itself, and remembers what it signed", async () => {
    await machine.reboot();
    level += 1;
    await machine.until("a signature", 90, async () => {
      const answer = await attest(level).catch(() => undefined);
      return answer?.status === 200 ? true : undefined;
    });
    expect((await attest(1_000)).status).to.equal(409);
  });

  it("is upgraded by the new release's own command, and takes nothing but signatures from its baker", async () => {
    const folder = await unpack(await variant(release.content, "0.2.1"));
    const before = await inUse();
    const held = "flock --nonblock /run/tezos-signer-updater.lock true";
    await baking("an upgrade", async () => {
      const upgrading = run(`WATCH_SECONDS=${WATCH} ${folder}/tezos-signer install`);
      await machine.until("an upgrade that has begun", 60, async () =>
        (await machine.run(held)).status === 1 ? true : undefined,
      );
      const second = await machine.run(`${folder}/tezos-signer install`);
      expect(second.status, second.output).to.equal(12);
      expect(second.output).to.match(/Another\s+`\S*tezos-signer\s+install`\s+is\s+at\s+work/);
      expect(await upgrading).to.match(/release 0\.2\.1 \(\w{12}\) is in use/);
    });
    expect(await inUse()).not.to.equal(before);
    expect((await status()).release.version).to.equal("0.2.1");
  });

  it("goes on with the release that it has where the new one does not get ready", async () => {
    const changes: Changes = {
      "signer/keys/pkcs11/keyring.ts": (text) => `${text}\nthrow new Error("a fault of this release");\n`,
    };
    const folder = await unpack(await variant(release.content, "0.2.2", changes));
    const before = await inUse();
    await baking("a broken release", async () => {
      const { status: code, output } = await machine.run(
        `WATCH_SECONDS=${WATCH} ${folder}/tezos-signer install`,
        LONGEST,
      );
      expect(code, output).to.equal(1);
      expect(output).to.include("a fault of this release");
    });
    expect(await inUse()).to.equal(before);
  });

  it("is removed by the same command, and keeps settings, token and watermarks for the next installation", async () => {
    const said = await run("tezos-signer install --remove");
    expect(said).to.include("left: /etc/tezos-signer and /var/lib/tezos-signer");
    expect(
      await machine.output(
        "ls -d /opt/tezos-signer /usr/local/bin/tezos-signer /etc/systemd/system/tezos-signer* 2>/dev/null",
      ),
    ).to.equal("");
    expect(await machine.output("systemctl list-units --all --no-legend 'tezos-signer*'")).to.equal("");
    expect(await run(`/root/0.2.1/tezos-signer install`)).to.include("the signer is ready");
    expect((await attest(1_000)).status).to.equal(409);
    expect((await attest(level + 1)).status).to.equal(200);
  });

  it("loses settings, token, watermarks and the user by --all alone, once its words were typed", async () => {
    const terminal = await Terminal.open([...machine.inside, ...SHELL], { ...PROMPTS, PATH: process.env.PATH });
    try {
      const removed = (answer: string) =>
        terminal.type(["tezos-signer install --remove --all"], [[/watermarks": $/, answer]]);
      const declined = await removed("yes");
      expect([declined.status, declined.output]).to.satisfy(
        ([code, said]: [number, string]) => code === 3 && said.includes("Nothing was changed."),
      );
      expect((await attest(level + 2)).status).to.equal(200);
      const { status: code, output } = await removed("delete keys and watermarks");
      expect(code, output).to.equal(0);
      expect(output).to.include("removed: settings, keys and watermarks").and.include("removed: the user tezos-signer");
    } finally {
      await terminal.close();
    }
    const names = "/opt/tezos-signer /etc/tezos-signer /var/lib/tezos-signer* /etc/systemd/system/tezos-signer*";
    expect(
      await machine.output(`ls -d ${names} 2>/dev/null; getent passwd tezos-signer; getent group tezos-signer`),
    ).to.equal("");
  });
});
