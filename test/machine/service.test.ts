import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { LIMITS } from "../../signer/http/limits.ts";

const UNITS = join(import.meta.dirname, "../../machine/files/etc/systemd/system");

/** The lines of a unit, without comments. */
function lines(unit: string): string[] {
  return readFileSync(join(UNITS, unit), "utf8").match(/^\w+=.*$/gm) ?? [];
}

/** The value of a directive that stands once. */
function value(unit: string, name: string): string {
  const found = lines(unit).filter((line) => line.startsWith(`${name}=`));
  expect(found, `${name}= in ${unit}`).to.have.length(1);
  return found[0]?.slice(name.length + 1) ?? "";
}

const megabytes = (text: string) => Number(/^(\d+)M$/.exec(text)?.[1]);

describe("the signer's service", () => {
  const SERVICE = "tezos-signer.service";

  describe("gives its process, by Node.js' own judgement,", () => {
    const command = value(SERVICE, "ExecStart").split(" ");
    const flags = command.slice(1, command.indexOf("signer/tezos-signer.js"));
    let root: string;

    before(() => {
      root = mkdtempSync(join(tmpdir(), "permissions-"));
      const folders = [
        "opt/tezos-signer/current/compiled",
        "var/lib/tezos-signer",
        "var/lib/tezos-signer-updater",
        "run/tezos-signer",
      ];
      for (const folder of folders) mkdirSync(join(root, folder), { recursive: true });
    });
    after(() => rmSync(root, { recursive: true }));

    /** What a process under the unit's flags may do, the machine's folders being below `root`. */
    function may(scope: string, path?: string): boolean {
      const own = flags.map((flag) => flag.replace(/=\/(opt|var|run)\//, `=${root}/$1/`));
      const asked = [scope, ...(path === undefined ? [] : [path.replace(/^\/(opt|var|run)\//, `${root}/$1/`)])];
      const script = `console.log(process.permission.has(...${JSON.stringify(asked)}))`;
      return execFileSync(process.execPath, [...own, "--eval", script], { encoding: "utf8" }) === "true\n";
    }

    for (const [scope, path, allowed] of [
      ["fs.read", "/opt/tezos-signer/releases/x/signer/main.ts", true],
      ["fs.write", "/opt/tezos-signer/releases/x/signer/main.ts", false],
      // Node.js reads its compile cache only where it may write it; that it is read-only is the system's doing.
      ["fs.write", "/opt/tezos-signer/current/compiled/v24/0123abcd", true],
      ["fs.write", "/opt/tezos-signer/current/node/bin/node", false],
      ["fs.read", "/var/lib/tezos-signer/settings.yaml", true],
      ["fs.write", "/var/lib/tezos-signer/settings.yaml", true],
      ["fs.read", "/var/lib/tezos-signer-updater/state.json", true],
      ["fs.write", "/var/lib/tezos-signer-updater/retry", false],
      ["fs.read", "/run/tezos-signer/confirm.sock", true],
      ["fs.write", "/run/tezos-signer/confirm.sock", true],
      ["fs.read", "/var/lib/waagent/ovf-env.xml", false],
      ["fs.read", "/etc/passwd", false],
      ["fs.read", "/proc/self/environ", false],
      ["fs.write", "/tmp/x", false],
      ["child", undefined, false],
      ["worker", undefined, false],
      ["addon", undefined, false],
      ["wasi", undefined, false],
      ["inspector", undefined, false],
    ] as const) {
      it(`${allowed ? "the right to" : "no right to"} ${scope} ${path ?? ""}`, () => {
        expect(may(scope, path)).to.equal(allowed);
      });
    }

    it("no limit of journald's on its lines, which would take a person's decision with the rest", () => {
      expect(value(SERVICE, "LogRateLimitIntervalSec")).to.equal("0");
    });

    it("no way to change every object at once, and an end before the machine's memory is full", () => {
      expect(flags).to.include.members(["--permission", "--disable-proto=throw", "--disable-sigusr1", "--no-addons"]);
      const heap = Number(flags.find((flag) => flag.startsWith("--max-old-space-size="))?.split("=")[1]);
      const [high, most] = ["MemoryHigh", "MemoryMax"].map((name) => megabytes(value(SERVICE, name)));
      expect([heap, high, most, 1_024]).to.deep.equal(
        [heap, high, most, 1_024].toSorted((a, b) => Number(a) - Number(b)),
      );
    });
  });

  it("never swaps, dumps no memory, and is the last to be ended where memory runs out", () => {
    for (const line of ["MemorySwapMax=0", "LimitCORE=0", "OOMScoreAdjust=-800"]) {
      expect(lines(SERVICE)).to.include(line);
    }
    for (const unit of ["tezos-signer-updater.service"]) expect(Number(value(unit, "OOMScoreAdjust"))).to.be.above(0);
  });

  it("has files and tasks enough for all the connections that it takes, and not without end", () => {
    expect(Number(value(SERVICE, "LimitNOFILE"))).to.be.within(2 * LIMITS.maxConnections, 4_096);
    expect(Number(value(SERVICE, "TasksMax"))).to.be.within(32, 64);
  });

  it("runs as a user of its own, without a capability, in a sandbox that hides and freezes the rest of the machine", () => {
    const sandbox = `User=tezos-signer Group=tezos-signer UMask=0077 StateDirectoryMode=0700 RuntimeDirectoryMode=0750
      NoNewPrivileges=yes CapabilityBoundingSet= AmbientCapabilities= ProtectSystem=strict ProtectHome=yes PrivateTmp=yes
      PrivateDevices=yes PrivateUsers=yes PrivateIPC=yes ProtectClock=yes ProtectHostname=yes ProtectKernelLogs=yes
      ProtectKernelModules=yes ProtectKernelTunables=yes ProtectControlGroups=yes ProtectProc=invisible ProcSubset=pid
      LockPersonality=yes RestrictRealtime=yes RestrictSUIDSGID=yes RestrictNamespaces=yes RemoveIPC=yes KeyringMode=private
      DevicePolicy=closed SystemCallArchitectures=native SystemCallErrorNumber=EPERM NoExecPaths=/`;
    expect(lines(SERVICE)).to.include.members(sandbox.split(/\s+/));
    expect(lines(SERVICE)).to.include.members([
      "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
      "SystemCallFilter=@system-service",
      "SystemCallFilter=~@privileged @resources",
    ]);
    const widening =
      /^(ReadWritePaths|BindPaths|SupplementaryGroups|DeviceAllow|PermissionsStartOnly|ExecStart(Pre|Post)?=[+!-])/;
    expect(lines(SERVICE).filter((line) => widening.test(line))).to.deep.equal([]);
    expect(value(SERVICE, "ExecPaths").split(" ")).to.have.members([
      ...["/opt/tezos-signer/current/node/bin", "/opt/tezos-signer/current/machine/bin"],
      ...["/usr/bin/curl", "/usr/bin/dash", "/usr/bin/sleep", "/usr/lib", "-/lib", "-/lib64", "-/usr/lib64"],
    ]);
  });

  it("is ended gently, its helpers with it, and is started again at once, for ever", () => {
    expect(lines(SERVICE)).to.include.members([
      "KillMode=mixed",
      "Restart=always",
      "RestartSec=100ms",
      "StartLimitIntervalSec=0",
      "Sockets=tezos-signer.socket tezos-signer-admin.socket",
      "ExecStartPost=/opt/tezos-signer/current/machine/bin/alive 40",
    ]);
    expect(
      lines(SERVICE).filter((line) => /^(SendSIGKILL|KillSignal|RestartPreventExitStatus)=/.test(line)),
    ).to.deep.equal([]);
  });

  it("has no line by which systemd would give up on it, and close its port for good", () => {
    const gives =
      /^(?:Condition|Assert)\w+=|^(?:Requires|Requisite|BindsTo|PartOf|Conflicts|JobTimeoutSec|StartLimitAction)=/;
    const counts = /^(?:SuccessExitStatus|RestartForceExitStatus|RestartSteps|RestartMaxDelaySec|RestartMode)=/;
    expect(lines(SERVICE).filter((line) => gives.test(line) || counts.test(line))).to.deep.equal([]);
    for (const [socket, port, name] of [
      ["tezos-signer.socket", "0.0.0.0:6732", "signer"],
      ["tezos-signer-admin.socket", "127.0.0.1:9583", "admin"],
    ] as const) {
      const said = lines(socket).filter((line) => /^\w+=/.test(line) && !line.startsWith("Description="));
      const own = [`ListenStream=${port}`, `FileDescriptorName=${name}`, `Service=${SERVICE}`];
      expect(said, socket).to.deep.equal([...own, "WantedBy=sockets.target"]);
    }
  });

  it("has the processor and the disk before whatever upgrades the machine", () => {
    const shares = (unit: string) => ["CPUWeight", "IOWeight"].map((name) => Number(value(unit, name)));
    expect(shares(SERVICE)).to.deep.equal([1_000, 1_000]);
    expect(shares("tezos-signer-updater.service")).to.deep.equal([10, 10]);
    expect(lines("tezos-signer-packages.service")).to.include.members(["Nice=10", "IOSchedulingClass=idle"]);
  });

  it("comes after the firewall, which is up before the network is, and is started at each boot", () => {
    expect(value(SERVICE, "After")).to.include("tezos-signer-firewall.service");
    const firewall = lines("tezos-signer-firewall.service");
    expect(firewall).to.include.members([
      "DefaultDependencies=no",
      "Before=network-pre.target shutdown.target",
      "Wants=network-pre.target",
      "RemainAfterExit=yes",
      "ExecStart=/usr/sbin/nft -f /etc/tezos-signer/firewall.nft",
      "WantedBy=sysinit.target",
    ]);
    for (const [unit, target] of [
      [SERVICE, "multi-user.target"],
      ["tezos-signer-updater.service", "multi-user.target"],
      ["tezos-signer-packages.service", "multi-user.target"],
      ["tezos-signer.socket", "sockets.target"],
      ["tezos-signer-admin.socket", "sockets.target"],
    ] as const) {
      expect(value(unit, "WantedBy"), unit).to.equal(target);
    }
  });
});
