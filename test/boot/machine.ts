import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { limitMemory, limitServices } from "./memory.ts";

/** The machine's address in its virtual network, and the gateway's, where everything else is. */
export const MACHINE = "10.90.0.4";
export const GATEWAY = "10.90.0.1";
/** The baker's address, one that is no baker's, and the instance metadata service: all at the other end of the wire. */
export const BAKER = "203.0.113.7";
export const STRANGER = "198.51.100.9";
export const IMDS = "169.254.169.254";
/** The storage accounts' addresses: the watermarks' and the releases'. */
export const TABLE = "10.90.0.2";
export const BLOB = "10.90.0.3";

const NAMESPACE = "machine";
/** How much slower than a quiet computer this one may be: no test is decided by that. */
const PATIENCE = 3;

let isNetworkMade = false;

/** The wire between the machine and its world; made once, in this process's own network. */
export function connectNetwork(): void {
  if (isNetworkMade) return;
  isNetworkMade = true;
  const run = (line: string) => execFileSync("ip", line.split(" "));
  run(`netns add ${NAMESPACE}`);
  run(`link add name world type veth peer name eth0 netns ${NAMESPACE}`);
  for (const address of [`${GATEWAY}/24`, `${BAKER}/32`, `${STRANGER}/32`, `${IMDS}/32`, `${TABLE}/32`, `${BLOB}/32`])
    run(`addr add ${address} dev world`);
  run("link set world up");
  run(`-n ${NAMESPACE} link set lo up`);
  run(`-n ${NAMESPACE} addr add ${MACHINE}/24 dev eth0`);
  run(`-n ${NAMESPACE} link set eth0 up`);
  run(`-n ${NAMESPACE} route add default via ${GATEWAY}`);
}

/** Cuts the wire, or mends it: nothing outside answers meanwhile, the metadata service neither. */
export function connect(on: boolean): void {
  const run = (line: string) => execFileSync("ip", ["-n", NAMESPACE, ...line.split(" ")]);
  run(`link set eth0 ${on ? "up" : "down"}`);
  if (on) run(`route add default via ${GATEWAY}`);
}

/** Whether the wire is whole. */
export function isConnected(): boolean {
  const [state] = JSON.parse(
    execFileSync("ip", ["-n", NAMESPACE, "-json", "link", "show", "eth0"], { encoding: "utf8" }),
  );
  return state.flags.includes("UP");
}

export interface MachineOptions {
  /** The Debian root to start from; never written to. */
  readonly root: string;
  /** What cloud-init gets as Azure's customData. */
  readonly customData: Uint8Array;
  /** Files that stand for what Azure's image and network give, by path. */
  readonly files: Readonly<Record<string, string>>;
  /** Folder of this computer's disk for the machine's own. */
  readonly disks: string;
  /** Memory in bytes; the smallest machine has 1 GiB. It has one processor. */
  readonly memory?: number;
}

/** One virtual machine: Debian's systemd and cloud-init in a container, with a disk of its own. */
export class Machine {
  readonly #folder: string;
  readonly #disk: string;
  readonly #memory: number;
  #process: ChildProcess | undefined;
  #console = "";
  #bootedAt = 0;

  constructor({ root, customData, files, disks, memory = 2 ** 30 }: MachineOptions) {
    this.#folder = mkdtempSync(join(disks, "machine-"));
    this.#disk = join(this.#folder, "disk");
    this.#memory = memory;
    for (const part of ["upper", "work", "disk"]) mkdirSync(join(this.#folder, part));
    const layers = `lowerdir=${root},upperdir=${this.#folder}/upper,workdir=${this.#folder}/work`;
    execFileSync("mount", ["-t", "overlay", "overlay", "-o", layers, this.#disk]);
    const seed = "/var/lib/cloud/seed/nocloud";
    this.write(`${seed}/user-data`, customData);
    this.write(`${seed}/meta-data`, "instance-id: boot-test\nlocal-hostname: signer\n");
    // The network is there already, as the container's host made it.
    this.write(`${seed}/network-config`, "config: disabled\n");
    this.write(
      "/etc/systemd/system/systemd-networkd-wait-online.service.d/none.conf",
      "[Service]\nExecStart=\nExecStart=true\n",
    );
    for (const [path, content] of Object.entries(files)) this.write(path, content);
  }

  /** Everything that the machine has said on its console, as Azure's serial log shows it. */
  get console(): string {
    return this.#console;
  }

  /** When power was last switched on, milliseconds since 1970. */
  get bootedAt(): number {
    return this.#bootedAt;
  }

  write(path: string, content: string | Uint8Array): void {
    mkdirSync(dirname(join(this.#disk, path)), { recursive: true });
    writeFileSync(join(this.#disk, path), content);
  }

  read(path: string): string {
    return readFileSync(join(this.#disk, path), "utf8");
  }

  has(path: string): boolean {
    return existsSync(join(this.#disk, path));
  }

  /** Switches the machine on. */
  start(): void {
    // What an earlier machine left in this network belongs to its kernel, not to its disk.
    execFileSync("ip", ["netns", "exec", NAMESPACE, "nft", "flush", "ruleset"]);
    this.#bootedAt = Date.now();
    const options = [
      "--boot",
      "--quiet",
      "--register=no",
      "--keep-unit",
      "--console=read-only",
      "--machine=signer",
      "--capability=CAP_NET_ADMIN",
    ];
    const network = `--network-namespace-path=/run/netns/${NAMESPACE}`;
    const boot = ["systemd-nspawn", "--directory", this.#disk, ...options, network];
    // One processor, and a control group of its own for the memory; the shell that enters it becomes the machine.
    const group = basename(dirname(this.#folder));
    const enter = `${limitMemory(this.#memory, group)} && exec taskset --cpu-list ${process.env.BOOT_PROCESSOR ?? "0"} "$@"`;
    this.#process = spawn("sh", ["-c", enter, "sh", ...boot], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, SYSTEMD_NSPAWN_LOCK: "0" },
    });
    const stop = limitServices(group, async (service) => {
      const bytes = await this.output(`systemctl show --value --property MemoryMax ${service}`);
      return /^\d+$/.test(bytes) ? Number(bytes) : undefined;
    });
    this.#process.once("exit", stop);
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: systemd colours what it says
        this.#console += text.replace(/\u001b\[[0-9;?]*[A-Za-z]|\r/g, "");
      });
    }
  }

  /** Cuts its power: nothing that was not on the disk is there at the next start. */
  async cutPower(): Promise<void> {
    await this.#end((running) => this.#kill(running));
  }

  /** Switches it off the way Azure does: the system is told, and has half a minute. */
  async stop(): Promise<void> {
    let patience: NodeJS.Timeout | undefined;
    await this.#end((running) => {
      patience = setTimeout(() => this.#kill(running), 30_000);
      running.kill("SIGTERM");
    });
    clearTimeout(patience);
  }

  /** Has something end the machine, and waits until it is off. */
  async #end(act: (running: ChildProcess) => void): Promise<void> {
    const running = this.#process;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const ended = once(running, "exit");
    act(running);
    await ended;
    this.#process = undefined;
  }

  /** The first process takes all others with it; its supervisor alone would leave them running on the disk. */
  #kill(running: ChildProcess): void {
    const init = this.#init();
    if (init !== undefined) process.kill(Number(init), "SIGKILL");
    running.kill("SIGKILL");
  }

  async reboot(): Promise<void> {
    await this.stop();
    this.start();
  }

  /** Takes the machine away, with its disk. */
  async remove(): Promise<void> {
    await this.cutPower();
    execFileSync("umount", [this.#disk]);
    rmSync(this.#folder, { recursive: true });
  }

  /**
   * Runs a command line on the machine as root. What the machine asks meanwhile, this process can answer.
   * @param seconds after which it is ended
   */
  async run(command: string, seconds = 120): Promise<{ readonly status: number | null; readonly output: string }> {
    const [program, ...words] = this.inside;
    if (program === undefined) return { status: null, output: "the machine is off" };
    const running = spawn(program, [...words, "/bin/sh", "-c", command], {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 1_000 * seconds,
    });
    let output = "";
    for (const stream of [running.stdout, running.stderr]) stream.on("data", (chunk) => (output += chunk));
    const [status] = (await once(running, "close")) as [number | null];
    return { status, output: output.trim() };
  }

  /** The beginning of a command that runs on the machine as root; nothing while it is off. */
  get inside(): readonly string[] {
    const init = this.#init();
    if (init === undefined) return [];
    return ["nsenter", "--target", init, "--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd"];
  }

  /** The first process of a service, seen from here; undefined while it has none. */
  async processOf(service: string): Promise<number | undefined> {
    const inside = await this.output(`systemctl show --value --property MainPID ${service}`);
    if (!/^[1-9]\d*$/.test(inside)) return undefined;
    const names = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    const init = this.#init();
    const found = names.find((pid) => {
      try {
        const ids = /^NSpid:\s+(.+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]?.split(/\s+/) ?? [];
        return ids.at(-1) === inside && namespaceOf(pid) === namespaceOf(init ?? "");
      } catch {
        return false; // it has ended
      }
    });
    return found === undefined ? undefined : Number(found);
  }

  /** What a command line prints, run on the machine as root. */
  async output(command: string): Promise<string> {
    return (await this.run(command)).output;
  }

  /** The container's first process, seen from here. */
  #init(): string | undefined {
    const parent = this.#process?.pid;
    if (parent === undefined) return undefined;
    const children = readFileSync(`/proc/${parent}/task/${parent}/children`, "utf8").trim();
    return children === "" ? undefined : children.split(" ")[0];
  }

  /**
   * Waits until `met` gives a value other than undefined; fails with the console's last lines.
   * @param seconds what it takes on a quiet computer at the most; a busy one has more
   */
  async until<T>(what: string, seconds: number, met: () => T | undefined | Promise<T | undefined>): Promise<T> {
    for (const end = Date.now() + seconds * 1000 * PATIENCE; Date.now() < end; await sleep(200)) {
      const value = await met();
      if (value !== undefined) return value;
    }
    throw new Error(
      `${what}: not within ${seconds * PATIENCE} s. The console's last lines:\n${this.#console.split("\n").slice(-25).join("\n")}`,
    );
  }

  /** Waits for a text on the console. */
  async says(text: string | RegExp, seconds: number): Promise<void> {
    const found = () => (typeof text === "string" ? this.#console.includes(text) : text.test(this.#console));
    await this.until(`the console says ${text}`, seconds, () => found() || undefined);
  }
}

function namespaceOf(pid: string): string {
  return readlinkSync(`/proc/${pid}/ns/pid`);
}
