import type { Sha256 } from "./disk.ts";
import type { Files } from "./files.ts";
import type { Parameters } from "./machine-files.ts";
import type { UpgradeParts } from "./parts.ts";
import { CHANGED, type End, inWords, later, named } from "./progress.ts";
import type { Named } from "./state.ts";

/** How long the release before the candidate may take to get ready when it is compared with it, seconds. */
export const COMPARED = 20;
/** A new release that is not ready for so long is compared with the one before, and again as often, milliseconds. */
const COMPARE_EVERY = 20_000;

/**
 * The release in use that has yet to prove itself, as the state's `candidate` says: watched, and then trusted, or taken
 * back to the one before.
 */
export class Candidate {
  readonly #parts: UpgradeParts;
  readonly #files: Files;

  constructor(parts: UpgradeParts, files: Files) {
    this.#parts = parts;
    this.#files = files;
  }

  /** Watches the candidate until it is trusted or taken back; its files are put in force meanwhile. */
  async settle(settings: string, parameters: Parameters): Promise<End> {
    const { state, service, isWanted, watch, clock } = this.#parts;
    const { candidate } = state.now;
    if (candidate === null) return "done";
    state.tell({ step: "watching" });
    const inForce = this.#files.inForce(candidate.sha256, parameters);
    const pid = service.process;
    if (service.release !== candidate.sha256) return this.takeBack("systemd did not start it", settings, true);
    let readySince: number | undefined;
    let compared = clock();
    for (const began = clock(); ; await service.pause()) {
      const now = service.process;
      if (now === undefined || now !== pid) {
        await inForce;
        // It ends by itself for settings that a running process cannot take; those are a new beginning.
        if (!(await isWanted(candidate.sha256, settings))) return later(this.#parts, CHANGED);
        return this.takeBack("its process ended", settings, true);
      }
      const readiness = await service.readiness();
      if (readiness?.ready === true) {
        readySince ??= clock();
        compared = clock();
        if (clock() - readySince < watch) continue;
        if (await inForce) return this.accept();
        return this.takeBack("its firewall is not taken", settings, true);
      }
      readySince = undefined;
      if (clock() - compared < COMPARE_EVERY) continue;
      await inForce;
      // Settings for another release are not judged by this one, which may have none that were ever good.
      if (!(await isWanted(candidate.sha256, settings))) return later(this.#parts, CHANGED);
      if (await this.#isWorse(candidate)) {
        const reasons = readiness?.reasons.join(" ") ?? "it does not answer";
        return this.takeBack(`it does not get ready, and the one before does: ${reasons}`, settings, true);
      }
      compared = clock();
      if (clock() - began > 2 * watch) {
        const reasons = readiness?.reasons.join(" ") ?? "";
        return later(this.#parts, `the release before does not get ready either: ${reasons}`);
      }
    }
  }

  /** Whether the release before the candidate would be ready, behind its own firewall, and the candidate still is not. */
  async #isWorse({ sha256, before }: { sha256: Sha256; before: Named }): Promise<boolean> {
    const { disk, service, trial, firewall, clock } = this.#parts;
    firewall(disk.place(before.sha256));
    const old = trial(disk.place(before.sha256), COMPARED);
    firewall(disk.place(sha256));
    if (old.verdict !== "ready") return false;
    // Vault or table may have come back for both in the meantime.
    for (const since = clock(); clock() - since < COMPARE_EVERY; await service.pause()) {
      if ((await service.readiness())?.ready === true) return false;
    }
    return true;
  }

  /** Trusts the release in use. What was in use before it stays as the way back, older ones go. */
  accept(): End {
    const { disk, state, files, say } = this.#parts;
    const { candidate } = state.now;
    const { current } = disk;
    if (candidate !== null) disk.keep(candidate.before.sha256);
    state.tell({ candidate: null, refused: null, tries: null, step: "done", problem: null });
    const kept = [current, disk.previous].filter((sha256) => sha256 !== undefined);
    files.unlinkDead(kept.map((sha256) => disk.place(sha256)));
    disk.prune(kept);
    if (current !== undefined) say(`${inWords(named(this.#parts, current))} is in use`);
    return "done";
  }

  /** Goes back to the release before the candidate. @param refuse whether the candidate is not to be tried again */
  async takeBack(reason: string, settings: string, refuse: boolean): Promise<End> {
    const { disk, state, service, say } = this.#parts;
    const { candidate } = state.now;
    if (candidate === null) return "done";
    const { before, version, sha256 } = candidate;
    const back = { version, sha256 };
    // Whatever is wrong with this one, it is the only one that can start.
    if (!disk.has(before.sha256)) {
      return later(this.#parts, `${reason}, and there is no way back: ${disk.place(before.sha256)} is gone`);
    }
    if (refuse) state.tell({ refused: { ...back, reason, settings, at: new Date().toISOString() } });
    disk.use(before.sha256);
    this.#files.link(before.sha256, sha256);
    service.restart(disk.place(before.sha256), disk.place(sha256));
    state.tell({ candidate: null, running: before, step: refuse ? "refused" : "done", problem: null });
    say(`back from ${inWords(back)} to ${inWords(before)}: ${reason}`);
    return (await this.#files.inForce(before.sha256, undefined)) ? "done" : "again";
  }
}
