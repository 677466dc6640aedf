import { expect } from "chai";
import { RecentActivity } from "../../../signer/observability/recent-activity.ts";

const refusal = (client: string, code: string, key = "tz3key") => {
  return { client, code, key, asked: "transaction", message: `${code} of ${client}` };
};

describe("the last refusals", () => {
  it("count equal ones as one, with the time of the first and the last, so that a client that floods hides nobody's", () => {
    const activity = new RecentActivity();
    activity.refused(refusal("192.0.2.1", "position-already-signed"));
    for (let round = 0; round < 1_000; round += 1) activity.refused(refusal("203.0.113.7", "request-not-allowed"));
    expect(activity.refusals.map(({ client, count }) => [client, count])).to.deep.equal([
      ["203.0.113.7", 1_000],
      ["192.0.2.1", 1],
    ]);
    for (const { since, at } of activity.refusals) expect(since <= at).to.equal(true);
  });

  it("stay those of the others, whatever keys a client names", () => {
    const activity = new RecentActivity();
    activity.refused(refusal("192.0.2.1", "position-already-signed"));
    for (let key = 0; key < 1_000; key += 1) activity.refused(refusal("203.0.113.7", "unknown-key", `tz3${key}`));
    expect(activity.refusals).to.have.length(20);
    expect(activity.refusals[0]?.key).to.equal("tz3999");
    expect(activity.refusals.at(-1)?.client).to.equal("192.0.2.1");
  });

  it("are one of one computer or network, whatever addresses it asks from", () => {
    for (const address of [(index: number) => `127.0.1.${index}`, (index: number) => `2001:db8:1:2::${index}`]) {
      const activity = new RecentActivity();
      activity.refused(refusal("192.0.2.1", "position-already-signed"));
      for (let index = 0; index < 100; index += 1) activity.refused(refusal(address(index), "request-not-allowed"));
      expect(activity.refusals.map(({ client, count }) => [client, count])).to.deep.equal([
        [address(99), 100],
        ["192.0.2.1", 1],
      ]);
    }
  });

  it("keep at least one of each client while up to nineteen others flood", () => {
    const activity = new RecentActivity();
    activity.refused(refusal("192.0.2.1", "position-already-signed"));
    for (let round = 0; round < 1_000; round += 1) {
      activity.refused(refusal(`203.0.113.${round % 19}`, "unknown-key", `tz3${round}`));
    }
    expect(activity.refusals).to.have.length(20);
    expect(new Set(activity.refusals.map(({ client }) => client)).size).to.equal(20);
    expect(activity.refusals.at(-1)?.client).to.equal("192.0.2.1");
  });
});
