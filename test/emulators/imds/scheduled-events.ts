import { randomUUID } from "node:crypto";

export interface ScheduledEvent {
  readonly EventId: string;
  readonly EventType: "Freeze" | "Reboot" | "Redeploy" | "Preempt" | "Terminate";
  EventStatus: "Scheduled" | "Started";
  /** Names of machines; empty means the one that asks. */
  readonly Resources: readonly string[];
  readonly ResourceType: "VirtualMachine";
  /** HTTP date before which the event does not start; empty once it has. */
  NotBefore: string;
  readonly Description: string;
  readonly EventSource: "Platform" | "User";
  readonly DurationInSeconds: number;
}

/** The events of /metadata/scheduledevents (version 2020-07-01). */
export class ScheduledEvents {
  #incarnation = 1;
  #events: ScheduledEvent[] = [];

  /** Announces an event. @param resources names of machines; default: the one that asks. @returns its id */
  schedule(type: ScheduledEvent["EventType"], resources: readonly string[] = []): string {
    this.#incarnation += 1;
    const event: ScheduledEvent = {
      EventId: randomUUID().toUpperCase(),
      EventType: type,
      EventStatus: "Scheduled",
      Resources: resources,
      ResourceType: "VirtualMachine",
      NotBefore: new Date(Date.now() + 15 * 60_000).toUTCString(),
      Description: "",
      EventSource: "Platform",
      DurationInSeconds: type === "Freeze" ? 9 : -1,
    };
    this.#events.push(event);
    return event.EventId;
  }

  /** Ends an event: it is shown no more. */
  finish(id: string): void {
    this.#incarnation += 1;
    this.#events = this.#events.filter((event) => event.EventId !== id);
  }

  started(id: string): boolean {
    return this.#events.some((event) => event.EventId === id && event.EventStatus === "Started");
  }

  /** Approves the events of a POST body {"StartRequests":[{"EventId":…}]}. @returns whether it could be read */
  start(text: string): boolean {
    try {
      const ids: string[] = JSON.parse(text).StartRequests.map((each: { EventId: string }) => each.EventId);
      for (const event of this.#events.filter((each) => ids.includes(each.EventId))) {
        event.EventStatus = "Started";
        event.NotBefore = "";
      }
      this.#incarnation += 1;
      return true;
    } catch {
      return false;
    }
  }

  document(machine: string) {
    const Events = this.#events.map((event) =>
      event.Resources.length === 0 ? { ...event, Resources: [machine] } : event,
    );
    return { DocumentIncarnation: this.#incarnation, Events };
  }
}
