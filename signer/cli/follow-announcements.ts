import type { Logger } from "pino";
import { imdsHost } from "../azure/metadata-service.ts";
import { ScheduledEvents } from "../azure/scheduled-events.ts";
import { messageOf } from "../errors.ts";
import type { RunningSigner } from "../main.ts";
import { Repetition } from "../repetition.ts";

/** Between two looks, milliseconds: the shortest announcement is 30 s long. */
const PAUSE = 5_000;

/** How long one answer may take, milliseconds: the first one takes up to two minutes, and is asked for again. */
const PATIENCE = 10_000;

/**
 * Follows what Azure announces for the machine, where a balancer has another one to send to: before a reboot, a move or a
 * freeze nothing new comes here, what was asked is answered, and only then Azure is told to go on. A machine that is alone,
 * or whose other one takes nothing new, keeps every minute that it is given, and looks again meanwhile.
 */
export function followAnnouncements(
  departure: Pick<RunningSigner["departure"], "isBalanced" | "leave" | "stay">,
  log: Logger,
  { pause = PAUSE, events = new ScheduledEvents(imdsHost()) } = {},
): Disposable {
  const following = new Repetition();
  let failure: string | undefined;
  /** Ids that were told, and those that the signer has left for. */
  const told = new Set<string>();
  const left = new Set<string>();
  const look = async () => {
    const signal = AbortSignal.any([following.signal, AbortSignal.timeout(PATIENCE)]);
    const announced = await events.read(signal);
    if (announced.length === 0) {
      if (left.size > 0) {
        log.info("what Azure announced is over: the balancer may send here again");
        departure.stay();
      }
      told.clear();
      left.clear();
      return;
    }
    const fresh = announced.filter(({ id, status }) => status === "Scheduled" && !left.has(id));
    if (fresh.length === 0) return;
    const what = [...new Set(fresh.map(({ type }) => type))].join(", ");
    const isNew = fresh.some(({ id }) => !told.has(id));
    if (isNew) log.warn({ events: fresh.map(({ id }) => id) }, `Azure announces: ${what}`);
    for (const { id } of fresh) told.add(id);
    if (!(await departure.leave(`Azure announces: ${what}`))) {
      if (isNew) log.warn("no other machine takes what is new: this one signs on until Azure begins");
      return;
    }
    for (const { id } of fresh) left.add(id);
    if (following.signal.aborted) return;
    await events.start(
      fresh.map(({ id }) => id),
      AbortSignal.any([following.signal, AbortSignal.timeout(PATIENCE)]),
    );
    log.warn(`all is answered: Azure may go on with: ${what}`);
  };
  const work = async () => {
    try {
      if (departure.isBalanced || left.size > 0) await look();
      failure = undefined;
    } catch (error) {
      const reason = messageOf(error);
      if (reason !== failure && !following.signal.aborted) log.warn(`Azure's announcements are not known: ${reason}`);
      failure = reason;
    }
  };
  following.start("work", work, () => pause);
  return { [Symbol.dispose]: () => void following.stop() };
}
