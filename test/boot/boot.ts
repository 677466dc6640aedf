import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { customData } from "../../cloud-init/custom-data.ts";
import { MAINNET } from "../fixtures/payloads.ts";
import { IMDS, type Machine, STRANGER } from "./machine.ts";
import { variant } from "./variants.ts";
import { OBJECT_ID, RIGHTS, World } from "./world.ts";

/**
 * The machine's real customData, booted. One describe is one machine; its tests run in order, as a machine's life does.
 * Levels only ever rise, so that each test has its own.
 */
const figures: [name: string, value: string][] = [];
const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`;

describe("the machine", () => {
  let world: World;

  before(async () => {
    world = await World.get();
  });

  after(() => {
    for (const [name, value] of figures) console.log(`  ${name.padEnd(34)} ${value}`);
  });

  describe("from its first boot", () => {
    let machine: Machine;
    const mainPid = () => machine.output("systemctl show --value --property MainPID tezos-signer");
    const asNobody = (command: string) => machine.run(`runuser -u nobody -- ${command}`);

    before(async () => {
      machine = world.machine();
      figures.push(["customData", `${Buffer.byteLength(customData())} bytes`]);
      machine.start();
      const signed = await world.signature(machine, 100);
      figures.push(["boot to first signature", seconds(signed - machine.bootedAt)]);
    });

    after(async () => {
      await machine.remove();
      await world.calm();
    });

    it("says on the console, once it can sign, for which address", async () => {
      await machine.says(`tezos-signer: signs for ${world.address} on port 6732`, 30);
      expect(machine.console).to.include(
        `release ${world.release.version} (${world.release.sha256.slice(0, 12)}) is in use`,
      );
    });

    it("upgrades packages once the signer runs, not before", async () => {
      await machine.says("tezos-signer-packages: complete", 60);
      const { console: said } = machine;
      expect(said.indexOf("tezos-signer-updater: installing")).to.be.below(said.indexOf("tezos-signer-packages: "));
    });

    it("finished cloud-init and every step of its own, but for what a container may not do", async () => {
      expect(await machine.output("cloud-init status")).to.include("status: done");
      const steps = machine.read("/var/lib/tezos-signer-machine/status").trim().split("\n");
      const failed = steps.filter(
        (step) => !step.startsWith("done ") && !/^failed kernel: .*permission denied/.test(step),
      );
      expect(failed).to.deep.equal([]);
      const named = /^step (\S+)/gm;
      const own = [...readFileSync(resolve(import.meta.dirname, "../../machine/bin/apply"), "utf8").matchAll(named)];
      expect(steps.map((step) => step.split(" ")[1]?.replace(":", ""))).to.deep.equal(own.map(([, name]) => name));
      expect(await machine.output("systemctl --failed --quiet --plain --no-legend")).to.equal("");
    });

    it("ends the wait of an up: the release in use, and its address", async () => {
      const read = "import json, sys; print(json.load(sys.stdin)['settings']['version'])";
      const settings = await machine.output(`curl --silent http://127.0.0.1:9583/status | python3 -I -c "${read}"`);
      const { sha256 } = world.release;
      const said = await machine.output(
        `RELEASE=${sha256} SETTINGS=${settings} /opt/tezos-signer/current/machine/bin/await-ready`,
      );
      const { release, keys } = JSON.parse(said);
      expect(release).to.equal(sha256);
      expect(keys.map(({ address }: { address: string }) => address)).to.deep.equal([world.address]);
    });

    it("refuses an address that is not the baker's", async () => {
      const answer = await world.sign(101, { from: STRANGER });
      expect(answer.status).to.equal(403);
    });

    it("refuses other bytes at a position that was signed", async () => {
      expect((await world.sign(102)).status).to.equal(200);
      expect((await world.sign(102, { slot: 9 })).status).to.equal(409);
    });

    it("has no listener but the signer's two and sshd", async () => {
      const sockets = (await machine.output("ss -Hltun | awk '{print $1, $5}' | sort -u")).split("\n");
      figures.push(["listening", sockets.join(", ")]);
      expect(sockets).to.deep.equal(["tcp 0.0.0.0:22", "tcp 0.0.0.0:6732", "tcp 127.0.0.1:9583", "tcp [::]:22"]);
    });

    it("runs the service without a privilege, in its own user, under a system call filter", async () => {
      const status = await machine.output(`cat /proc/${await mainPid()}/status`);
      expect(status).to.match(/^CapEff:\s+0000000000000000$/m);
      expect(status).to.match(/^CapBnd:\s+0000000000000000$/m);
      expect(status).to.match(/^NoNewPrivs:\s+1$/m);
      expect(status).to.match(/^Seccomp:\s+2$/m);
      expect(await machine.output(`stat -c %U /proc/${await mainPid()}`)).to.equal("tezos-signer");
      const memory = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
      figures.push(["memory of the service (RSS)", `${(Number(memory) / 1024).toFixed(0)} MiB`]);
    });

    it("leaves the service an exposure of at most 1.5 as systemd has loaded it", async () => {
      const said = await machine.output("systemd-analyze security --no-pager tezos-signer.service");
      const exposure = Number(/exposure level for \S+: ([\d.]+)/.exec(said)?.[1]);
      figures.push(["sandbox score", String(exposure)]);
      expect(exposure).to.be.at.most(1.5);
    });

    it("keeps the code from the service, and the state from everybody else", async () => {
      const asService = (command: string) => machine.run(`runuser -u tezos-signer -- ${command}`);
      expect((await asService("touch /opt/tezos-signer/current/signer/main.ts")).status).to.not.equal(0);
      expect((await asService("touch /opt/tezos-signer/current/node/bin/node")).status).to.not.equal(0);
      expect(await machine.output("find /opt/tezos-signer ! -user root -o -perm /022 ! -type l")).to.equal("");
      expect((await asNobody("ls /var/lib/tezos-signer")).output).to.include("Permission denied");
    });

    it("lets root and the signer's user alone ask the metadata service", async () => {
      const userData = Buffer.from(world.imds.userData).toString("base64");
      const path = "metadata/instance/compute/userData?api-version=2021-01-01&format=text";
      const ask = `curl --silent --max-time 3 --header Metadata:true 'http://${IMDS}/${path}'`;
      expect(await machine.run(ask)).to.deep.equal({ status: 0, output: userData });
      expect(await machine.output(`runuser -u tezos-signer -- ${ask}`)).to.equal(userData);
      expect(await asNobody(ask)).to.deep.equal({ status: 7, output: "" });
    });

    it("lets no other user of the machine use the signer's ports", async () => {
      for (const url of [
        "http://127.0.0.1:9583/status",
        "http://127.0.0.1:6732/authorized_keys",
        "http://10.90.0.4:6732/",
      ]) {
        expect(await asNobody(`curl --silent --max-time 3 ${url}`), url).to.deep.equal({ status: 7, output: "" });
      }
      expect(await machine.output("curl --silent --max-time 3 http://127.0.0.1:9583/healthz")).to.equal(
        '{"alive":true}',
      );
    });

    it("takes an operator's answers by a socket of the signer's group, and shows its state, to nobody else", async () => {
      expect(await machine.output("stat -c '%a %U %G' /run/tezos-signer /run/tezos-signer/confirm.sock")).to.equal(
        "750 tezos-signer tezos-signer\n660 tezos-signer tezos-signer",
      );
      expect((await asNobody("ls /run/tezos-signer")).output).to.include("Permission denied");
      const { status, output } = await machine.run("tezos-signer status");
      expect(output).to.include(world.address);
      expect(status).to.equal(0);
    });

    it("takes SSH by key only, with modern algorithms, and never as root", async () => {
      const settings = await machine.output("sshd -T");
      for (const line of [
        "permitrootlogin no",
        "passwordauthentication no",
        "kbdinteractiveauthentication no",
        "authenticationmethods publickey",
        "allowtcpforwarding no",
        "kexalgorithms sntrup761x25519-sha512@openssh.com,curve25519-sha256,curve25519-sha256@libssh.org",
        "ciphers chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,aes128-gcm@openssh.com",
      ]) {
        expect(settings.split("\n"), line).to.include(line);
      }
      expect(await machine.output("systemctl is-active ssh fail2ban")).to.equal("active\nactive");
      expect(await machine.output("fail2ban-client status sshd")).to.include("Status for the jail: sshd");
    });

    it("has sudo rules that sudo accepts, and upgrades at the set time", async () => {
      expect((await machine.run("visudo --check --quiet")).status).to.equal(0);
      expect(await machine.output("systemctl list-timers --no-legend apt-daily-upgrade.timer")).to.include(
        " 04:30:00 ",
      );
      expect(await machine.output("apt-config dump Unattended-Upgrade::Automatic-Reboot")).to.include('"true"');
    });

    it("takes another policy from userData without a restart", async () => {
      const pid = await mainPid();
      world.configure({ policy: { default: { allow: ["block"], chains: [MAINNET] } } });
      await machine.until("the policy", 40, async () => (await world.sign(103)).status === 403 || undefined);
      world.configure();
      await world.signature(machine, 104);
      expect(await mainPid()).to.equal(pid);
    });

    it("keeps its settings where userData is broken, and says so", async () => {
      const pid = await mainPid();
      world.configure({ policy: "what?" });
      const refusal = () => machine.output("journalctl --unit tezos-signer --output cat --grep 'cannot be used'");
      await machine.until(
        "the refusal",
        40,
        async () => (await refusal()).includes("userData cannot be used") || undefined,
      );
      expect((await world.sign(105)).status).to.equal(200);
      expect(await mainPid()).to.equal(pid);
      world.configure();
    });

    it("starts anew for settings that a running process cannot take", async () => {
      const pid = await mainPid();
      world.configure({ keys: { kind: "azure-key-vault", vault: "https://boot-test.vault.azure.net" } });
      await machine.until("another process", 60, async () => ![pid, "0"].includes(await mainPid()) || undefined);
      world.configure();
      await world.signature(machine, 106);
    });

    it("can put its files in force again, and goes on signing", async () => {
      expect((await machine.run("/opt/tezos-signer/current/machine/bin/apply")).status).to.equal(0);
      await world.signature(machine, 110);
    });

    it("signs again, and remembers, after a restart of the service", async () => {
      await machine.run("systemctl restart tezos-signer");
      expect((await world.sign(110, { slot: 9 })).status).to.equal(409);
      expect((await world.sign(111)).status).to.equal(200);
    });

    it("signs again, and remembers, after kill -9", async () => {
      await machine.run(`kill -9 ${await mainPid()}`);
      const killed = Date.now();
      figures.push(["kill -9 to signature", seconds((await world.signature(machine, 120)) - killed)]);
      expect((await world.sign(111, { slot: 9 })).status).to.equal(409);
    });

    it("signs again, and remembers, after a reboot, behind the same firewall", async () => {
      await machine.reboot();
      figures.push(["reboot to signature", seconds((await world.signature(machine, 130)) - machine.bootedAt)]);
      expect((await world.sign(120, { slot: 9 })).status).to.equal(409);
      expect((await asNobody("curl --silent --max-time 3 http://127.0.0.1:9583/status")).status).to.equal(7);
      // The signer's units are ready before the bootstrap has seen that its part is done.
      await machine.until(
        "the bootstrap's end",
        60,
        async () => (await machine.output("systemctl is-active tezos-signer-bootstrap")) === "inactive" || undefined,
      );
    });
  });

  describe("whose release cannot be had at first", () => {
    let machine: Machine;
    let level = 210;

    afterEach(async () => {
      await machine.remove();
      await world.calm();
    });

    it("signs in the end, and has said what failed each time", async () => {
      await world.unpublish(world.release);
      world.blobs.roleWorks = false;
      machine = world.machine();
      machine.start();
      await machine.says(
        /no release yet: while fetching https:\/\/\S+: the storage answers 403 AuthorizationPermissionMismatch/,
        60,
      );
      world.blobs.roleWorks = true;
      await machine.says(/the storage answers 404 BlobNotFound/, 90);
      world.blobs.faults.push("status-503");
      await machine.says(/the storage answers 503 ServerBusy/, 90);
      await world.publish(world.release);
      world.blobs.faults.push("cut");
      await machine.says(/no release yet: while fetching https:\S+: curl: /, 90);
      world.blobs.faults.push("altered");
      await machine.says(/SHA-256 of https:\S+ is [0-9a-f]{64} \(\d+ bytes\), and the stack says [0-9a-f]{64}/, 90);
      await world.signature(machine, 200, 120);
      expect(machine.has("/opt/tezos-signer/download")).to.equal(false);
    }).timeout(1_800_000);

    for (const [name, lose, find] of [
      ["a storage that was away is back", { away: true }, { away: false }],
      ["its role on the storage works", { roleWorks: false }, { roleWorks: true }],
    ] as const) {
      it(`heals without a restart once ${name}`, async () => {
        const minutes = Number(process.env.BOOT_OUTAGE_MINUTES ?? 0.5);
        Object.assign(world.blobs, lose);
        machine = world.machine();
        machine.start();
        await machine.says(/no release yet: while fetching/, 90);
        await sleep(minutes * 60_000);
        Object.assign(world.blobs, find);
        const back = Date.now();
        level += 1;
        const waited = (await world.signature(machine, level, 150)) - back;
        figures.push([`${name} after ${minutes} min, to signature`, seconds(waited)]);
      }).timeout(1_500_000);
    }

    it("refuses a first release that is broken, says why, and takes the next one", async () => {
      const broken = await variant(world.release.content, "0.2.1-broken", { "signer/main.ts": () => "const = ;\n" });
      await world.publish(broken);
      world.configure({}, { release: broken });
      machine = world.machine();
      machine.start();
      await machine.says(
        /tezos-signer-updater: refused release 0\.2\.1-broken \(\S+\): exit status 1: .*Unexpected token/,
        60,
      );
      world.configure();
      await world.signature(machine, 220, 120);
    }).timeout(900_000);
  });

  describe("whose roles work only after two minutes", () => {
    let machine: Machine;

    after(async () => {
      await machine.remove();
      await world.calm();
    });

    it("waits, says for what, and signs by itself", async () => {
      world.table.roleWorks = false;
      world.vault.policies.grant(OBJECT_ID, []);
      machine = world.machine();
      machine.start();
      await machine.says("tezos-signer: not ready yet: ", 60);
      await sleep(machine.bootedAt + 120_000 - Date.now());
      expect((await world.sign(250).catch(() => undefined))?.status).to.not.equal(200);
      world.table.roleWorks = true;
      world.vault.policies.grant(OBJECT_ID, [...RIGHTS]);
      const granted = Date.now();
      figures.push(["roles working to signature", seconds((await world.signature(machine, 250)) - granted)]);
      await machine.says(`tezos-signer: signs for ${world.address} on port 6732`, 30);
    });
  });

  describe("without SSH", () => {
    let machine: Machine;

    after(async () => {
      await machine.remove();
      await world.calm();
    });

    it("listens for the signer alone", async () => {
      world.configure({}, { ssh: false });
      machine = world.machine();
      machine.start();
      await world.signature(machine, 300);
      const sockets = (await machine.output("ss -Hltun | awk '{print $1, $5}' | sort -u")).split("\n");
      expect(sockets).to.deep.equal(["tcp 0.0.0.0:6732", "tcp 127.0.0.1:9583"]);
      expect(await machine.output("nft list ruleset"))
        .to.include("tcp dport 6732 accept")
        .and.not.include("dport 22");
    });

    it("opens sshd in place when the first adminIp is set, and closes it with the last", async () => {
      const pid = await machine.output("systemctl show --value --property MainPID tezos-signer");
      world.configure();
      const listening = async () => (await machine.output("ss -Hltn sport = :22")) !== "";
      await machine.until("sshd", 60, async () => (await listening()) || undefined);
      await machine.until(
        "the rule",
        30,
        async () => (await machine.output("nft list ruleset")).includes("dport 22 accept") || undefined,
      );
      world.configure({}, { ssh: false, maintenance: "05:45" });
      await machine.until("no sshd", 60, async () => !(await listening()) || undefined);
      await machine.until(
        "the rule is gone",
        30,
        async () => !(await machine.output("nft list ruleset")).includes("dport 22") || undefined,
      );
      expect(await machine.output("systemctl list-timers --no-legend apt-daily-upgrade.timer")).to.include(
        " 05:45:00 ",
      );
      expect(await machine.output("systemctl show --value --property MainPID tezos-signer")).to.equal(pid);
      world.configure();
    });
  });

  describe("replaced by a new one", () => {
    let machine: Machine | undefined;

    after(() => machine?.remove());

    it("signs as soon as it has booted, and remembers what the old one signed", async () => {
      const old = world.machine();
      old.start();
      await world.signature(old, 400);
      const stopped = Date.now();
      await old.remove();
      machine = world.machine();
      machine.start();
      expect((await world.sign(400, { slot: 9 }).catch(() => undefined))?.status).to.not.equal(200);
      figures.push([
        "another machine: old gone to new signing",
        seconds((await world.signature(machine, 401)) - stopped),
      ]);
      expect((await world.sign(400, { slot: 9 })).status).to.equal(409);
    });
  });
});
