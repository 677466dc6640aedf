/**
 * From the release that userData names to the release that signs: fetched, checked, tried, switched to, watched, and
 * taken back where it does not work. Killed at any point, the next run goes on from what is on the disk: the link
 * `current` says what is in use, and the state's `candidate` that it has yet to prove itself.
 * @module
 */
import { createHash } from "node:crypto";
import type { UserDataDocument } from "../../signer/azure/user-data-document.ts";
import { Candidate, COMPARED } from "./candidate.ts";
import { Files } from "./files.ts";
import type { Parameters } from "./machine-files.ts";
import type { Release, UpgradeParts } from "./parts.ts";
import { CHANGED, type End, inWords, later, named } from "./progress.ts";
import type { Named } from "./state.ts";
import type { Outcome } from "./trial.ts";

/** How long a release may take to get ready when it is tried, seconds; the first one is waited for in use. */
const TRIAL = { first: 5, later: 60 };
/** What may have failed for want of memory or time is tried so often before it is refused. */
const TRIES = 3;
/** What machine/bin/fetch-release says of bytes that have the right hash and are no release, but where the disk was full. */
const UNUSABLE = /^while unpacking: (?!.*No space)/;

export class Upgrade {
  readonly #parts: UpgradeParts;
  readonly #files: Files;
  readonly #candidate: Candidate;

  constructor(parts: UpgradeParts) {
    this.#parts = parts;
    this.#files = new Files(parts);
    this.#candidate = new Candidate(parts, this.#files);
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
    if (candidate !== null && candidate.sha256 !== current) state.tell({ candidate: null });
    const before = state.now.candidate?.before.sha256;
    this.#files.link(current, before);
    if ((await service.settledRelease()) !== current)
      service.restart(disk.place(current), before && disk.place(before));
    const running = named(this.#parts, current);
    state.tell({ running });
    const inForce = await this.#files.inForce(current, parameters);
    this.#compile(running);
    return inForce ? "done" : "again";
  }

  /** Forgets what was refused, and has it fetched anew as well: what is on the disk may be what is wrong. */
  forgive(): void {
    const { disk, state } = this.#parts;
    const { refused, candidate } = state.now;
    // `previous` is not the way back from a release that is not trusted yet.
    const kept = [disk.current, disk.previous, candidate?.before.sha256].filter((sha256) => sha256 !== undefined);
    if (refused !== null) disk.prune(kept);
    state.tell({ refused: null, tries: null });
  }

  /**
   * Goes one run towards the release that userData names.
   * @param document userData as read now
   */
  async towards({ release: wanted, machine, settings }: UserDataDocument): Promise<End> {
    const { disk, state, isWanted } = this.#parts;
    if (wanted === undefined) return later(this.#parts, "userData names no release");
    const name = { version: wanted.version, sha256: wanted.sha256 };
    state.tell({ wanted: name });
    const version = settingsVersion(settings);
    if (state.now.candidate?.sha256 === wanted.sha256) return this.#candidate.settle(version, machine);
    // What was not trusted yet when userData turned to another release is no way back from it.
    if (state.now.candidate !== null) {
      await this.#candidate.takeBack("userData names another release now", version, false);
    }
    if (disk.current === wanted.sha256) {
      state.tell({ step: "done", problem: null, refused: null });
      return "done";
    }
    const { refused } = state.now;
    if (refused?.sha256 === wanted.sha256 && refused.settings === version) {
      state.tell({ step: "refused", problem: null });
      return "done";
    }
    const end = await this.#prepare(wanted, version);
    if (end !== undefined) return end;
    return (await isWanted(wanted.sha256, version))
      ? this.#switchTo(name, machine, version)
      : later(this.#parts, CHANGED);
  }

  /** Gets a release ready to be switched to. @returns how the run ends where it does not get that far */
  async #prepare(wanted: Release, settings: string): Promise<End | undefined> {
    const { disk, state, fetch, trial, say } = this.#parts;
    state.tell({ step: "fetching", problem: null });
    const fetched = fetch(wanted);
    if (fetched.status !== 0) {
      if (!UNUSABLE.test(fetched.output)) return later(this.#parts, fetched.output);
      return this.#judgeBroken(wanted, { verdict: "broken", reason: fetched.output, passing: true }, settings);
    }
    state.tell({ step: "trying" });
    say(`trying ${inWords(wanted)}`);
    const place = disk.place(wanted.sha256);
    const { current } = disk;
    // The first release is to sign soon; the next run makes it.
    if (current !== undefined) this.#compile(wanted);
    const first = trial(place, current === undefined ? TRIAL.first : TRIAL.later);
    if (first.verdict === "broken") return this.#judgeBroken(wanted, first, settings);
    if (first.verdict === "ready" || current === undefined) return undefined;
    // Vault or table are away. If the release in use reaches them, that is the new one's fault; else nobody's. What the
    // running signer says of itself may be from before they went away, so it is tried as well; and then the new one once
    // more, for they may have come back in between.
    if (trial(disk.place(current), COMPARED).verdict !== "ready") {
      return later(this.#parts, `neither the release in use nor the new one gets ready: ${first.reason}`);
    }
    const second = trial(place, COMPARED);
    if (second.verdict === "ready") return undefined;
    return this.#refuse(wanted, `it does not get ready, and the one in use does: ${second.reason}`, settings);
  }

  async #judgeBroken(
    wanted: Release,
    { reason, passing }: Outcome & { verdict: "broken" },
    settings: string,
  ): Promise<End> {
    const { state } = this.#parts;
    const { sha256 } = wanted;
    const { tries } = state.now;
    const count = (tries?.sha256 === sha256 && tries.settings === settings ? tries.count : 0) + 1;
    if (passing !== true || count >= TRIES) return this.#refuse(wanted, reason, settings);
    state.tell({ tries: { sha256, settings, count } });
    return later(this.#parts, `${reason} (try ${count} of ${TRIES})`);
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
      state.tell({ running: wanted });
      this.#candidate.accept();
      return inForce ? "done" : later(this.#parts, "the machine's own files are not all in force");
    }
    const old = named(this.#parts, before);
    // Durably before the switch, so that whoever finds the new release in use knows that it is not proven.
    state.note({ candidate: { ...wanted, before: old, settings } });
    say(`switching from ${inWords(old)} to ${inWords(wanted)}`);
    disk.use(wanted.sha256);
    this.#files.link(wanted.sha256, before);
    const alive = service.restart(place, disk.place(before));
    state.tell({ running: wanted, step: "watching" });
    if (!alive) return this.#candidate.takeBack("it does not start", settings, true);
    return this.#candidate.settle(settings, parameters);
  }

  #compile(release: Named): void {
    const { disk, compile, say } = this.#parts;
    const reason = compile(disk.place(release.sha256));
    if (reason !== undefined) say(`${inWords(release)} starts more slowly than it could: ${reason}`);
  }

  /** Refuses a release, unless userData means another one by now: what was tried then had no settings of its own. */
  async #refuse({ version, sha256 }: Named, reason: string, settings: string): Promise<End> {
    const { state, say, isWanted } = this.#parts;
    if (!(await isWanted(sha256, settings))) return later(this.#parts, CHANGED);
    const refused = { version, sha256, reason, settings, at: new Date().toISOString() };
    state.tell({ step: "refused", problem: null, tries: null, refused });
    say(`refused ${inWords(refused)}: ${reason}`);
    return "done";
  }
}

/** Tells settings from others: the SHA-256 of their text, hex. */
export function settingsVersion(settings: string): string {
  return createHash("sha256").update(settings).digest("hex");
}
