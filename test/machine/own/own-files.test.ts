import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { firstSettings } from "../../../machine/own/first-settings.ts";
import { OVERRIDES, overridesOf } from "../../../machine/own/overrides.ts";
import { DIFFERENCES, ownService } from "../../../machine/own/own-files.ts";
import { readSettings } from "../../../machine/own/parts.ts";
import { hasProgram } from "../../emulators/has-program.ts";
import { requires } from "../../harness/requires.ts";

const root = join(import.meta.dirname, "../../..");
const azure = readFileSync(join(root, "machine/files/etc/systemd/system/tezos-signer.service"), "utf8");
const own = ownService(azure);
const lines = (text: string) => text.split("\n").filter((line) => /^\w+=/.test(line));

describe("the service of a machine of one's own", () => {
  it("is Azure's but for the lines that docs/on-premises.md lists, with the reason for each", () => {
    const page = readFileSync(join(root, "docs/on-premises.md"), "utf8");
    const [, table = ""] = /\| line \| difference \| why \|\n(.*?)\n\n/s.exec(page) ?? [];
    const rows = table
      .split("\n")
      .slice(1)
      .map((row) => row.split(" | "));
    expect(rows.map((cells) => cells[2]?.replace(/ \|$/, ""))).to.deep.equal(DIFFERENCES.map(({ why }) => why));
    const changed = lines(own).filter((line) => !lines(azure).includes(line));
    const names = changed.map((line) => line.replace(/=.*/, "="));
    expect(new Set(names)).to.deep.equal(new Set(rows.map(([line]) => line?.replaceAll(/[`| ]/g, ""))));
    expect(lines(azure).length + 1).to.equal(lines(own).length);
  });

  it("starts the signer with settings in a file, and code from nowhere but release and system", () => {
    expect(own).to.match(
      /^ExecStart=\S+\/node --max-old-space-size=192 --max-semi-space-size=2 --disable-proto=throw --disable-sigusr1 signer\/tezos-signer\.js serve --config \/etc\/tezos-signer\/settings\.yaml$/m,
    );
    expect(own)
      .to.match(/^NoExecPaths=\/$/m)
      .and.to.match(/^ExecPaths=\/opt\/\S+ -\/opt\/tezos-signer\/current\/hardware /m);
  });

  it("says so where Azure's service has no such line any more", () => {
    expect(() => ownService(azure.replace(" serve --user-data", ""))).to.throw(/nothing like/);
  });

  it("is as little exposed as Azure's, by systemd's own count", function () {
    requires(this, hasProgram("systemd-analyze"), "systemd-analyze is not installed");
    const folder = mkdtempSync(join(tmpdir(), "own-service-"));
    try {
      const exposures = [azure, own].map((text) => {
        const unit = join(folder, "tezos-signer.service");
        writeFileSync(unit, text);
        const said = execFileSync("systemd-analyze", ["security", "--offline=true", "--no-pager", unit]).toString();
        return Number(/Overall exposure level for \S+: ([\d.]+)/.exec(said)?.[1]);
      });
      expect(exposures[1]).to.equal(exposures[0]).and.to.be.at.most(1.5);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("what systemd is told of the settings", () => {
  const settings = (keys: string, watermarks = "/var/lib/tezos-signer/watermarks.sqlite", listen = "{}") =>
    readSettings(`listen: ${listen}\nkeys: ${keys}\nwatermarks: { kind: sqlite, path: ${watermarks} }\n`);
  const token = (module: string) => `{ kind: pkcs11, module: ${module}, tokenLabel: t, pin: { file: pin } }`;
  const body = (text: string | undefined) => text?.replaceAll(/^#.*\n/gm, "");

  it("is the port that it holds, on IPv6 as well", () => {
    const { socket } = overridesOf(
      settings(token("/usr/lib/softhsm/libsofthsm2.so"), undefined, "{ host: '::1', port: 7 }"),
    );
    expect(body(socket)).to.equal("[Socket]\nListenStream=\nListenStream=[::1]:7\n");
    expect(OVERRIDES.socket).to.equal("/etc/systemd/system/tezos-signer.socket.d/50-settings.conf");
  });

  it("is nothing more where library and watermarks are where the sandbox has them", () => {
    expect(overridesOf(settings(token("/usr/lib/softhsm/libsofthsm2.so"))).service).to.equal(undefined);
  });

  it("is the folder of a library and of a watermark file elsewhere, and a board's kind of device", () => {
    const elsewhere = overridesOf(settings(token("/opt/cloudhsm/lib/libcloudhsm_pkcs11.so"), "/srv/marks/w.sqlite"));
    expect(body(elsewhere.service)).to.equal("[Service]\nExecPaths=/opt/cloudhsm/lib\nReadWritePaths=/srv/marks\n");
    expect(body(overridesOf(settings("{ kind: tezio, device: /dev/ttyACM0 }")).service)).to.equal(
      "[Service]\nPrivateDevices=no\nDeviceAllow=char-ttyACM rw\nSupplementaryGroups=dialout\n",
    );
  });

  it("names a folder as one, whatever is in its name", () => {
    const { service } = overridesOf(
      settings(
        '{ kind: pkcs11, module: "/opt/my hsm/50%/lib.so", tokenLabel: t, pin: { file: pin } }',
        "'/srv/a\"b/w'",
      ),
    );
    expect(body(service)).to.equal('[Service]\nExecPaths="/opt/my hsm/50%%"\nReadWritePaths="/srv/a\\"b"\n');
  });

  it("can be told of the settings that an installation begins with, with tokens and without", () => {
    for (const hasHardware of [true, false]) {
      const first = readSettings(firstSettings(hasHardware));
      expect(first.keys.kind).to.equal(hasHardware ? "pkcs11" : "azure-key-vault");
      expect(first.listen.host).to.equal("127.0.0.1");
      expect(first.watermarks.initialise).to.equal(undefined);
    }
  });
});
