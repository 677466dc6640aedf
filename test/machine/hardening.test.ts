import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";

const root = join(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(root, "machine/files/etc", path), "utf8");

/** What stands between the lines `chain NAME {` and `}` of the firewall. */
function chain(name: string): string[] {
  const [, body = ""] =
    new RegExp(`chain ${name} \\{\\n([^}]*(?:\\{[^}]*\\}[^}]*)*?)\\n  \\}`).exec(read("tezos-signer/firewall.nft")) ??
    [];
  return body
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

describe("the machine's firewall", () => {
  it("drops what comes in, but for answers, what the machine says to itself, ICMP, DHCP and the signer's port", () => {
    expect(chain("input")).to.deep.equal([
      "type filter hook input priority filter; policy drop;",
      "ct state established,related accept",
      "iif lo accept",
      "meta l4proto { icmp, ipv6-icmp } accept",
      'udp dport 68 accept comment "DHCP"',
      "tcp dport 6732 accept",
    ]);
  });

  it("hands nothing on from one network to another", () => {
    expect(chain("forward")).to.deep.equal(["type filter hook forward priority filter; policy drop;"]);
  });

  it("lets root and the signer alone ask for the machine's token, and for the signer's ports from inside", () => {
    expect(chain("output")).to.deep.equal([
      "type filter hook output priority filter; policy accept;",
      "ct state established accept",
      "ip daddr 169.254.169.254 meta skuid { root, tezos-signer } accept",
      "ip daddr 169.254.169.254 counter reject",
      "oif lo tcp dport { 6732, 9583, 9584 } meta skuid { root, tezos-signer } accept",
      "oif lo tcp dport { 6732, 9583, 9584 } counter reject",
    ]);
  });

  it("holds for IPv4 and IPv6, replaces what was there in one go, and opens sshd's port and that of metrics in files of their own alone", () => {
    const text = read("tezos-signer/firewall.nft").replaceAll(/^\s*#.*\n/gm, "");
    expect(text).to.match(/^table inet tezos-signer\ndelete table inet tezos-signer\ntable inet tezos-signer \{\n/);
    expect(text).to.match(
      /\}\ninclude "\/etc\/tezos-signer\/ssh\*\.nft"\ninclude "\/etc\/tezos-signer\/metrics\*\.nft"\n$/,
    );
    expect(text.match(/\bchain \w+/g)).to.deep.equal(["chain input", "chain forward", "chain output"]);
  });
});

describe("the machine's kernel", () => {
  /** A few of them hold more than one thing; each has its reason in the kernel's own pages (Documentation/admin-guide/sysctl). */
  const SETTINGS: Readonly<Record<string, string>> = {
    "kernel.dmesg_restrict": "1",
    "kernel.kptr_restrict": "2",
    // Nobody but root looks into another process.
    "kernel.yama.ptrace_scope": "2",
    "kernel.unprivileged_bpf_disabled": "1",
    "net.core.bpf_jit_harden": "2",
    "kernel.kexec_load_disabled": "1",
    "kernel.perf_event_paranoid": "3",
    "kernel.sysrq": "0",
    "fs.protected_fifos": "2",
    "fs.protected_hardlinks": "1",
    "fs.protected_regular": "2",
    "fs.protected_symlinks": "1",
    // No memory of a process that changed its rights is ever written out.
    "fs.suid_dumpable": "0",
    "net.ipv4.conf.all.accept_redirects": "0",
    "net.ipv4.conf.default.accept_redirects": "0",
    "net.ipv4.conf.all.send_redirects": "0",
    "net.ipv4.conf.default.send_redirects": "0",
    "net.ipv4.conf.all.accept_source_route": "0",
    "net.ipv4.conf.default.accept_source_route": "0",
    "net.ipv4.conf.all.rp_filter": "1",
    "net.ipv4.conf.default.rp_filter": "1",
    "net.ipv4.icmp_echo_ignore_broadcasts": "1",
    "net.ipv4.tcp_syncookies": "1",
    "net.ipv4.tcp_rfc1337": "1",
    "net.ipv6.conf.all.accept_redirects": "0",
    "net.ipv6.conf.default.accept_redirects": "0",
    "net.ipv6.conf.all.accept_ra": "0",
    "net.ipv6.conf.default.accept_ra": "0",
    "vm.swappiness": "10",
    // It comes back by itself.
    "kernel.panic": "10",
    "kernel.panic_on_oops": "1",
  };

  it("hides what it knows, lets no process look into another, takes no detour, and comes back after a panic", () => {
    const given = [...read("sysctl.d/60-tezos-signer.conf").matchAll(/^([\w.]+) = (\S+)$/gm)];
    expect(
      given.map(([, name]) => name),
      "each once",
    ).to.have.members(Object.keys(SETTINGS));
    expect(Object.fromEntries(given.map(([, name, value]) => [name, value]))).to.deep.equal(SETTINGS);
  });
});

describe("the way in for people", () => {
  it("by SSH needs a key, is nobody's as root, and forwards nothing", () => {
    const text = read("ssh/sshd_config.d/10-tezos-signer.conf");
    const given = Object.fromEntries([...text.matchAll(/^(\w+) (.+)$/gm)].map(([, name, value]) => [name, value]));
    expect(given).to.include({
      PermitRootLogin: "no",
      PasswordAuthentication: "no",
      KbdInteractiveAuthentication: "no",
      PermitEmptyPasswords: "no",
      AuthenticationMethods: "publickey",
      MaxAuthTries: "3",
      LoginGraceTime: "20",
      AllowAgentForwarding: "no",
      AllowTcpForwarding: "no",
      AllowStreamLocalForwarding: "no",
      X11Forwarding: "no",
      PermitTunnel: "no",
      PermitUserEnvironment: "no",
    });
    // sshd keeps the first value that it reads, and cloud-init's own file is 50-cloud-init.conf.
    expect(given).not.to.have.any.keys("Include", "Match", "AllowUsers");
    for (const weak of [/-cbc\b/, /\bhmac-(?:md5|sha1)\b/, /\bssh-rsa\b/, /diffie-hellman-group1-/, /\bssh-dss\b/]) {
      expect(text).not.to.match(weak);
    }
  });

  it("to root leaves a trace, and sudo keeps nobody's leave for later", () => {
    const lines = read("sudoers.d/10-tezos-signer").match(/^[^#\n].*$/gm);
    expect(lines).to.deep.equal([
      "Defaults use_pty",
      "Defaults timestamp_timeout=0",
      "Defaults passwd_tries=1",
      "Defaults !visiblepw",
      'Defaults secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"',
      'Defaults logfile="/var/log/sudo.log"',
    ]);
  });

  it("to the signer's commands is by the signer's own user, whoever asks", () => {
    expect(readFileSync(join(root, "machine/files/usr/local/bin/tezos-signer"), "utf8")).to.match(
      /\nexec runuser -u tezos-signer -- \/opt\/tezos-signer\/current\/tezos-signer "\$@"\n$/,
    );
    expect(read("sysusers.d/tezos-signer.conf")).to.match(
      /^u tezos-signer - "[^"]+" \/var\/lib\/tezos-signer \/usr\/sbin\/nologin$/m,
    );
  });

  it("is tried three times, and then closed for an hour and more", () => {
    const jail = read("fail2ban/jail.d/tezos-signer.conf");
    for (const line of [
      "bantime = 1h",
      "bantime.increment = true",
      "findtime = 10m",
      "maxretry = 3",
      "enabled = true",
    ]) {
      expect(jail.split("\n")).to.include(line);
    }
  });
});

describe("the machine by itself", () => {
  it("takes security upgrades every day, and restarts for them at the hour of maintenance", () => {
    const given = [...read("apt/apt.conf.d/52tezos-signer").matchAll(/^([\w:-]+) "([^"]*)";$/gm)];
    expect(Object.fromEntries(given.map(([, name, value]) => [name, value]))).to.include({
      "APT::Periodic::Update-Package-Lists": "1",
      "APT::Periodic::Unattended-Upgrade": "1",
      "Unattended-Upgrade::Automatic-Reboot": "true",
      "Unattended-Upgrade::Automatic-Reboot-WithUsers": "true",
      "Unattended-Upgrade::Automatic-Reboot-Time": "now",
    });
  });

  it("keeps its journal over a restart, and within bounds", () => {
    const given = read("systemd/journald.conf.d/tezos-signer.conf").split("\n");
    expect(given).to.include.members([
      "Storage=persistent",
      "SystemMaxUse=512M",
      "SystemKeepFree=1G",
      "RuntimeMaxUse=32M",
    ]);
  });

  it("asks for its token, its settings, its release and its own state without a proxy", () => {
    const programs = globSync(["machine/bin/*", "cloud-init/files/usr/local/sbin/*"], { cwd: root });
    const calls = programs.flatMap((program) => {
      const text = readFileSync(join(root, program), "utf8").replaceAll("\\\n", " ");
      return (text.match(/\bcurl --.*$/gm) ?? []).map((call) => `${program}: ${call}`);
    });
    expect(calls).to.have.length.at.least(6);
    expect(calls.filter((call) => !call.includes(" --noproxy '*' "))).to.deep.equal([]);
  });
});
