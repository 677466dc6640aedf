/**
 * From the release that userData names to the release that signs: fetched, checked, tried, switched to, watched, and
 * taken back where it does not work. Killed at any point, the next run goes on from what is on the disk: the link
 * `current` says what is in use, and the state's `candidate` that it has yet to prove itself.
 * @module
 */
import { createHash } from "node:crypto";
import type { UserDataDocument } from "../../signer/azure/user-data-document.ts";
import type { Sha256 } from "./disk.ts";
import { Files } from "./files.ts";
import type { Parameters } from "./machine-files.ts";
import type { Release, UpgradeParts } from "./parts.ts";
import type { Named } from "./state.ts";
import type { Outcome } from "./trial.ts";

/** How a run ended: `again` where something outside was in the way, and the same is to be tried later. */
export type End = "done" | "again";

/** How long a release may take to get ready when it is tried, seconds; the first one is waited for in use. */
const TRIAL = { first: 5, later: 60, compared: 20 };
/** A new release that is not ready for so long is compared with the one before, and again as often, milliseconds. */
const COMPARE_EVERY = 20_000;
/** What may have failed for want of memory or time is tried so often before it is refused. */
const TRIES = 3;

export class Upgrade {
  readonly #parts: UpgradeParts;
  readonly #files: Files;

  constructor(parts: UpgradeParts) {
    this.#parts = parts;
    this.#files = new Files(parts);
  }

  /**
   * Finishes what an earlier run has begun: what runs is what `current` names, with its files.
   * @param parameters what the stack says about the machine; undefined where userData cannot be read now
   * @returns `again` where the machine's files are not all in force
   */
  async resume(parameters: Parameters | undefined): Promise<End> {
    const { disk, state, service } = this.#parts;
    const { current } = disk;
    if (current === undefined) return "done";
    const { candidate } = state.now;
    if (candidate !== null && candidate.sha256 !== current) state.note({ candidate: null });
    const before = state.now.candidate?.before.sha256;
    this.#files.link(current, before);
    if ((await service.settledRelease()) !== current)
      service.restart(disk.place(current), before && disk.place(before));
    state.note({ running: this.#named(current) });
    const inForce = await this.#files.inForce(current, parameters);
    this.#compile(this.#named(current));
    return inForce ? "done" : "again";
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
    if (state.now.candidate?.sha256 === wanted.sha256) return this.#settle(version, machine);
    // What was not trusted yet when userData turned to another release is no way back from it.
    if (state.now.candidate !== null) await this.#takeBack("userData names another release now", version, false);
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
    const { disk, state, fetch, trial, say } = this.#parts;
    state.note({ step: "fetching", problem: null });
    const fetched = fetch(wanted);
    if (fetched.status !== 0) return this.#later(fetched.output);
    state.note({ step: "trying" });
    say(`trying ${inWords(wanted)}`);
    const place = disk.place(wanted.sha256);
    const { current } = disk;
    // The first release is to sign soon; the next run makes it.
    if (current !== undefined) this.#compile(wanted);
    const first = trial(place, current === undefined ? TRIAL.first : TRIAL.later);
    if (first.verdict === "broken") return this.#broken(wanted, first, settings);
    if (first.verdict === "ready" || current === undefined) return undefined;
    // Vault or table are away. If the release in use reaches them, that is the new one's fault; else nobody's. What the
    // running signer says of itself may be from before they went away, so it is tried as well; and then the new one once
    // more, for they may have come back in between.
    if (trial(disk.place(current), TRIAL.compared).verdict !== "ready") {
      return this.#later(`neither the release in use nor the new one gets ready: ${first.reason}`);
    }
    const second = trial(place, TRIAL.compared);
    if (second.verdict === "ready") return undefined;
    return this.#refuse(wanted, `it does not get ready, and the one in use does: ${second.reason}`, settings);
  }

  #broken(wanted: Release, { reason, passing }: Outcome & { verdict: "broken" }, settings: string): End {
    const { state } = this.#parts;
    const { sha256 } = wanted;
    const { tries } = state.now;
    const count = (tries?.sha256 === sha256 && tries.settings === settings ? tries.count : 0) + 1;
    if (passing !== true || count >= TRIES) return this.#refuse(wanted, reason, settings);
    state.note({ tries: { sha256, settings, count } });
    return this.#later(`${reason} (try ${count} of ${TRIES})`);
  }

  async #switchTo(wanted: Named, parameters: Parameters, settings: string): Promise<End> {
    const { disk, state, service, say } = this.#parts;
    const place = disk.place(wanted.sha256);
    const before = disk.current;
    if (before === undefined) {
      disk.use(wanted.sha256);
      say(`installing ${inWords(wanted)}`);
      this.#files.link(wanted.sha256, undefined);
      const inForce = await this.#files.inForce(wanted.sha256, parameters); // the firewall first
      service.restart(place);
      state.note({ running: wanted });
      this.#accept();
      return inForce ? "done" : this.#later("the machine's own files are not all in force");
    }
    const old = this.#named(before);
    // Before the switch, so that whoever finds the new release in use knows that it is not proven.
    state.note({ candidate: { ...wanted, before: old, settings } });
    say(`switching from ${inWords(old)} to ${inWords(wanted)}`);
    disk.use(wanted.sha256);
    this.#files.link(wanted.sha256, before);
    const alive = service.restart(place, disk.place(before));
    state.note({ running: wanted, step: "watching" });
    if (!alive) return this.#takeBack("it does not start", settings, true);
    return this.#settle(settings, parameters);
  }

  /** Watches the candidate until it is trusted or taken back; its files are put in force meanwhile. */
  async #settle(settings: string, parameters: Parameters): Promise<End> {
    const { state, service, settingsNow, watch, clock } = this.#parts;
    const { candidate } = state.now;
    if (candidate === null) return "done";
    state.note({ step: "watching" });
    const inForce = this.#files.inForce(candidate.sha256, parameters);
    const pid = service.process;
    if (service.release !== candidate.sha256) return this.#takeBack("systemd did not start it", settings, true);
    let readySince: number | undefined;
    let compared = clock();
    for (const began = clock(); ; await service.pause()) {
      const now = service.process;
      if (now === undefined || now !== pid) {
        // It ends by itself for settings that a running process cannot take; those are a new beginning.
        const changed = ((await settingsNow()) ?? settings) !== settings;
        await inForce;
        return changed ? this.#later("userData has changed") : this.#takeBack("its process ended", settings, true);
      }
      const readiness = await service.readiness();
      if (readiness?.ready === true) {
        readySince ??= clock();
        compared = clock();
        if (clock() - readySince < watch) continue;
        if (await inForce) return this.#accept();
        return this.#takeBack("its firewall is not taken", settings, true);
      }
      readySince = undefined;
      if (clock() - compared < COMPARE_EVERY) continue;
      await inForce;
      if (await this.#isWorse(candidate)) {
        const reasons = readiness?.reasons.join(" ") ?? "it does not answer";
        return this.#takeBack(`it does not get ready, and the one before does: ${reasons}`, settings, true);
      }
      compared = clock();
      if (clock() - began > 2 * watch) {
        return this.#later(`the release before does not get ready either: ${readiness?.reasons.join(" ") ?? ""}`);
      }
    }
  }

  /** Whether the release before the candidate would be ready, behind its own firewall, and the candidate still is not. */
  async #isWorse({ sha256, before }: { sha256: Sha256; before: Named }): Promise<boolean> {
    const { disk, service, trial, firewall, clock } = this.#parts;
    firewall(disk.place(before.sha256));
    const old = trial(disk.place(before.sha256), TRIAL.compared);
    firewall(disk.place(sha256));
    if (old.verdict !== "ready") return false;
    // Vault or table may have come back for both in the meantime.
    for (const since = clock(); clock() - since < COMPARE_EVERY; await service.pause()) {
      if ((await service.readiness())?.ready === true) return false;
    }
    return true;
  }

  #accept(): End {
    const { disk, state, files, say } = this.#parts;
    const { candidate } = state.now;
    const { current } = disk;
    if (candidate !== null) disk.keep(candidate.before.sha256);
    state.note({ candidate: null, refused: null, tries: null, step: "done", problem: null });
    const kept = [current, disk.previous].filter((sha256) => sha256 !== undefined);
    files.unlinkDead(kept.map((sha256) => disk.place(sha256)));
    disk.prune(kept);
    if (current !== undefined) say(`${inWords(this.#named(current))} is in use`);
    return "done";
  }

  /** Back to the release before the candidate. @param refuse whether the candidate is not to be tried again */
  async #takeBack(reason: string, settings: string, refuse: boolean): Promise<End> {
    const { disk, state, service, say } = this.#parts;
    const { candidate } = state.now;
    if (candidate === null) return "done";
    const { before, version, sha256 } = candidate;
    const back = { version, sha256 };
    if (refuse) state.note({ refused: { ...back, reason, settings, at: new Date().toISOString() } });
    disk.use(before.sha256);
    this.#files.link(before.sha256, sha256);
    service.restart(disk.place(before.sha256), disk.place(sha256));
    state.note({ candidate: null, running: before, step: refuse ? "refused" : "done", problem: null });
    say(`back from ${inWords(back)} to ${inWords(before)}: ${reason}`);
    return (await this.#files.inForce(before.sha256, undefined)) ? "done" : "again";
  }

  #compile(release: Named): void {
    const { disk, compile, say } = this.#parts;
    const reason = compile(disk.place(release.sha256));
    if (reason !== undefined) say(`${inWords(release)} starts more slowly than it could: ${reason}`);
  }

  #refuse({ version, sha256 }: Named, reason: string, settings: string): End {
    const { state, say } = this.#parts;
    const refused = { version, sha256, reason, settings, at: new Date().toISOString() };
    state.note({ step: "refused", problem: null, tries: null, refused });
    say(`refused ${inWords(refused)}: ${reason}`);
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

/** A release as people read it. */
function inWords({ version, sha256 }: Named): string {
  return `release ${version} (${sha256.slice(0, 12)})`;
}
