import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { MAINNET } from "../support/payloads.ts";
import { IMDS, type Machine, STRANGER } from "./machine.ts";
import { OBJECT_ID, World } from "./world.ts";

/**
 * The machine's real customData, booted. One describe is one machine; its tests run in order, as a machine's life does.
 * Levels only ever rise, so that each test has its own.
 */
const figures: [name: string, value: string][] = [];
const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`;

describe("the machine", () => {
  let world: World;

  before(async () => {
    world = await World.start();
  });

  after(async () => {
    await world.stop();
    for (const [name, value] of figures) console.log(`  ${name.padEnd(34)} ${value}`);
  });

  describe("from its first boot", () => {
    let machine: Machine;
    const mainPid = () => machine.output("systemctl show --value --property MainPID tezos-signer");
    const asNobody = (command: string) => machine.run(`runuser -u nobody -- ${command}`);

    before(async () => {
      machine = world.machine();
      figures.push(["customData", `${world.customData().length} bytes`]);
      machine.start();
      const signed = await world.signature(machine, 100);
      figures.push(["boot to first signature", seconds(signed - machine.bootedAt)]);
    });

    after(() => machine.remove());

    it("says on the console, once it can sign, for which address", async () => {
      await machine.says(`tezos-signer: signs for ${world.address} on port 6732`, 30);
      expect(machine.read("/var/lib/tezos-signer-install/status")).to.match(/^complete service .*the signer runs/);
    });

    it("upgrades packages once the signer runs, not before", async () => {
      await machine.says("tezos-signer-packages: complete", 60);
      const { console: said } = machine;
      expect(said.indexOf("tezos-signer-install: complete service")).to.be.below(
        said.indexOf("tezos-signer-packages: "),
      );
    });

    it("finished cloud-init and every step of its own, but for what a container may not do", async () => {
      expect(await machine.output("cloud-init status")).to.include("status: done");
      const steps = machine.read("/var/lib/tezos-signer-machine/status").trim().split("\n");
      const failed = steps.filter(
        (step) => !step.startsWith("done ") && !/^failed kernel: .*permission denied/.test(step),
      );
      expect(failed).to.deep.equal([]);
      expect(steps.length).to.be.at.least(11);
      expect(await machine.output("systemctl --failed --quiet --plain --no-legend")).to.equal("");
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
      expect((await asService("touch /opt/tezos-signer/signer/main.ts")).status).to.not.equal(0);
      expect((await asService("touch /opt/node/bin/node")).status).to.not.equal(0);
      expect(await machine.output("find /opt/tezos-signer /opt/node/ ! -user root -o -perm /022 ! -type l")).to.equal(
        "",
      );
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
      world.imds.userData = "policy: [";
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
      world.configure({ listen: { host: "0.0.0.0", port: 6733 } });
      await machine.until("another process", 60, async () => ![pid, "0"].includes(await mainPid()) || undefined);
      world.configure();
      await world.signature(machine, 106);
    });

    it("can run its installation again, and goes on signing", async () => {
      expect(
        (await machine.run("/usr/local/sbin/tezos-signer-machine && /usr/local/sbin/tezos-signer-install")).status,
      ).to.equal(0);
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
      expect(await machine.output("systemctl is-active tezos-signer-install")).to.equal("inactive");
    });
  });

  describe("with downloads that fail", () => {
    let machine: Machine;

    afterEach(() => machine.remove());

    it("signs in the end, and has said what failed", async () => {
      world.downloads.faults.push(
        { on: "node", fault: "status-503" },
        { on: "node", fault: "cut" },
        { on: "package", fault: "status-503" },
        { on: "package", fault: "cut" },
      );
      machine = world.machine();
      machine.start();
      await world.signature(machine, 200, 120);
      expect(machine.console).to.match(/node-download: try 1 failed, again in 2 s: while fetching http/);
      expect(machine.console).to.match(/node-download: try 2 failed, again in 4 s/);
    });

    it("ends with a named failure, and no service, where Node.js is not what was pinned", async () => {
      const node = { ...world.node, sha256: { x64: "0".repeat(64), arm64: "0".repeat(64) } };
      machine = world.machine({ node });
      machine.start();
      await machine.says(
        /tezos-signer-install: failed node-download: SHA-256 of \S+ is [0-9a-f]{64}, pinned is 0{64}/,
        60,
      );
      await machine.until(
        "the unit gives up",
        30,
        async () => /failed/.test(await machine.output("systemctl is-active tezos-signer-install")) || undefined,
      );
      expect(machine.read("/var/lib/tezos-signer-install/status")).to.match(/^failed node-download .*SHA-256/);
      expect(machine.has("/opt/node")).to.equal(false);
      expect(await machine.output("systemctl is-active tezos-signer")).to.equal("inactive");
    });

    it("ends with a named failure, and no service, where a package is not what was pinned", async () => {
      world.downloads.faults.push(
        ...Array.from({ length: 2_000 }, () => ({ on: "package", fault: "altered" }) as const),
      );
      machine = world.machine();
      machine.start();
      await machine.says(/tezos-signer-install: failed packages: .*EINTEGRITY/, 90);
      expect(await machine.output("systemctl is-active tezos-signer")).to.equal("inactive");
      world.downloads.faults.length = 0;
    });

    it("ends with a named failure, and no service, where the registry names another hash", async () => {
      world.downloads.forge = true;
      machine = world.machine();
      machine.start();
      await machine.says(/tezos-signer-install: failed package-hashes: SHA-256 over the packages' hashes is/, 90);
      world.downloads.forge = false;
      expect(await machine.output("ls /opt/tezos-signer")).to.not.include("node_modules");
    });
  });

  describe("whose roles work only after two minutes", () => {
    let machine: Machine;

    after(() => machine.remove());

    it("waits, says for what, and signs by itself", async () => {
      world.table.roleWorks = false;
      world.vault.policies.grant(OBJECT_ID, []);
      machine = world.machine();
      machine.start();
      await machine.says("tezos-signer: not ready yet: ", 60);
      await sleep(machine.bootedAt + 120_000 - Date.now());
      expect((await world.sign(250).catch(() => undefined))?.status).to.not.equal(200);
      world.table.roleWorks = true;
      world.vault.policies.grant(OBJECT_ID, ["get", "list", "sign"]);
      const granted = Date.now();
      figures.push(["roles working to signature", seconds((await world.signature(machine, 250)) - granted)]);
      await machine.says(`tezos-signer: signs for ${world.address} on port 6732`, 30);
    });
  });

  describe("without SSH", () => {
    let machine: Machine;

    after(() => machine.remove());

    it("listens for the signer alone", async () => {
      machine = world.machine({ ssh: false });
      machine.start();
      await world.signature(machine, 300);
      const sockets = (await machine.output("ss -Hltun | awk '{print $1, $5}' | sort -u")).split("\n");
      expect(sockets).to.deep.equal(["tcp 0.0.0.0:6732", "tcp 127.0.0.1:9583"]);
      expect(await machine.output("nft list ruleset")).to.include("tcp dport 6732 accept");
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
      figures.push(["upgrade: old gone to new signing", seconds((await world.signature(machine, 401)) - stopped)]);
      expect((await world.sign(400, { slot: 9 })).status).to.equal(409);
    });
  });
});
