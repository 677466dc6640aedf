import { expect } from "chai";
import pino from "pino";
import { ScheduledEvents } from "../../../signer/azure/scheduled-events.ts";
import { followAnnouncements } from "../../../signer/cli/follow-announcements.ts";
import { Imds } from "../../emulators/imds/imds.ts";
import { logLines } from "../../harness/log-lines.ts";

/** A departure that has left once the test says so. */
class PlayedDeparture {
  readonly said: string[] = [];
  readonly heard = Promise.withResolvers<true>();
  balanced = true;
  /** Whether another machine takes what is new. */
  relieved = true;
  /** How often it was asked whether it is balanced. */
  asked = 0;

  get isBalanced(): boolean {
    this.asked += 1;
    return this.balanced;
  }

  async leave(reason: string): Promise<boolean> {
    this.said.push(`leave: ${reason}`);
    return this.relieved && this.heard.promise;
  }

  stay(): void {
    this.said.push("stay");
  }
}

/** Waits until something is so; the test's own time-out ends it where it never is. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 2));
}

describe("what Azure announces for the machine", () => {
  let imds: Imds;
  let departure: PlayedDeparture;

  const follow = (log = pino({ enabled: false })) =>
    followAnnouncements(departure, log, { pause: 1, events: new ScheduledEvents(imds.url) });

  beforeEach(async () => {
    imds = await Imds.start({ machine: "signer-2" });
    departure = new PlayedDeparture();
  });

  afterEach(() => imds.stop());

  for (const type of ["Freeze", "Reboot", "Redeploy", "Preempt", "Terminate"] as const) {
    it(`has the signer leave before a ${type}, which may begin once it has, and come back when that is over`, async () => {
      using _following = follow();
      const id = imds.events.schedule(type);
      await until(() => departure.said.length === 1);
      expect(departure.said).to.deep.equal([`leave: Azure announces: ${type}`]);
      expect(imds.events.started(id)).to.equal(false);
      departure.heard.resolve(true);
      await until(() => imds.events.started(id));
      const looks = imds.calls.events;
      await until(() => imds.calls.events > looks + 2);
      expect(departure.said).to.have.length(1);
      imds.events.finish(id);
      await until(() => departure.said.length === 2);
      expect(departure.said[1]).to.equal("stay");
    });
  }

  it("is nothing to it where another machine is meant, and where no balancer asks: alone it keeps each minute", async () => {
    using _following = follow();
    const other = imds.events.schedule("Reboot", ["signer"]);
    await until(() => imds.calls.events > 3);
    departure.balanced = false;
    const { asked } = departure;
    await until(() => departure.asked > asked); // the look that was under way is over
    imds.events.schedule("Reboot");
    const looks = imds.calls.events;
    await until(() => departure.asked > asked + 10);
    expect(imds.calls.events).to.equal(looks);
    expect(departure.said).to.deep.equal([]);
    expect(imds.events.started(other)).to.equal(false);
  });

  it("is not hastened while no other machine takes what is new, which is told once, and is once one does", async () => {
    departure.relieved = false;
    const { log, lines } = logLines();
    using _following = follow(log);
    const id = imds.events.schedule("Reboot");
    await until(() => departure.said.length > 3);
    expect(imds.events.started(id)).to.equal(false);
    departure.relieved = true;
    departure.heard.resolve(true);
    await until(() => imds.events.started(id));
    expect(lines.map(({ msg }) => msg).slice(0, 2)).to.deep.equal([
      "Azure announces: Reboot",
      "no other machine takes what is new: this one signs on until Azure begins",
    ]);
  });

  it("is asked for again where the metadata service does not answer", async () => {
    imds.faults.script([
      { kind: "status", status: 503, on: "events" },
      { kind: "reset", on: "events" },
    ]);
    using _following = follow();
    imds.events.schedule("Reboot");
    await until(() => departure.said.length === 1);
  });
});
