import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { verifySignature } from "@taquito/utils";
import { expect } from "chai";
import { sign } from "../emulators/octez-client.ts";
import { attestation } from "../fixtures/payloads.ts";
import { hardwareRelease } from "./hardware-release.ts";

const FOLDER = join(import.meta.dirname, "../../container");

/** container/Containerfile: each instruction with its words. */
const steps = readFileSync(join(FOLDER, "Containerfile"), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)] as const);

/** The steps of the Containerfile in a Debian root, since no base image can be had here; its network is this test's own. */
describe("the container with signer and SoftHSM2", () => {
  let folder: string;
  let disk: string;
  let running: ChildProcess | undefined;
  let said = "";
  let address = "";
  let publicKey = "";

  before(async () => {
    const { BOOT_ROOT: root = "", BOOT_DISKS: disks = "" } = process.env;
    folder = mkdtempSync(join(disks, "container-"));
    disk = join(folder, "disk");
    for (const part of ["upper", "work", "disk"]) mkdirSync(join(folder, part));
    const layers = `lowerdir=${root},upperdir=${folder}/upper,workdir=${folder}/work`;
    execFileSync("mount", ["-t", "overlay", "overlay", "-o", layers, disk]);
    const { content } = await hardwareRelease();
    const context: Readonly<Record<string, Buffer>> = {
      "release.tar": content,
      start: readFileSync(join(FOLDER, "start")),
    };
    for (const [instruction, words] of steps) {
      if (instruction === "COPY") {
        const [from = "", to = ""] = words.split(" ");
        writeFileSync(join(disk, to), context[from] ?? "");
      } else if (instruction === "RUN" && !words.startsWith("apt-get ")) {
        execFileSync("systemd-nspawn", inside("root", "/", ["/bin/sh", "-c", words]), {
          stdio: ["ignore", "pipe", "pipe"],
          env,
        });
      }
    }
  });

  after(async () => {
    await kill();
    execFileSync("umount", [disk]);
    rmSync(folder, { recursive: true });
  });

  const env = { PATH: process.env.PATH, SYSTEMD_NSPAWN_LOCK: "0" };
  const value = (wanted: string) => steps.find(([instruction]) => instruction === wanted)?.[1] ?? "";

  function inside(user: string, at: string, command: readonly string[]): string[] {
    const options = ["--quiet", "--register=no", "--keep-unit", "--as-pid2", "--console=pipe", "--machine=container"];
    return [
      ...options,
      `--directory=${disk}`,
      `--user=${user}`,
      `--chdir=${at}`,
      `--setenv=${value("ENV")}`,
      ...command,
    ];
  }

  /** Starts what the Containerfile starts, and waits until it listens. */
  async function start(): Promise<void> {
    said = "";
    const command = JSON.parse(value("CMD")) as string[];
    running = spawn("systemd-nspawn", inside(value("USER"), value("WORKDIR"), command), {
      stdio: ["ignore", "pipe", "pipe"],
      env,
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    for (const stream of [running.stdout, running.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        if (/^Signer +http/m.test(said)) resolve();
      });
    }
    running.once("exit", () => reject(new Error(`The container ended:\n${said}`)));
    await promise;
    running.removeAllListeners("exit");
  }

  /** Kills all of it: its first process takes the others along, which the supervisor alone would leave. */
  async function kill(): Promise<void> {
    const pid = running?.pid;
    if (running === undefined || pid === undefined || running.exitCode !== null) return;
    const ended = once(running, "close");
    const [first] = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
    if (first) process.kill(Number(first), "SIGKILL");
    await ended;
    running = undefined;
  }

  async function attest(level: number) {
    const payload = attestation({ level, round: 0 }).toString("hex");
    const answer = await sign("http://127.0.0.1:6732", address, payload, {
      retries: 0,
      signal: AbortSignal.timeout(20_000),
    });
    if (answer.signature !== undefined) expect(verifySignature(payload, publicKey, answer.signature)).to.equal(true);
    return answer.status;
  }

  it("has SoftHSM2 from Debian's own packages, which its first step installs", () => {
    expect(value("FROM")).to.match(/^debian:bookworm/);
    expect(value("RUN")).to.match(/^apt-get update && apt-get install .* softhsm2 /);
    expect(execFileSync("chroot", [disk, "dpkg-query", "--show", "softhsm2"]).toString()).to.match(/^softhsm2\t2\.6/);
  });

  it("makes token and key at its first start, and signs", async () => {
    await start();
    address = /tz3\w{33}/.exec(said)?.[0] ?? "";
    publicKey = /p2pk\w+/.exec(said)?.[0] ?? "";
    expect(await attest(100)).to.equal(200);
    expect(await attest(99)).to.equal(409);
  });

  it("has the same key and the same marks after it was killed", async () => {
    await kill();
    await start();
    expect(said).to.include(address);
    expect(await attest(99)).to.equal(409);
    expect(await attest(101)).to.equal(200);
  });
});
