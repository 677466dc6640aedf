import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Run } from "./command.ts";

/** How a release did when it was tried. */
export type Outcome =
  | { readonly verdict: "ready" }
  /** Its settings are fine; vault or table are not reached, for the reasons given. */
  | { readonly verdict: "waiting"; readonly reason: string }
  | { readonly verdict: "broken"; readonly reason: string };

const NAME = "tezos-signer-try.service";
/** Lines of the service that a trial has not: it is no server, ends by itself, and gives way to the signer beside it. */
const DROPPED =
  /^(Type|ExecStartPost|Restart|RestartSec|Sockets|RuntimeDirectory|RuntimeDirectoryMode|TimeoutStartSec|OOMScoreAdjust|CPUWeight|IOWeight)=/;
/** Exit status of `tezos-signer try` where it was not ready in time (signer/cli/exit-codes.ts, `unavailable`). */
const UNAVAILABLE = 11;

/**
 * The unit that tries a release: the release's own service, with the same user, flags, paths, limits and sandbox, but
 * for what is said here. Pure.
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
    .replace(" serve --user-data", ` try --user-data --seconds ${seconds}`)
    .split("\n")
    .filter((line) => !DROPPED.test(line));
  const own = [
    "Type=oneshot",
    "TimeoutStartSec=120",
    "RuntimeDirectory=tezos-signer-try",
    `StandardOutput=truncate:${report}`,
    "OOMScoreAdjust=900",
    "CPUWeight=10",
    "IOWeight=10",
  ];
  const at = body.indexOf("[Service]") + 1;
  return [...body.slice(0, at), ...own, ...body.slice(at)].join("\n");
}

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
    const updater = this.#run(join(place, "node/bin/node"), join(place, "machine/updater/main.ts"), "--self-test");
    if (updater.status !== 0) return { verdict: "broken", reason: `its updater: ${lastLine(updater.output)}` };
    const units = join(this.#root, "run/systemd/system");
    const report = join(this.#root, "run/tezos-signer-trial.json");
    const unit = join(units, NAME);
    mkdirSync(units, { recursive: true });
    const service = readFileSync(join(files, "systemd/system/tezos-signer.service"), "utf8");
    writeFileSync(unit, tryUnit(service, this.#link, place, report, seconds));
    // What the operator has added to the service holds for the trial as well.
    rmSync(`${unit}.d`, { force: true });
    const added = join(this.#root, "etc/systemd/system/tezos-signer.service.d");
    if (existsSync(added)) symlinkSync(added, `${unit}.d`);
    this.#run("systemctl", "stop", NAME); // one that a killed updater has left
    try {
      this.#run("systemctl", "daemon-reload");
      this.#run("systemctl", "start", NAME);
      return this.#outcome(report, began);
    } finally {
      rmSync(unit);
      rmSync(`${unit}.d`, { force: true });
      rmSync(report, { force: true });
      this.#run("systemctl", "reset-failed", NAME);
      this.#run("systemctl", "daemon-reload");
    }
  }

  #outcome(report: string, began: number): Outcome {
    const shown = this.#run("systemctl", "show", "--property", "Result", "--property", "ExecMainStatus", NAME).output;
    const { Result: result, ExecMainStatus: status } = Object.fromEntries(
      shown.split("\n").map((line) => line.split("=") as [string, string]),
    );
    if (result === "success" && status === "0") return { verdict: "ready" };
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
    const how = result === "exit-code" ? `exit status ${status}` : result === "oom-kill" ? "too much memory" : result;
    return { verdict: "broken", reason: `${how}: ${tellingLine(journal)}` };
  }
}

function reasonsIn(report: string): string {
  try {
    return (JSON.parse(readFileSync(report, "utf8")).reasons as string[]).join(" ");
  } catch {
    return "it does not say why";
  }
}

/** Of what a process has said: the line that names its error, else the last one that is not systemd's. */
function tellingLine(journal: string): string {
  const lines = journal
    .split("\n")
    .filter((line) => line !== "" && !/^(tezos-signer-try\.service|Starting|Started|Failed|Finished)/.test(line));
  return (lines.findLast((line) => /Error|cannot|refuse|heap/i.test(line)) ?? lines.at(-1) ?? "").slice(0, 300);
}

function lastLine(text: string): string {
  return (text.split("\n").findLast((line) => /Error/.test(line)) ?? text.split("\n").at(-1) ?? "").slice(0, 300);
}
