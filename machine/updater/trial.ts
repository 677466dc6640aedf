import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { faultOf } from "./checks.ts";
import type { Run } from "./command.ts";

/** How a release did when it was tried. */
export type Outcome =
  | { readonly verdict: "ready" }
  /** Its settings are fine; vault or table are not reached, for the reasons given. */
  | { readonly verdict: "waiting"; readonly reason: string }
  /** `passing` where the reason may be a machine that is short of memory or time for a while. */
  | { readonly verdict: "broken"; readonly reason: string; readonly passing?: true };

const NAME = "tezos-signer-try.service";
/** Lines of the service that a trial has not: it is no server, ends by itself, and gives way to the signer beside it. */
const DROPPED =
  /^(Type|ExecStartPost|Restart|RestartSec|Sockets|RuntimeDirectory|RuntimeDirectoryMode|TimeoutStartSec|MemoryHigh|MemoryMax|OOMScoreAdjust|CPUWeight|IOWeight)=/;
/** Exit status of `tezos-signer try` where it was not ready in time (signer/cli/exit-codes.ts, `unavailable`). */
const UNAVAILABLE = 11;

/**
 * Returns the unit that tries a release: the release's own service, with the same user, flags, paths, limits and
 * sandbox, but for what is said here. Pure.
 * @param service text of the release's tezos-signer.service
 * @param link path of the link to the release in use, which the service is written for
 * @param place path of the release to try
 * @param report file for what the trial prints
 * @param seconds how long it may take to get ready
 */
export function tryUnit(service: string, link: string, place: string, report: string, seconds: number): string {
  const body = service
    .slice(0, service.indexOf("[Install]"))
    .replaceAll(link, place)
    .replace(/ serve (--user-data|--config \S+)$/m, ` try $1 --seconds ${seconds}`)
    .split("\n")
    .filter((line) => !DROPPED.test(line));
  // What slows the service down ends a trial: one that grows slowly up to MemoryMax takes the pages of the signer beside it.
  const most = /^MemoryHigh=(.*)$/m.exec(service)?.[1];
  const own = [
    "Type=oneshot",
    "TimeoutStartSec=120",
    "RuntimeDirectory=tezos-signer-try",
    `StandardOutput=truncate:${report}`,
    "StandardError=journal", // it would go where standard output goes
    ...(most === undefined ? [] : [`MemoryMax=${most}`]),
    "OOMScoreAdjust=900",
    "CPUWeight=10",
    "IOWeight=10",
  ];
  const at = body.indexOf("[Service]") + 1;
  return [...body.slice(0, at), ...own, ...body.slice(at)].join("\n");
}

/** systemd's words for how a process ended (systemd.exec(5), $SERVICE_RESULT); other ends are told by the exit status. */
const HOW: Readonly<Record<string, string>> = {
  success: "systemd did not start it",
  "oom-kill": "too much memory",
  timeout: "it took too long",
  signal: "a signal ended it",
  "core-dump": "a signal ended it",
};
/** The trial is the first to go where the whole machine is short of memory, and the last to be served. */
const PASSING = /^(oom-kill|timeout)$/;

/** Tries releases on the machine. */
export class Trial {
  readonly #run: Run;
  readonly #root: string;
  readonly #link: string;

  /**
   * @param root `/`
   * @param link path of the link to the release in use
   */
  constructor(run: Run, root: string, link: string) {
    this.#run = run;
    this.#root = root;
    this.#link = link;
  }

  /** Tries the release at a place, as the service would run it, beside the signer that runs. */
  of(place: string, seconds: number): Outcome {
    const began = Math.floor(Date.now() / 1_000);
    const files = join(place, "machine/files/etc");
    // The first release finds no user yet, and a later one may want another.
    this.#run("systemd-sysusers", join(files, "sysusers.d/tezos-signer.conf"));
    const units = join(this.#root, "run/systemd/system");
    mkdirSync(units, { recursive: true });
    const fault = faultOf(place, units, this.#run);
    if (fault !== undefined) return { verdict: "broken", reason: fault };
    const report = join(this.#root, "run/tezos-signer-trial.json");
    const unit = join(units, NAME);
    const service = readFileSync(join(files, "systemd/system/tezos-signer.service"), "utf8");
    writeFileSync(unit, tryUnit(service, this.#link, place, report, seconds));
    // What the operator has added to the service holds for the trial as well.
    rmSync(`${unit}.d`, { force: true });
    const added = join(this.#root, "etc/systemd/system/tezos-signer.service.d");
    if (existsSync(added)) symlinkSync(added, `${unit}.d`);
    this.#run("systemctl", "stop", NAME); // one that a killed updater has left
    try {
      this.#run("systemctl", "daemon-reload");
      const { status } = this.#run("systemctl", "start", NAME);
      return this.#outcome(report, began, status === 0);
    } finally {
      rmSync(unit);
      rmSync(`${unit}.d`, { force: true });
      rmSync(report, { force: true });
      this.#run("systemctl", "reset-failed", NAME);
      this.#run("systemctl", "daemon-reload");
    }
  }

  #outcome(report: string, began: number, succeeded: boolean): Outcome {
    const shown = this.#run("systemctl", "show", "--property", "Result", "--property", "ExecMainStatus", NAME).output;
    const { Result: result, ExecMainStatus: status } = Object.fromEntries(
      shown.split("\n").map((line) => line.split("=") as [string, string]),
    );
    // A unit that systemd has not run at all shows a success too.
    if (succeeded && result === "success" && status === "0") return { verdict: "ready" };
    if (result === "exit-code" && Number(status) === UNAVAILABLE) {
      return { verdict: "waiting", reason: reasonsIn(report) };
    }
    const journal = this.#run(
      "journalctl",
      "--unit",
      NAME,
      "--since",
      `@${began}`,
      "--output",
      "cat",
      "--no-pager",
    ).output;
    const reason = `${HOW[result ?? ""] ?? `exit status ${status}`}: ${wordsOf(journal)}`;
    return { verdict: "broken", reason, ...(PASSING.test(result ?? "") ? { passing: true } : {}) };
  }
}

function reasonsIn(report: string): string {
  try {
    return (JSON.parse(readFileSync(report, "utf8")).reasons as string[]).join(" ");
  } catch {
    return "it does not say why";
  }
}

/** What a process has said in words: neither systemd's lines about it nor its own log, which is JSON. */
function wordsOf(journal: string): string {
  const said = journal
    .split("\n")
    .map((line) => line.trim())
    .filter(
      (line) => line !== "" && !/^(\{|tezos-signer-try\.service|Starting |Started |Failed |Finished )/.test(line),
    );
  return said.join(" ").slice(0, 400);
}
