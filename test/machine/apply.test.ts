import { spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { hasProgram } from "../emulators/has-program.ts";
import { requires } from "../harness/requires.ts";

const MACHINE = new URL("../../machine/", import.meta.url).pathname;
const STEPS = [
  "user",
  "upgrade-time",
  "kernel",
  "journal",
  "sudoers",
  "remote-access",
  "ssh-guard",
  "clock",
  "metrics-port",
  "firewall",
];

/** The real program in a folder that stands for the machine, with other programs that only say that they were asked. */
describe("what puts the machine's files in force", () => {
  let root: string;
  const file = (path: string) => join(root, path);
  const text = (path: string) => readFileSync(file(path), "utf8");

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "apply-"));
    const folders = [
      "bin",
      "etc/tezos-signer",
      "etc/sudoers.d",
      "etc/systemd/system",
      "opt/tezos-signer/current",
      "run",
    ];
    for (const folder of folders) mkdirSync(file(folder), { recursive: true });
    cpSync(MACHINE, file("opt/tezos-signer/current/machine"), { recursive: true });
    for (const name of [
      "systemctl",
      "systemd-sysusers",
      "sysctl",
      "timedatectl",
      "visudo",
      "sshd",
      "nft",
      "apt-get",
      "chgrp",
    ])
      play(name);
  });
  afterEach(() => rmSync(root, { recursive: true }));

  /** Has a program note its calls, and fail at those that hold a word; at all of them where it is empty. */
  function play(name: string, failing?: string): void {
    const fails = failing === undefined ? "" : `case "$*" in *${failing}*) echo "no ${failing}"; exit 1 ;; esac`;
    writeFileSync(file(`bin/${name}`), `#!/bin/bash\necho "${name} $*" >>${file("calls")}\n${fails}\nexit 0\n`);
    chmodSync(file(`bin/${name}`), 0o755);
  }

  function apply(ssh: "on" | "off", metrics?: string) {
    writeFileSync(file("calls"), "");
    const more = metrics === undefined ? "" : `METRICS='${metrics}'\n`;
    writeFileSync(file("etc/tezos-signer/machine.env"), `SSH=${ssh}\nMAINTENANCE=03:15\n${more}`);
    const program = readFileSync(join(MACHINE, "bin/apply"), "utf8")
      .replaceAll(/(?<![\w.])\/(etc|var|opt|run)\//g, `${root}/$1/`)
      .replaceAll("/dev/console", "/dev/null");
    const env = { PATH: `${file("bin")}:${process.env.PATH}` };
    const { status, stdout, stderr } = spawnSync("bash", ["-c", program], {
      env,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
    expect(stderr).to.equal("");
    const calls = text("calls").replaceAll(root, "").trim().split("\n");
    const steps = text("var/lib/tezos-signer-machine/status").trim().split("\n");
    return { status, said: stdout, calls, steps };
  }

  for (const ssh of ["off", "on"] as const) {
    it(`does every step with SSH ${ssh}, the same when it is asked again`, () => {
      for (const _ of ["first", "again"]) {
        const { status, steps, said } = apply(ssh);
        expect({ status, said, steps }).to.deep.equal({
          status: 0,
          said: "",
          steps: STEPS.map((name) => `done ${name}`),
        });
      }
    });
  }

  it("lets no sshd run where the stack opens none: stopped, not started by anything, its port closed", () => {
    apply("on");
    const { calls } = apply("off");
    expect(calls.filter((call) => / ssh\.s|fail2ban/.test(call))).to.deep.equal([
      "systemctl disable --now ssh.service ssh.socket",
      "systemctl mask ssh.service ssh.socket",
      "systemctl cat fail2ban.service",
      "systemctl disable --now fail2ban.service",
    ]);
    expect(existsSync(file("etc/tezos-signer/ssh.nft"))).to.equal(false);
    expect(calls.at(-1)).to.equal("systemctl reload-or-restart tezos-signer-firewall.service");
  });

  it("opens sshd's port where the stack does, with sshd itself behind it, watched", () => {
    const { calls } = apply("on");
    expect(text("etc/tezos-signer/ssh.nft")).to.equal("add rule inet tezos-signer input tcp dport 22 accept\n");
    expect(calls.filter((call) => /ssh|fail2ban/.test(call) && !call.startsWith("visudo"))).to.deep.equal([
      "systemctl unmask ssh.service ssh.socket",
      "systemctl disable --now ssh.socket",
      "sshd -t",
      "systemctl enable ssh.service",
      "systemctl reload-or-restart ssh.service",
      "systemctl cat fail2ban.service",
      "systemctl enable --now fail2ban.service",
    ]);
  });

  it("opens the metrics port to the stack's addresses, with a token and a certificate that stay until it is closed", function () {
    requires(this, hasProgram("openssl"), "no openssl on PATH");
    apply("off");
    expect(existsSync(file("etc/tezos-signer/metrics.nft"))).to.equal(false);
    const { steps, calls } = apply("off", "84.20.19.1, 84.20.20.0/28");
    expect(steps).to.deep.equal(STEPS.map((name) => `done ${name}`));
    expect(text("etc/tezos-signer/metrics.nft")).to.equal(
      "add rule inet tezos-signer input ip saddr { 84.20.19.1, 84.20.20.0/28 } tcp dport 9584 accept\n",
    );
    const made = () => ["token", "cert.pem", "key.pem"].map((name) => text(`etc/tezos-signer/metrics/${name}`));
    const [token = "", certificate = ""] = made();
    expect(token).to.match(/^[0-9A-Za-z+/]{32}\n$/);
    const { subject, subjectAltName, validTo } = new X509Certificate(certificate);
    expect([subject, subjectAltName]).to.deep.equal(["CN=tezos-signer", "DNS:tezos-signer"]);
    expect(Date.parse(validTo)).to.be.above(Date.now() + 3_000 * 86_400_000);
    for (const name of ["token", "cert.pem", "key.pem"]) {
      expect(statSync(file(`etc/tezos-signer/metrics/${name}`)).mode & 0o777, name).to.equal(0o640);
    }
    expect(statSync(file("etc/tezos-signer/metrics")).mode & 0o777).to.equal(0o750);
    expect(calls).to.include("chgrp tezos-signer . token key.pem cert.pem");
    const before = made();
    apply("off", "84.20.21.1");
    expect(made()).to.deep.equal(before);
    apply("off", "");
    expect(existsSync(file("etc/tezos-signer/metrics"))).to.equal(false);
    expect(existsSync(file("etc/tezos-signer/metrics.nft"))).to.equal(false);
    apply("off", "84.20.19.1");
    expect(made()[0]).not.to.equal(token);
  });

  it("leaves nothing half-made of the metrics port, and opens the rest", () => {
    play("chgrp", "tezos-signer");
    const { status, steps } = apply("off", "84.20.19.1");
    expect(status).to.equal(0);
    expect(steps.find((step) => step.includes("metrics-port"))).to.match(/^failed metrics-port/);
    expect(existsSync(file("etc/tezos-signer/metrics"))).to.equal(false);
    play("chgrp");
    expect(apply("off", "84.20.19.1").steps).to.include("done metrics-port");
  });

  it("leaves sshd as it is where its new settings are wrong, and goes on with the rest", () => {
    play("sshd", "-t");
    const { status, steps, said, calls } = apply("on");
    expect(status).to.equal(0);
    expect(steps).to.deep.equal(
      STEPS.map((name) => (name === "remote-access" ? "failed remote-access: no -t " : `done ${name}`)),
    );
    expect(said).to.equal("tezos-signer-machine: failed remote-access: no -t \n");
    expect(calls).not.to.include("systemctl reload-or-restart ssh.service");
  });

  it("gives sudo no rules that it cannot read, and none that others may change", () => {
    apply("off");
    expect(statSync(file("etc/sudoers.d/10-tezos-signer")).mode & 0o777).to.equal(0o440);
    expect(text("etc/sudoers.d/10-tezos-signer")).to.equal(
      text("opt/tezos-signer/current/machine/files/etc/sudoers.d/10-tezos-signer"),
    );
    rmSync(file("etc/sudoers.d/10-tezos-signer"));
    play("visudo", "--check");
    expect(apply("off").steps).to.include("failed sudoers: no --check ");
    expect(existsSync(file("etc/sudoers.d/10-tezos-signer"))).to.equal(false);
  });

  it("fails where the firewall is not in force, and for nothing else", () => {
    play("systemctl", "tezos-signer-firewall");
    expect(apply("off").status).to.equal(1);
    play("systemctl");
    for (const name of ["systemd-sysusers", "sysctl", "timedatectl", "visudo", "sshd"]) play(name, "");
    const { status, steps } = apply("on");
    expect(status).to.equal(0);
    const failed = steps.filter((step) => step.startsWith("failed")).map((step) => step.split(/[ :]/)[1]);
    expect(failed).to.deep.equal(["user", "kernel", "sudoers", "remote-access", "clock"]);
  });

  it("sets the kernel by the release's own file, and the hour of upgrades and restarts by the stack's", () => {
    const { calls } = apply("off");
    expect(calls).to.include("sysctl --quiet --load /etc/sysctl.d/60-tezos-signer.conf");
    const timer = text("etc/systemd/system/apt-daily-upgrade.timer.d/tezos-signer.conf");
    expect(timer).to.match(
      /\[Timer\]\nOnCalendar=\nOnCalendar=\*-\*-\* 03:15 UTC\nRandomizedDelaySec=0\nPersistent=false\n$/,
    );
    const [reload, restart] = ["systemctl daemon-reload", "systemctl restart apt-daily-upgrade.timer"].map((call) =>
      calls.indexOf(call),
    );
    expect(reload)
      .to.be.at.least(0)
      .and.below(restart ?? 0);
  });
});
