/**
 * What Azure announces that it will do to this machine (learn.microsoft.com, "Scheduled Events for Linux VMs"): a freeze of
 * seconds, a reboot, a move to other hardware, its end. Whoever says that it may begin need not wait for the announced time.
 * @module
 */
import { askMetadataService } from "./metadata-service.ts";

const VERSION = "2020-07-01";

/** One announcement for this machine. */
export interface Announcement {
  readonly id: string;
  /** `Freeze`, `Reboot`, `Redeploy`, `Preempt` or `Terminate`. */
  readonly type: string;
  /** `Scheduled`, or `Started` once Azure is at it. */
  readonly status: string;
}

/** Reads announcements, and says that they may begin. */
export class ScheduledEvents {
  readonly #host: string;
  #name: string | undefined;

  /** @param host of the metadata service */
  constructor(host: string) {
    this.#host = host;
  }

  /** Returns what is announced for this machine. @throws Error that says what is wrong */
  async read(signal: AbortSignal): Promise<Announcement[]> {
    this.#name ??= await this.#ownName(signal);
    const { Events: events } = JSON.parse(await this.#ask(this.#url, signal)) as { Events?: unknown };
    if (!Array.isArray(events)) throw new Error("the metadata service's answer has no list of events");
    return events
      .filter(({ Resources: names }) => Array.isArray(names) && names.includes(this.#name))
      .map(({ EventId: id, EventType: type, EventStatus: status }) => {
        return { id: String(id), type: String(type), status: String(status) };
      });
  }

  /** Says that announced events may begin now. @throws Error that says what is wrong */
  async start(ids: readonly string[], signal: AbortSignal): Promise<void> {
    const body = JSON.stringify({ StartRequests: ids.map((EventId) => ({ EventId })) });
    await this.#ask(this.#url, signal, body);
  }

  get #url(): URL {
    return new URL(`/metadata/scheduledevents?api-version=${VERSION}`, this.#host);
  }

  #ownName(signal: AbortSignal): Promise<string> {
    return this.#ask(new URL("/metadata/instance/compute/name?api-version=2021-01-01&format=text", this.#host), signal);
  }

  async #ask(url: URL, signal: AbortSignal, body?: string): Promise<string> {
    const { status, text } = await askMetadataService(url, signal, body);
    if (status === 200) return text;
    throw new Error(`the metadata service answered with status ${status}`);
  }
}
