import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Disk } from "../../machine/updater/disk.ts";
import { MachineFiles } from "../../machine/updater/machine-files.ts";
import type { Service } from "../../machine/updater/service.ts";
import { StateFile } from "../../machine/updater/state.ts";
import type { Outcome } from "../../machine/updater/trial.ts";
import { settingsVersion, Upgrade } from "../../machine/updater/upgrade.ts";
import type { UserDataDocument } from "../../signer/azure/user-data-document.ts";

/** How a release behaves. */
export interface Behaviour {
  /** What its trial says; absent: ready. */
  readonly trial?: Outcome;
  /** Ends by itself so many milliseconds after its start. */
  readonly endsAfter?: number;
  /** Whether it gets ready; absent: when vault and table are there. */
  readonly ready?: false;
  /** Its firewall: lets nothing out, or is none that nft takes. */
  readonly firewall?: "closed" | "refused";
  /** systemd does not take its unit: the process before it stays. */
  readonly unit?: "refused";
}

/** Thrown in the middle of a run: nothing after it happens. */
export class Killed extends Error {}

/** A machine with a real disk and state file, and the rest played: systemd, the signer, the storage, the clock. */
export class FakeMachine {
  readonly folder = mkdtempSync(join(tmpdir(), "updater-"));
  readonly opt = join(this.folder, "opt");
  readonly said: string[] = [];
  /** Names of the calls so far, each before it is done and after. */
  readonly calls: string[] = [];
  readonly behaviours = new Map<string, Behaviour>();
  /** Why a release cannot be fetched; undefined where it can. */
  unreachable: string | undefined;
  /** Why Node.js' modules are not compiled in advance; undefined where they are. */
  uncompiled: string | undefined;
  /** Whether vault and table answer. */
  vault = true;
  /** Whose firewall is in force. */
  firewall: string | undefined;
  /** Told each step, before the run may be killed there. */
  onStep: (name: string) => void = () => undefined;
  now = 0;
  /** When after its start a process once does not answer, milliseconds. */
  unreadyAt = Number.POSITIVE_INFINITY;
  userData: UserDataDocument;
  /** The running process: its release and when it started. */
  process: { readonly pid: number; readonly release: string; readonly since: number } | undefined;
  /** Releases that were ready once. */
  readonly #good = new Set<string>();
  #killAt = Number.POSITIVE_INFINITY;
  #pids = 100;

  constructor() {
    mkdirSync(join(this.folder, "etc"), { recursive: true });
    mkdirSync(join(this.opt, "releases"), { recursive: true });
    this.userData = { release: undefined, machine: { ssh: false, maintenance: "04:30", metrics: [] }, settings: "{}" };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  /** Has userData name a release. */
  want(name: string, settings = "{}"): void {
    const release = { version: name, sha256: sha256Of(name), url: `https://storage/${name}`, clientId: "client" };
    this.userData = { ...this.userData, release, settings };
  }

  /** Name of the release that `current` leads to. */
  get current(): string | undefined {
    const { current } = new Disk(this.opt);
    return current === undefined ? undefined : nameOf(current);
  }

  /** Power off and on: systemd starts what `current` names. */
  reboot(): void {
    this.process = undefined;
    this.#killAt = Number.POSITIVE_INFINITY;
    const { current } = new Disk(this.opt);
    if (current !== undefined) this.#start(current);
  }

  /** Has the run end at a call, counted from now on. */
  killAt(call: number): void {
    this.calls.length = 0;
    this.#killAt = call;
  }

  state() {
    return new StateFile(join(this.folder, "state.json")).now;
  }

  /** One run of the updater, as main.ts makes it. */
  async run(): Promise<string> {
    const upgrade = this.#upgrade();
    const resumed = await upgrade.resume(this.userData.machine);
    const end = await upgrade.towards(this.userData);
    return resumed === "again" ? resumed : end;
  }

  /** Somebody deletes a release's folder, to make room. */
  delete(name: string): void {
    rmSync(join(this.opt, "releases", sha256Of(name)), { recursive: true });
  }

  /** What `tezos-signer-retry` has the next run begin with. */
  forgive(): void {
    this.#upgrade().forgive();
  }

  #upgrade(): Upgrade {
    const disk = this.#watched("disk", new Disk(this.opt), ["use", "keep", "prune"]);
    const state = this.#watched("state", new StateFile(join(this.folder, "state.json")), ["note"]);
    const files = this.#watched("files", new MachineFiles(this.folder, this.opt), ["link", "unlinkDead", "set"]);
    return new Upgrade({
      disk,
      state,
      files,
      service: this.#service(),
      trial: (place) => this.#call("trial", () => this.#tried(place)),
      compile: () => this.#call("compile", () => this.uncompiled),
      fetch: ({ sha256 }) => this.#call("fetch", () => this.#fetched(sha256)),
      apply: async () =>
        this.#call("apply", () => {
          this.firewall = this.current;
          return this.#behaviour(new Disk(this.opt).current ?? "").firewall !== "refused";
        }),
      firewall: (place) => {
        this.firewall = nameOf(place.split("/").at(-1) ?? "");
      },
      isWanted: async (sha256, settings) =>
        this.userData.release?.sha256 === sha256 && settingsVersion(this.userData.settings) === settings,
      versionAt: (place) => nameOf(place.split("/").at(-1) ?? ""),
      say: (text) => void this.said.push(text),
      watch: 40_000,
      clock: () => this.now,
    });
  }

  #service(): Service {
    const machine = this;
    const service = {
      get process() {
        machine.#tick(0);
        return machine.process === undefined ? undefined : String(machine.process.pid);
      },
      get release() {
        machine.#tick(0);
        return machine.process?.release;
      },
      settledRelease: async () => service.release,
      restart: (place: string) => machine.#call("restart", () => machine.#start(place.split("/").at(-1) ?? "")),
      readiness: async () => machine.#readiness(),
      pause: async () => machine.#tick(1_000),
    };
    return service as unknown as Service;
  }

  #start(release: string): boolean {
    if (this.#behaviour(release).unit === "refused") return false;
    this.process = { pid: this.#pids++, release, since: this.now };
    return true;
  }

  /** Lets time go by; a process that ends by itself is started anew by systemd. */
  #tick(milliseconds: number): void {
    this.now += milliseconds;
    const { process } = this;
    if (process === undefined) return;
    const { endsAfter } = this.#behaviour(process.release);
    if (endsAfter !== undefined && this.now - process.since >= endsAfter) this.#start(process.release);
  }

  /** Whether vault and table are reached, behind the firewall in force. */
  get #reached(): boolean {
    return this.vault && this.behaviours.get(this.firewall ?? "")?.firewall !== "closed";
  }

  #readiness() {
    if (this.process === undefined) return undefined;
    if (this.now - this.process.since >= this.unreadyAt) {
      this.unreadyAt = Number.POSITIVE_INFINITY;
      return undefined;
    }
    const { release } = this.process;
    const ready = this.#reached && this.#hasSettings(release) && this.#behaviour(release).ready !== false;
    if (ready) this.#good.add(release);
    return { ready, reasons: ready ? [] : ["the vault is away"] };
  }

  /** Whether userData has settings for a release, or that one keeps some with which it was ready. */
  #hasSettings(release: string): boolean {
    return this.userData.release?.sha256 === release || this.#good.has(release);
  }

  #tried(place: string): Outcome {
    const release = place.split("/").at(-1) ?? "";
    const behaviour = this.#behaviour(release);
    if (behaviour.trial !== undefined) return behaviour.trial;
    if (!this.#hasSettings(release)) return { verdict: "broken", reason: "userData is for another release" };
    if (!this.#reached) return { verdict: "waiting", reason: "the vault is away" };
    this.#good.add(release);
    return { verdict: "ready" };
  }

  #fetched(sha256: string) {
    if (this.unreachable !== undefined) return { status: 1, output: this.unreachable };
    const files = join(this.opt, "releases", sha256, "machine/files/etc/systemd/system");
    mkdirSync(files, { recursive: true });
    writeFileSync(join(files, "tezos-signer.service"), "[Install]\nWantedBy=multi-user.target\n");
    writeFileSync(join(files, `only-${nameOf(sha256)}.service`), "[Install]\nWantedBy=multi-user.target\n");
    return { status: 0, output: "" };
  }

  #behaviour(sha256: string): Behaviour {
    return this.behaviours.get(nameOf(sha256)) ?? {};
  }

  /** A call that the run may be killed before or after. */
  #call<T>(name: string, act: () => T): T {
    this.#step(`before ${name}`);
    const result = act();
    this.#step(`after ${name}`);
    return result;
  }

  #step(name: string): void {
    this.calls.push(name);
    this.onStep(name);
    if (this.calls.length >= this.#killAt) throw new Killed(name);
  }

  #watched<T extends object>(label: string, target: T, methods: readonly string[]): T {
    for (const method of methods) {
      const original = (target as Record<string, unknown>)[method] as (...args: unknown[]) => unknown;
      Object.defineProperty(target, method, {
        value: (...args: unknown[]) => this.#call(`${label}.${method}`, () => original.apply(target, args)),
      });
    }
    return target;
  }
}

/** A hash that can be read back. */
function sha256Of(name: string): string {
  return Buffer.from(name).toString("hex").padEnd(64, "0");
}

function nameOf(sha256: string): string {
  return Buffer.from(sha256.replace(/(00)+$/, ""), "hex").toString();
}
