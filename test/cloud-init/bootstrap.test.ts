import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { hasProgram } from "../emulators/has-program.ts";
import { requires } from "../harness/requires.ts";

const PROGRAM = new URL("../../cloud-init/files/usr/local/sbin/tezos-signer-bootstrap", import.meta.url);
const SHA256 = "ab".repeat(32);
const RELEASE = { version: "0.2.0", sha256: SHA256, url: "https://storage/r.tar", clientId: "0b4d" };

/** The real program in a folder that stands for the machine, with other programs that only say that they were asked. */
describe("the bootstrap of a machine's first boot", () => {
  let root: string;
  const file = (name: string) => join(root, name);

  beforeEach(function () {
    requires(this, hasProgram("python3") && hasProgram("flock"), "python3 or flock is not installed");
    root = mkdtempSync(join(tmpdir(), "bootstrap-"));
    for (const folder of ["bin", `opt/releases/${SHA256}/node/bin`]) mkdirSync(file(folder), { recursive: true });
    play("curl", `[ -e ${file("user-data")} ] && base64 ${file("user-data")}`);
    play("systemctl", `[ -e ${file("updater-works")} ]`);
    // Each pause is one of the events of a test: after the last one the program is ended.
    play("sleep", `[ "$(grep -c '^sleep' ${file("calls")})" -lt 8 ] || kill "$PPID"`);
    program("fetch-release", "fetch-release", `cat ${file("fault")} 2>/dev/null; ! [ -e ${file("fault")} ]`);
    program(`opt/releases/${SHA256}/node/bin/node`, "updater", `ln -sfn releases/${SHA256} ${file("opt/current")}`);
  });
  afterEach(() => rmSync(root, { recursive: true }));

  /** A program that notes its call and then does something. */
  function program(path: string, name: string, does: string): void {
    writeFileSync(file(path), `#!/bin/bash\necho "${name} $*" >>${file("calls")}\n${does}\n`);
    chmodSync(file(path), 0o755);
  }
  const play = (name: string, does: string) => program(`bin/${name}`, name, does);

  /** Runs it to its end. @returns its exit status, what it said, and whom it asked */
  function boot() {
    writeFileSync(file("calls"), "");
    const text = readFileSync(PROGRAM, "utf8")
      .replace("root=/opt/tezos-signer", `root=${file("opt")}`)
      .replaceAll("/run/tezos-signer-updater.lock", file("lock"))
      .replaceAll("/usr/local/lib/tezos-signer/fetch-release", file("fetch-release"))
      .replaceAll("/dev/console", "/dev/null");
    const env = { PATH: `${file("bin")}:${process.env.PATH}` };
    const { status, stdout } = spawnSync("bash", ["-c", text], {
      env,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
    const calls = readFileSync(file("calls"), "utf8").trim().split("\n");
    return { status, said: stdout.trim().split("\n"), calls };
  }

  it("reads userData past any proxy, fetches the release that it names, and has the release's updater take it up", () => {
    writeFileSync(file("user-data"), JSON.stringify({ release: RELEASE, settings: {} }));
    const { status, said, calls } = boot();
    expect(status).to.equal(0);
    expect(said).to.deep.equal([`tezos-signer-bootstrap: release ${SHA256} is on the disk`]);
    const [asked, fetched, updated, ...others] = calls;
    expect(asked).to.match(
      /^curl --silent --fail --noproxy \* --max-time \d+ --header Metadata:true http:\/\/169\.254\.169\.254\//,
    );
    expect(fetched).to.equal(`fetch-release ${RELEASE.url} ${SHA256} ${RELEASE.clientId}`);
    expect(updated).to.equal(`updater ${file(`opt/releases/${SHA256}`)}/machine/updater/main.ts`);
    expect(others).to.deep.equal([]);
  });

  for (const [what, userData, fault, message] of [
    ["userData cannot be read", undefined, undefined, "the machine's userData cannot be read yet"],
    ["userData names no release", "{}", undefined, "the machine's userData names no release"],
    ["userData is no JSON", "release: x", undefined, "the machine's userData names no release"],
    [
      "the release cannot be fetched",
      JSON.stringify({ release: RELEASE }),
      "the storage answers 403",
      "no release yet: the storage answers 403",
    ],
  ] as const) {
    it(`tries again for ever where ${what}, a minute apart in the end, says so once, and takes up nothing`, () => {
      if (userData !== undefined) writeFileSync(file("user-data"), userData);
      if (fault !== undefined) writeFileSync(file("fault"), fault);
      const { said, calls } = boot();
      expect(said).to.deep.equal([`tezos-signer-bootstrap: ${message}`]);
      const pauses = calls.filter((call) => call.startsWith("sleep"));
      expect(pauses).to.deep.equal([2, 4, 8, 16, 32, 64, 60, 60].map((seconds) => `sleep ${seconds}`));
      expect(calls.filter((call) => call.startsWith("curl"))).to.have.length(8);
      expect(calls.filter((call) => call.startsWith("updater"))).to.deep.equal([]);
    });
  }

  it("leaves the machine to the updater of the release in use, where there is one", () => {
    symlinkSync(`releases/${SHA256}`, file("opt/current"));
    writeFileSync(file("updater-works"), "");
    const { status, calls } = boot();
    expect(status).to.equal(0);
    expect(calls).to.deep.equal(["systemctl daemon-reload", "systemctl start tezos-signer-updater.service"]);
  });

  it("has that release's updater finish what it began, where it left no unit that starts", () => {
    symlinkSync(`releases/${SHA256}`, file("opt/current"));
    const { calls } = boot();
    expect(calls.filter((call) => call.startsWith("updater"))[0]).to.equal(
      `updater ${file("opt/current")}/machine/updater/main.ts`,
    );
    expect(calls.filter((call) => /^(curl|fetch-release)/.test(call))).to.deep.equal([]);
  });

  it("never runs two updaters at once", () => {
    const text = readFileSync(PROGRAM, "utf8");
    expect(text.match(/machine\/updater\/main\.ts/g)).to.have.length(1);
    expect(text).to.match(/^update\(\) \{ flock \/run\/tezos-signer-updater\.lock "\$1\/node\/bin\/node"/m);
    const watch = readFileSync(new URL("../../machine/bin/watch", import.meta.url), "utf8");
    expect(watch).to.match(/flock \/run\/tezos-signer-updater\.lock /);
  });
});
