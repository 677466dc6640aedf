import { expect } from "chai";
import pino from "pino";
import { ScheduledEvents } from "../../../signer/azure/scheduled-events.ts";
import { followAnnouncements } from "../../../signer/cli/follow-announcements.ts";
import { Imds } from "../../emulators/imds/imds.ts";

/** A signer that has left once the test says so. */
class LeavingSigner {
  readonly said: string[] = [];
  readonly heard = Promise.withResolvers<void>();
  balanced = true;
  /** How often it was asked whether it is. */
  asked = 0;

  isBalanced(): boolean {
    this.asked += 1;
    return this.balanced;
  }

  leave(reason: string): Promise<void> {
    this.said.push(`leave: ${reason}`);
    return this.heard.promise;
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
  let signer: LeavingSigner;

  const follow = () =>
    followAnnouncements(signer, pino({ enabled: false }), { pause: 1, events: new ScheduledEvents(imds.url) });

  beforeEach(async () => {
    imds = await Imds.start({ machine: "signer-2" });
    signer = new LeavingSigner();
  });

  afterEach(() => imds.stop());

  for (const type of ["Freeze", "Reboot", "Redeploy", "Preempt", "Terminate"] as const) {
    it(`has the signer leave before a ${type}, which may begin once it has, and come back when that is over`, async () => {
      using _following = follow();
      const id = imds.events.schedule(type);
      await until(() => signer.said.length === 1);
      expect(signer.said).to.deep.equal([`leave: Azure announces: ${type}`]);
      expect(imds.events.started(id)).to.equal(false);
      signer.heard.resolve();
      await until(() => imds.events.started(id));
      const looks = imds.calls.events;
      await until(() => imds.calls.events > looks + 2);
      expect(signer.said).to.have.length(1);
      imds.events.finish(id);
      await until(() => signer.said.length === 2);
      expect(signer.said[1]).to.equal("stay");
    });
  }

  it("is nothing to it where another machine is meant, and where no balancer asks: alone it keeps each minute", async () => {
    using _following = follow();
    const other = imds.events.schedule("Reboot", ["signer"]);
    await until(() => imds.calls.events > 3);
    signer.balanced = false;
    const { asked } = signer;
    await until(() => signer.asked > asked); // the look that was under way is over
    imds.events.schedule("Reboot");
    const looks = imds.calls.events;
    await until(() => signer.asked > asked + 10);
    expect(imds.calls.events).to.equal(looks);
    expect(signer.said).to.deep.equal([]);
    expect(imds.events.started(other)).to.equal(false);
  });

  it("is asked for again where the metadata service does not answer", async () => {
    imds.faults.script([
      { kind: "status", status: 503, on: "events" },
      { kind: "reset", on: "events" },
    ]);
    using _following = follow();
    imds.events.schedule("Reboot");
    await until(() => signer.said.length === 1);
  });
});
