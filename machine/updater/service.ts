import { globSync, readFileSync, readlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ADMIN_PORT } from "../../signer/contract.ts";
import type { Run } from "./command.ts";
import type { Sha256 } from "./disk.ts";

const SERVICE = "tezos-signer.service";
/** What systemd calls a service between two processes, and one whose process is not the program yet. */
const STARTING = /^(auto-restart|start-pre|start)$/;
/** So long a start may take before it is judged by what is there, in looks. */
const PATIENCE = 40;

/** Whether the signer can sign now; if not, why. */
export interface Readiness {
  readonly ready: boolean;
  readonly reasons: readonly string[];
}

/** The signer's service as systemd runs it. */
export class Service {
  readonly #run: Run;
  readonly #admin: string;
  readonly #proc: string;

  /**
   * @param admin where the admin port is
   * @param proc /proc
   */
  constructor(run: Run, admin = `http://127.0.0.1:${ADMIN_PORT}`, proc = "/proc") {
    this.#run = run;
    this.#admin = admin;
    this.#proc = proc;
  }

  /** The process that systemd has started; undefined while there is none. */
  get process(): string | undefined {
    const pid = this.#run("systemctl", "show", "--value", "--property", "MainPID", SERVICE).output;
    return /^[1-9]\d*$/.test(pid) ? pid : undefined;
  }

  /** The release that the process runs from: its working folder was the link's end when it started. */
  get release(): Sha256 | undefined {
    const pid = this.process;
    if (pid === undefined) return undefined;
    try {
      return basename(readlinkSync(`${this.#proc}/${pid}/cwd`));
    } catch {
      return undefined;
    }
  }

  /**
   * The release that runs, once systemd has started it where it is about to: who restarts a service that starts again after
   * a crash only makes that take longer.
   */
  async settledRelease(): Promise<Sha256 | undefined> {
    const starts = () =>
      STARTING.test(this.#run("systemctl", "show", "--value", "--property", "SubState", SERVICE).output);
    for (let looks = 0; looks < PATIENCE && starts(); looks += 1) await this.pause();
    return this.release;
  }

  /**
   * Starts the service of the release in use in place of the one that runs; requests wait in systemd's sockets meanwhile.
   * It is restarted, never stopped first: between the two a waiting request would start it. Only where a release brings a
   * socket of other settings is the port closed for a moment. Units that it brings anew are started, those that it has
   * no more are stopped.
   * @param place folder of the release in use
   * @param before folder of the one before it
   * @returns whether it is alive; systemd goes on trying where it is not
   */
  restart(place: string, before?: string): boolean {
    const units = unitsOf(place);
    const old = before === undefined ? new Map<string, string>() : unitsOf(before);
    const sockets = [...units.keys()].filter((name) => name.endsWith(".socket"));
    const changed = sockets.filter((name) => old.has(name) && old.get(name) !== units.get(name));
    this.#run("systemctl", "daemon-reload");
    if (changed.length > 0) {
      this.#run("systemctl", "stop", ...changed, SERVICE);
      this.#run("systemctl", "restart", ...changed);
    }
    this.#run("systemctl", "start", ...sockets);
    const { status } = this.#run("systemctl", "restart", SERVICE);
    const gone = [...old.keys()].filter((name) => !units.has(name));
    if (gone.length > 0) this.#run("systemctl", "stop", "--no-block", ...gone);
    const wanted = [...units].filter(([name, text]) => !old.has(name) && /^WantedBy=multi-user\.target$/m.test(text));
    if (before !== undefined && wanted.length > 0) {
      this.#run("systemctl", "start", "--no-block", ...wanted.map(([name]) => name));
    }
    return status === 0;
  }

  /** Asks the signer whether it can sign. @returns undefined where it does not answer */
  async readiness(): Promise<Readiness | undefined> {
    try {
      const answer = await fetch(`${this.#admin}/readyz`, { signal: AbortSignal.timeout(3_000) });
      return (await answer.json()) as Readiness;
    } catch {
      return undefined;
    }
  }

  /** Waits. @param milliseconds between two looks at the service */
  pause(milliseconds = 250): Promise<void> {
    return sleep(milliseconds);
  }
}

/** The text of each unit of a release by its name, without comments and empty lines, which change nothing. */
function unitsOf(place: string): Map<string, string> {
  const folder = join(place, "machine/files/etc/systemd/system");
  const names = globSync("*.{service,socket,timer}", { cwd: folder }).sort();
  const text = (name: string) => readFileSync(join(folder, name), "utf8").replace(/^(#.*)?\n/gm, "");
  return new Map(names.map((name) => [name, text(name)]));
}
