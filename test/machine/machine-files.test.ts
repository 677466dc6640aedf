import { execFileSync, spawnSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { hasProgram } from "../emulators/has-program.ts";
import { requires } from "../harness/requires.ts";

const root = new URL("../../", import.meta.url).pathname;
const files = join(root, "machine/files");
const units = join(files, "etc/systemd/system");

/** What an attacker who runs code as the signer would still have, on systemd's scale from 0 (nothing) to 10. */
const HIGHEST_EXPOSURE = 1.5;

describe("the machine's files", () => {
  it(`leave the service an exposure of at most ${HIGHEST_EXPOSURE} by systemd's own count`, function () {
    requires(this, hasProgram("systemd-analyze"), "systemd-analyze is not installed");
    const unit = join(units, "tezos-signer.service");
    const said = execFileSync("systemd-analyze", ["security", "--offline=true", "--no-pager", unit]).toString();
    const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(said)?.[1]);
    console.log(`      exposure of tezos-signer.service: ${exposure}`);
    expect(exposure).to.be.at.most(HIGHEST_EXPOSURE);
  });

  it("are units that systemd accepts", function () {
    requires(this, hasProgram("systemd-analyze"), "systemd-analyze is not installed");
    const names = globSync("tezos-signer*.{service,socket}", { cwd: units }).map((name) => join(units, name));
    names.push(join(root, "cloud-init/files/etc/systemd/system/tezos-signer-bootstrap.service"));
    expect(names.length).to.be.at.least(8);
    const said = spawnSync("systemd-analyze", ["verify", "--man=no", ...names]).stderr.toString();
    const faults = said
      .split("\n")
      .filter((line) => names.some((name) => line.includes(name)) && !/is not executable|not found/.test(line));
    expect(faults).to.deep.equal([]);
  });

  it("give systemd no reason to close the signer's ports for good", () => {
    const service = readFileSync(join(units, "tezos-signer.service"), "utf8");
    expect(service)
      .to.match(/^Restart=always$/m)
      .and.to.match(/^StartLimitIntervalSec=0$/m);
    expect(service).not.to.match(/^(Condition|Assert|RestartPreventExitStatus|SuccessExitStatus)/m);
  });

  it("are firewall rules that nft accepts, with sshd's port and that of metrics, and without", function () {
    requires(this, hasProgram("nft") && process.getuid?.() === 0, "nft is not installed, or this is not root");
    const rules = readFileSync(join(files, "etc/tezos-signer/firewall.nft"), "utf8");
    const apply = readFileSync(join(root, "machine/bin/apply"), "utf8");
    const [ssh = "", metrics = ""] = [...apply.matchAll(/<<<['"](add rule .+)['"]/g)].map(([, rule = ""]) => rule);
    expect(ssh).to.include("dport 22");
    expect(metrics).to.include("dport 9584");
    for (const added of ["", ssh, metrics.replace("$METRICS", "84.20.19.1, 84.20.20.0/28")]) {
      // nft looks names up, and the user is made on the machine only.
      const input = `${rules.replaceAll("root, tezos-signer", "0, 999")}\n${added}\n`;
      const check = spawnSync("unshare", ["--net", "nft", "--check", "--file", "-"], { input });
      expect(check.stderr.toString()).to.equal("");
    }
  });

  it("are shell programs that their shells can read", () => {
    const programs = globSync(
      ["machine/bin/*", "machine/files/usr/local/*/*", "release/files/*", "cloud-init/files/usr/local/sbin/*"],
      { cwd: root },
    );
    expect(programs.length).to.be.at.least(10);
    for (const program of programs) {
      const text = readFileSync(join(root, program), "utf8");
      const shell = /^#!(\/bin\/(?:ba)?sh)\n/.exec(text)?.[1] ?? "";
      const { stderr, status } = spawnSync(shell, ["-n", join(root, program)], { encoding: "utf8" });
      expect(status, `${program}: ${stderr}`).to.equal(0);
    }
  });

  it("ends a step that hangs, names it, and goes on with the next", () => {
    const apply = readFileSync(join(root, "machine/bin/apply"), "utf8");
    const step = /^step\(\) \{[\s\S]*?^\}/m.exec(apply)?.[0].replaceAll("/dev/console", "/dev/null") ?? "";
    const status = join(mkdtempSync(join(tmpdir(), "tezos-signer-apply-")), "status");
    const script = `${step}\nhang() { sleep 300; }\nexport -f hang\nstatus=$1\nstep slow 1 hang\nstep next 60 true`;
    execFileSync("bash", ["-uo", "pipefail", "-c", script, "apply", status], { stdio: "ignore" });
    expect(readFileSync(`${status}.new`, "utf8")).to.match(/^failed slow: .*\ndone next\n$/);
    rmSync(dirname(status), { recursive: true });
  });
});
