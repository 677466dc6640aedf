/**
 * From the release that userData names to the release that signs: fetched, checked, tried, switched to, watched, and
 * taken back where it does not work. Killed at any point, the next run goes on from what is on the disk: the link
 * `current` says what is in use, and the state's `candidate` that it has yet to prove itself.
 * @module
 */
import { createHash } from "node:crypto";
import type { UserDataDocument } from "../../signer/user-data-document.ts";
import type { Ended } from "./command.ts";
import type { Disk, Sha256 } from "./disk.ts";
import type { MachineFiles, Parameters } from "./machine-files.ts";
import type { Service } from "./service.ts";
import type { Named, StateFile } from "./state.ts";
import type { Outcome } from "./trial.ts";

/** What an upgrade works with. */
export interface UpgradeParts {
  readonly disk: Disk;
  readonly state: StateFile;
  readonly files: MachineFiles;
  readonly service: Service;
  /** Tries the release at a place, for so many seconds. */
  readonly trial: (place: string, seconds: number) => Outcome;
  /** Fetches and unpacks a release; exit status 0 where it is there, else the reason in the output. */
  readonly fetch: (release: Release) => Ended;
  /** Puts the machine's own files in force. */
  readonly apply: () => void;
  /** The version of the settings that userData has now; undefined where it cannot be read. */
  readonly settingsNow: () => Promise<string | undefined>;
  /** The version that the release at a place says it is. */
  readonly versionAt: (place: string) => string;
  /** Tells the console and the journal. */
  readonly say: (text: string) => void;
  /** How long a new release must sign without a fault before it is trusted, milliseconds. */
  readonly watch: number;
  readonly clock: () => number;
}

type Release = NonNullable<UserDataDocument["release"]>;

/** How a run ended: `again` where something outside was in the way, and the same is to be tried later. */
export type End = "done" | "again";

/** How long a release may take to get ready when it is tried, seconds; the first one is waited for in use. */
const TRIAL = { first: 5, later: 60 };
/** A new release that is not ready is compared with the one before this often, milliseconds. */
const COMPARE_EVERY = 20_000;

export class Upgrade {
  readonly #parts: UpgradeParts;

  constructor(parts: UpgradeParts) {
    this.#parts = parts;
  }

  /**
   * Finishes what an earlier run has begun: what runs is what `current` names, with its files.
   * @param parameters what the stack says about the machine; undefined where userData cannot be read now
   */
  async resume(parameters: Parameters | undefined): Promise<void> {
    const { disk, state, files, service, apply } = this.#parts;
    const { current } = disk;
    if (current === undefined) return;
    const { candidate } = state.now;
    if (candidate !== null && candidate.sha256 !== current) state.note({ candidate: null });
    files.link(disk.place(current));
    const changed = parameters !== undefined && files.set(parameters);
    const other = service.release !== current;
    if (changed || other) apply();
    if (other) service.restart(disk.place(current));
    state.note({ running: this.#named(current) });
  }

  /**
   * One run.
   * @param document userData as read now
   */
  async towards({ release: wanted, machine, settings }: UserDataDocument): Promise<End> {
    const { disk, state } = this.#parts;
    if (wanted === undefined) return this.#later("userData names no release");
    const named = { version: wanted.version, sha256: wanted.sha256 };
    state.note({ wanted: named });
    const version = settingsVersion(settings);
    if (state.now.candidate?.sha256 === wanted.sha256) return this.#settle(version);
    // What was not trusted yet when userData turned to another release is no way back from it.
    if (state.now.candidate !== null) this.#takeBack("userData names another release now", version, false);
    if (disk.current === wanted.sha256) {
      state.note({ step: "done", problem: null, refused: null });
      return "done";
    }
    const { refused } = state.now;
    if (refused?.sha256 === wanted.sha256 && refused.settings === version) {
      state.note({ step: "refused", problem: null });
      return "done";
    }
    return (await this.#prepared(wanted, version)) ?? this.#switchTo(named, machine, version);
  }

  /** Gets a release ready to be switched to. @returns how the run ends where it does not get that far */
  async #prepared(wanted: Release, settings: string): Promise<End | undefined> {
    const { disk, state, fetch, service, trial, say } = this.#parts;
    state.note({ step: "fetching", problem: null });
    const fetched = fetch(wanted);
    if (fetched.status !== 0) return this.#later(fetched.output);
    state.note({ step: "trying" });
    say(`trying ${named(wanted)}`);
    const first = disk.current === undefined;
    const outcome = trial(disk.place(wanted.sha256), first ? TRIAL.first : TRIAL.later);
    if (outcome.verdict === "broken") return this.#refuse(wanted, outcome.reason, settings);
    if (outcome.verdict === "ready" || first) return undefined;
    // Vault or table are away. If the signer that runs reaches them, that is the new one's fault; else nobody's.
    const running = await service.readiness();
    if (running?.ready === true)
      return this.#refuse(wanted, `it does not get ready, and the one in use is: ${outcome.reason}`, settings);
    return this.#later(`neither the release in use nor the new one is ready: ${outcome.reason}`);
  }

  async #switchTo(wanted: Named, parameters: Parameters, settings: string): Promise<End> {
    const { disk, state, files, service, apply, say } = this.#parts;
    const place = disk.place(wanted.sha256);
    const before = disk.current;
    files.link(place);
    if (before === undefined) {
      disk.use(wanted.sha256);
      say(`installing ${named(wanted)}`);
      files.set(parameters);
      apply(); // the firewall first
      service.restart(place);
      state.note({ running: wanted });
      return this.#accept();
    }
    const old = this.#named(before);
    // Before the switch, so that whoever finds the new release in use knows that it is not proven.
    state.note({ candidate: { ...wanted, before: old, settings } });
    say(`switching from ${named(old)} to ${named(wanted)}`);
    disk.use(wanted.sha256);
    service.restart(place, disk.place(before));
    state.note({ running: wanted, step: "watching" });
    apply();
    return this.#settle(settings);
  }

  /** Watches the candidate until it is trusted or taken back. */
  async #settle(settings: string): Promise<End> {
    const { disk, state, service, trial, settingsNow, watch, clock } = this.#parts;
    const { candidate } = state.now;
    if (candidate === null) return this.#accept();
    state.note({ step: "watching" });
    let readySince: number | undefined;
    let compared = clock();
    const pid = service.process;
    for (const began = clock(); ; await service.pause()) {
      const now = service.process;
      if (now === undefined || now !== pid) {
        // It ends by itself for settings that a running process cannot take; those are a new beginning.
        const changed = ((await settingsNow()) ?? settings) !== settings;
        return changed ? this.#later("userData has changed") : this.#takeBack("its process ended", settings, true);
      }
      const readiness = await service.readiness();
      if (readiness?.ready === true) {
        readySince ??= clock();
        if (clock() - readySince >= watch) return this.#accept();
        continue;
      }
      readySince = undefined;
      if (clock() - compared < COMPARE_EVERY) continue;
      compared = clock();
      const reasons = readiness?.reasons.join(" ") ?? "it does not answer";
      const before = trial(disk.place(candidate.before.sha256), TRIAL.first);
      if (before.verdict === "ready") {
        return this.#takeBack(`it does not get ready, and the one before does: ${reasons}`, settings, true);
      }
      if (clock() - began > 2 * watch) return this.#later(`the release before does not get ready either: ${reasons}`);
    }
  }

  #accept(): End {
    const { disk, state, files, say } = this.#parts;
    const { candidate } = state.now;
    const { current } = disk;
    if (candidate !== null) disk.keep(candidate.before.sha256);
    state.note({ candidate: null, refused: null, step: "done", problem: null });
    const kept = [current, disk.previous].filter((sha256) => sha256 !== undefined);
    files.unlinkDead(kept.map((sha256) => disk.place(sha256)));
    disk.prune(kept);
    if (current !== undefined) say(`${named(this.#named(current))} is in use`);
    return "done";
  }

  /** Back to the release before the candidate. @param refuse whether the candidate is not to be tried again */
  #takeBack(reason: string, settings: string, refuse: boolean): End {
    const { disk, state, files, service, apply, say } = this.#parts;
    const { candidate } = state.now;
    if (candidate === null) return "done";
    const { before, ...rest } = candidate;
    const back = { version: rest.version, sha256: rest.sha256 };
    if (refuse) state.note({ refused: { ...back, reason, settings, at: new Date().toISOString() } });
    files.link(disk.place(before.sha256));
    disk.use(before.sha256);
    service.restart(disk.place(before.sha256), disk.place(back.sha256));
    state.note({ candidate: null, running: before, step: refuse ? "refused" : "done", problem: null });
    say(`back from ${named(back)} to ${named(before)}: ${reason}`);
    apply();
    return "done";
  }

  #refuse({ version, sha256 }: Named, reason: string, settings: string): End {
    const { state, say } = this.#parts;
    state.note({
      step: "refused",
      problem: null,
      refused: { version, sha256, reason, settings, at: new Date().toISOString() },
    });
    say(`refused ${named({ version, sha256 })}: ${reason}`);
    return "done";
  }

  #later(problem: string): End {
    const { state, say } = this.#parts;
    if (state.now.problem !== problem) say(`waiting: ${problem}`);
    state.note({ step: "waiting", problem });
    return "again";
  }

  #named(sha256: Sha256): Named {
    return { version: this.#parts.versionAt(this.#parts.disk.place(sha256)), sha256 };
  }
}

/** What tells settings from others: the SHA-256 of their text, hex. */
export function settingsVersion(settings: string): string {
  return createHash("sha256").update(settings).digest("hex");
}

function named({ version, sha256 }: Named): string {
  return `release ${version} (${sha256.slice(0, 12)})`;
}
