import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { foreignNames } from "../../../machine/own/names.ts";
import { copyRelease, releaseHash } from "../../../machine/own/release-copy.ts";
import { leftElsewhere } from "../../../machine/own/remove.ts";
import { writeWhole } from "../../../machine/own/root-files.ts";
import { run } from "../../../machine/updater/command.ts";
import { Disk } from "../../../machine/updater/disk.ts";

const FILES = join(import.meta.dirname, "../../../machine/files");

describe("an installation on a machine of one's own", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "own-"));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function write(path: string, text: string): void {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }

  describe("finds what has its names and is another's", () => {
    const user = (home: string, shell: string) => write("etc/passwd", `tezos-signer:x:990:990::${home}:${shell}\n`);

    it("nothing on a new computer, and nothing of its own", () => {
      expect(foreignNames(root)).to.deep.equal([]);
      mkdirSync(join(root, "opt/tezos-signer/releases"), { recursive: true });
      mkdirSync(join(root, "etc/systemd/system"), { recursive: true });
      const target = "/opt/tezos-signer/current/machine/files/etc/systemd/system/tezos-signer.service";
      symlinkSync(target, join(root, "etc/systemd/system/tezos-signer.service"));
      user("/var/lib/tezos-signer", "/usr/sbin/nologin");
      expect(foreignNames(root)).to.deep.equal([]);
    });

    for (const [what, make, said] of [
      [
        "a unit",
        () => write("etc/systemd/system/tezos-signer.service", ""),
        /tezos-signer\.service is another program's/,
      ],
      [
        "a package's unit",
        () => write("usr/lib/systemd/system/tezos-signer.socket", ""),
        /tezos-signer\.socket is another/,
      ],
      ["a command", () => write("usr/local/bin/tezos-signer", ""), /bin\/tezos-signer is another program's/],
      ["a folder", () => write("opt/tezos-signer/bin/x", ""), /has bin in it/],
      ["a file in place of a folder", () => write("etc/tezos-signer", ""), /is no folder/],
      [
        "a folder that its group may write to",
        () => {
          write("etc/tezos-signer/settings.yaml", "");
          chmodSync(join(root, "etc/tezos-signer"), 0o770);
        },
        /\/etc\/tezos-signer may be written by others than root/,
      ],
      [
        "a file of its name that somebody wrote for systemd",
        () => write("etc/systemd/system/tezos-signer.service.d/50-settings.conf", "[Service]\nNice=5\n"),
        /50-settings\.conf is not this command's own/,
      ],
      ["a user", () => user("/home/tezos-signer", "/bin/bash"), /a user tezos-signer whose home is/],
      ["a stack's machine", () => write("etc/systemd/system/tezos-signer-updater.service", ""), /machine of a stack/],
    ] as const) {
      it(what, () => {
        make();
        expect(foreignNames(root).join("\n")).to.match(said);
      });
    }
  });

  describe("names, when it is removed, what it leaves elsewhere", () => {
    const settings = (keys: string, watermarks: string) =>
      `keys: { kind: local, path: ${keys} }\nwatermarks: { kind: sqlite, path: ${watermarks} }\npolicy: {}\n`;

    for (const [what, text, said] of [
      ["nothing without settings", undefined, undefined],
      ["nothing where all is in its own folders", settings("keys", "/var/lib/tezos-signer/w.sqlite"), undefined],
      ["watermarks on a disk of their own", settings("keys", "/srv/w.sqlite"), /^left, .*: \/srv\/w\.sqlite$/],
      ["what it cannot know, by settings that cannot be read", "keys: [", /cannot be read, so it is not known where/],
    ] as const) {
      it(what, () => {
        if (said === undefined) expect(leftElsewhere(text)).to.equal(undefined);
        else expect(leftElsewhere(text)).to.match(said);
      });
    }
  });

  describe("writes a file of root's whole or not at all", () => {
    it("on a disk that is full: the one before it stays, and no draft", () => {
      write("etc/settings.yaml", "before");
      const path = join(root, "etc/settings.yaml");
      symlinkSync("/dev/full", `${path}.new`);
      expect(() => writeWhole(path, "after")).to.throw(`${path} cannot be written: the disk is full.`);
      expect(readdirSync(dirname(path))).to.deep.equal(["settings.yaml"]);
      expect(readFileSync(path, "utf8")).to.equal("before");
    });

    it("where its owner cannot be changed", () => {
      const path = join(root, "settings.yaml");
      const give = () => {
        throw new Error("chown failed");
      };
      expect(() => writeWhole(path, "after", 0o600, give)).to.throw(`${path} cannot be written: chown failed.`);
      expect(readdirSync(root)).to.deep.equal([]);
    });
  });

  describe("copies a release to its place", () => {
    let source: string;
    let disk: Disk;
    /** Root alone gives files away. */
    const asUser: typeof run = (program, ...args) =>
      program === "chown" ? { status: 0, output: "" } : run(program, ...args);

    beforeEach(() => {
      source = join(root, "release");
      disk = new Disk(join(root, "opt"));
      const kept = ["etc/systemd/system/tezos-signer.service", "etc/systemd/system/tezos-signer.socket"];
      for (const file of [...kept, "etc/sudoers.d/10-tezos-signer"]) {
        write(`release/machine/files/${file}`, readFileSync(join(FILES, file), "utf8"));
      }
      write("release/archives/LIST", "");
      write(
        "release/unpack",
        '#!/bin/sh\ncd "$(dirname "$0")" && sha256sum --check --quiet MANIFEST >&2 && mkdir node\n',
      );
      chmodSync(join(source, "unpack"), 0o755);
      write("release/left-by-a-person", "");
      const listed = [
        "unpack",
        "archives/LIST",
        ...[...kept, "etc/sudoers.d/10-tezos-signer"].map((file) => `machine/files/${file}`),
      ];
      const sums = listed.map(
        (file) =>
          `${createHash("sha256")
            .update(readFileSync(join(source, file)))
            .digest("hex")}  ${file}`,
      );
      write("release/MANIFEST", `# a release\n${sums.join("\n")}\n`);
    });

    it("whole, named by its MANIFEST, unpacked anew, with the files of a machine of one's own alone", () => {
      const hash = releaseHash(source);
      expect(copyRelease(source, hash, disk, asUser)).to.deep.equal({ status: 0, output: "" });
      const place = disk.place(hash);
      expect(readdirSync(place).sort()).to.deep.equal(["MANIFEST", "machine", "node", "unpack"]);
      const units = join(place, "machine/files/etc/systemd/system");
      expect(readFileSync(join(units, "tezos-signer.service"), "utf8")).to.include(" serve --config ");
      expect(existsSync(join(place, "machine/files/etc/sudoers.d/10-tezos-signer"))).to.equal(false);
    });

    it("not at all where a file is not what MANIFEST says, or is missing", () => {
      const hash = releaseHash(source);
      writeFileSync(join(source, "archives/LIST"), "other");
      expect(copyRelease(source, hash, disk, asUser).output).to.match(/LIST|checksum/);
      rmSync(join(source, "archives/LIST"));
      expect(copyRelease(source, hash, disk, asUser).status).to.equal(1);
      expect(readdirSync(join(root, "opt/releases"))).to.deep.equal([]);
    });

    it("not on a full disk: it says so, and leaves nothing of it", () => {
      const said = [
        "node/bin/node: Cannot write: No space left on device",
        "Exiting with failure status due to previous errors",
      ];
      writeFileSync(
        join(source, "unpack"),
        `#!/bin/sh\nprintf 'tar: %s\\n' ${said.map((line) => `'${line}'`).join(" ")} >&2\nexit 2\n`,
      );
      const manifest = readFileSync(join(source, "MANIFEST"), "utf8");
      writeFileSync(join(source, "MANIFEST"), manifest.replace(/^[0-9a-f]+ {2}unpack$/m, `${"0".repeat(64)}  unpack`));
      expect(copyRelease(source, releaseHash(source), disk, asUser).output).to.include("No space left on device");
      expect(readdirSync(join(root, "opt/releases"))).to.deep.equal([]);
    });

    it("not where its folder cannot be made, and says which and why", () => {
      writeFileSync(join(root, "file"), "");
      const { status, output } = copyRelease(source, releaseHash(source), new Disk(join(root, "file/opt")), asUser);
      expect([status, output]).to.deep.equal([
        1,
        `${join(root, "file/opt")} cannot be made: a part of the path is no directory.`,
      ]);
    });

    it("not from a checkout, which is no release", () => {
      expect(() => releaseHash(root)).to.throw(/no MANIFEST.*npm run release/s);
    });
  });
});
