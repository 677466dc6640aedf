import { duration } from "../duration.ts";
import { messageOf } from "../errors.ts";
import { ownCommand } from "../own-command.ts";
import { Repetition } from "../repetition.ts";
import type { MachineNote, MachineNotes, SeenNote } from "./machine-notes.ts";

/** What /status shows of another machine behind the same balancer. */
export interface OtherMachine extends Omit<MachineNote, "release" | "settings"> {
  /** When it was last heard of, ISO 8601. */
  readonly seenAt: string;
  /** Whether it has this machine's release and settings; null where it is away. */
  readonly inStep: boolean | null;
  /** What somebody is to look at, in sentences. */
  readonly problems: readonly string[];
}

/** Between two looks, milliseconds; and while this machine takes nothing new, since the other one may wait until it does. */
const PAUSE = 10_000;
const SOON = 1_000;
/** A look may take so long, milliseconds. */
const PATIENCE = 5_000;
/** A machine that was not heard of for so long is away, milliseconds: six of its notes. */
const AWAY = 60_000;
/** One that was not heard of for so long was taken away for good, milliseconds. */
const GONE = 24 * 3_600_000;

export interface OtherMachinesParts {
  /** Opens the place where notes lie; undefined where no other computer shares it. */
  open(): Promise<MachineNotes | undefined>;
  /** What this machine tells. */
  own(): MachineNote;
  /** Whether a balancer asks here: only then another machine may be there. */
  isBalanced(): boolean;
  readonly log: Record<"warn", (message: string) => void>;
}

/** Tells the other machines behind the balancer how it is here, and reads what they tell. No request waits for it. */
export class OtherMachines {
  readonly #parts: OtherMachinesParts;
  readonly #following = new Repetition();
  #notes: MachineNotes | undefined;
  #seen: readonly SeenNote[] = [];
  /** By the table's clock, as all that was seen: this computer's own may be wrong. */
  #readAt = 0;
  #failure: string | undefined;
  /** As its last note says. */
  #takesNew = false;
  /** One exchange after the other: an earlier note must not come after a later one. */
  #exchanged: Promise<void> = Promise.resolve();
  /** The next try to be relieved is another machine's. */
  #waits = false;

  constructor(parts: OtherMachinesParts) {
    this.#parts = parts;
  }

  /** Begins to exchange notes, every ten seconds. */
  start(): void {
    const work = () => this.exchange();
    this.#following.start("pause", work, () => (this.#takesNew ? PAUSE : SOON));
  }

  stop(): Promise<void> {
    return this.#following.stop();
  }

  /** Leaves a note and reads the others', where a balancer asks. Never rejects: what fails is told once for each reason. */
  exchange(): Promise<void> {
    this.#exchanged = this.#exchanged.then(() => this.#exchange());
    return this.#exchanged;
  }

  /**
   * Whether another machine takes what is new, so that this one can be missed. While no look has succeeded, one does: what
   * keeps a machine from the table keeps it from signing.
   */
  get isRelieved(): boolean {
    return this.#readAt === 0 || this.#others().some(({ at, ready }) => ready && this.#readAt - at <= AWAY);
  }

  /**
   * Looks anew whether this machine, which says in its note that it takes nothing new, is relieved. Of two that ask at the
   * same moment neither is: each has written before it reads, and so reads of the other. Then it is the turn of the one
   * whose name comes first.
   */
  async relieve(): Promise<boolean> {
    if (this.#waits) {
      this.#waits = false;
      return false;
    }
    await this.exchange();
    const own = this.#parts.own();
    this.#waits = !this.isRelieved && this.#others().some(({ machine }) => machine < own.machine);
    return this.isRelieved;
  }

  async #exchange(): Promise<void> {
    if (!this.#parts.isBalanced()) return;
    try {
      const signal = AbortSignal.any([this.#following.signal, AbortSignal.timeout(PATIENCE)]);
      this.#notes ??= await this.#parts.open();
      if (this.#notes === undefined) return;
      const own = this.#parts.own();
      await this.#notes.write(own, signal);
      this.#takesNew = own.ready;
      const seen = await this.#notes.read(signal);
      const written = seen.find(({ machine }) => machine === own.machine);
      if (written === undefined) throw new Error("its own note is not among those in the table");
      this.#seen = seen;
      this.#readAt = written.at;
      this.#failure = undefined;
    } catch (error) {
      const reason = messageOf(error);
      if (reason !== this.#failure && !this.#following.signal.aborted) {
        this.#parts.log.warn(`What the other machine tells is not known: ${reason}`);
      }
      this.#failure = reason;
    }
  }

  /** What /status shows; null where no balancer asks. */
  look(): readonly OtherMachine[] | null {
    if (!this.#parts.isBalanced()) return null;
    const own = this.#parts.own();
    return this.#others().map((note) => this.#judge(note, own));
  }

  #others(): readonly SeenNote[] {
    const { machine: own } = this.#parts.own();
    return this.#seen.filter(({ machine, at }) => machine !== own && this.#readAt - at < GONE);
  }

  /** Judges by the time of the last look: while the table does not answer, nothing is said of the other machine. */
  #judge({ at, release, settings, ...note }: SeenNote, own: MachineNote): OtherMachine {
    const { machine, ready, waiting } = note;
    const silent = this.#readAt - at;
    const seenAt = new Date(at).toISOString();
    if (silent > AWAY) {
      const problems = [`${machine} has not been heard of for ${duration(silent / 1_000)}.`];
      return { ...note, seenAt, inStep: null, problems };
    }
    const problems = [
      ...(ready ? [] : [`${machine} takes nothing new: its own /status says why.`]),
      ...(release === own.release ? [] : [`${machine} runs another release than this machine.`]),
      ...(settings === own.settings ? [] : [`${machine} has other settings than this machine.`]),
      ...(waiting === 0 ? [] : [`${machine} has ${waiting} waiting for a person: ${ownCommand("confirm")}, there.`]),
    ];
    return { ...note, seenAt, inStep: release === own.release && settings === own.settings, problems };
  }
}
