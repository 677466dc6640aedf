import { expect } from "chai";
import { type Figure, Metrics } from "../../../signer/observability/metrics.ts";
import { MonitorPoints } from "../../../signer/observability/monitor-points.ts";

const AT = new Date("2026-11-29T12:00:00Z");
const REQUEST = { type: "consensus", kind: "attestation", chainId: "NetX", level: 7, round: 0 } as never;

/** Each series of a post, by its metric and dimensions. */
function seriesOf(body: string): Record<string, { min: number; max: number; sum: number; count: number }> {
  const documents = body
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  return Object.fromEntries(
    documents.flatMap(({ data: { baseData } }) =>
      baseData.series.map(({ dimValues = [], ...sample }: { dimValues?: string[] }) => [
        [baseData.metric, ...dimValues].join(" "),
        sample,
      ]),
    ),
  );
}

const one = (value: number) => ({ min: value, max: value, sum: value, count: 1 });

describe("figures for Azure Monitor", () => {
  it("hold every metric that has a value, each line a document of its namespace and minute", async () => {
    const metrics = new Metrics("local");
    metrics.decided("signed", REQUEST, { sign: 3, total: 4 }, { address: "tz3", digest: "aa" });
    const { body } = new MonitorPoints().of(await metrics.figures(), AT);
    metrics.stop();
    const names = new Set<string>();
    for (const line of body.trim().split("\n")) {
      const { time, data } = JSON.parse(line);
      expect(time).to.equal("2026-11-29T12:00:00.000Z");
      expect(data.baseData.namespace).to.equal("tezos-signer");
      const { metric, dimNames = [], series } = data.baseData;
      for (const { dimValues = [] } of series) expect(dimValues).to.have.length(dimNames.length);
      names.add(metric);
    }
    const withValues = (await metrics.figures()).filter(({ values }) => values.length > 0).map(({ name }) => name);
    expect([...names].sort()).to.deep.equal(
      withValues.map((name) => name.replace(/_timestamp_seconds$/, "_seconds_ago")).sort(),
    );
  });

  it("tell what was counted since the last ones that were taken, and lose nothing while none are", () => {
    const points = new MonitorPoints();
    const counted = (value: number): Figure[] => [
      { name: "signatures_total", type: "counter", values: [{ value, labels: { kind: "block" } }] },
    ];
    const told = (value: number) => {
      const post = points.of(counted(value), AT);
      return [seriesOf(post.body)["signatures_total block"]?.sum, post.sent] as const;
    };
    const [first, sent] = told(5);
    expect(first).to.equal(5);
    sent();
    expect(told(7)[0]).to.equal(2);
    const [both, sentAgain] = told(9);
    expect(both).to.equal(4);
    sentAgain();
    expect(told(9)[0]).to.equal(0);
  });

  it("tell of durations how many they were, their sum, and between which bounds", async () => {
    const metrics = new Metrics("local");
    const points = new MonitorPoints();
    const post = async () =>
      points.of(
        (await metrics.figures()).filter(({ name }) => name.endsWith("stage_seconds")),
        AT,
      );
    for (const sign of [3, 40, 7]) metrics.decided("signed", REQUEST, { sign });
    const first = await post();
    const { "tezos_signer_stage_seconds sign": sample } = seriesOf(first.body);
    expect(sample).to.include({ min: 0.002, max: 0.05, count: 3 });
    expect(sample?.sum).to.be.closeTo(0.05, 1e-9);
    first.sent();
    expect((await post()).body).to.equal("");
    metrics.decided("signed", REQUEST, { sign: 5_000 });
    expect(seriesOf((await post()).body)["tezos_signer_stage_seconds sign"]).to.deep.include({
      min: 2,
      max: 5,
      count: 1,
    });
    metrics.stop();
  });

  it("tell a time as seconds from now: since it, or until what ends at it", () => {
    const at = AT.getTime() / 1_000;
    const { body } = new MonitorPoints().of(
      [
        {
          name: "last_signed_timestamp_seconds",
          type: "gauge",
          values: [{ value: at - 6, labels: { kind: "block" } }],
        },
        { name: "token_expiry_timestamp_seconds", type: "gauge", values: [{ value: at + 600, labels: {} }] },
      ],
      AT,
    );
    expect(seriesOf(body)).to.deep.equal({ "last_signed_seconds_ago block": one(6), token_seconds_left: one(600) });
  });

  it("leave out what is no number", () => {
    const values = [Number.NaN, 1, Number.POSITIVE_INFINITY].map((value, index) => ({ value, labels: { index } }));
    const { body } = new MonitorPoints().of([{ name: "lag", type: "gauge", values }], AT);
    expect(seriesOf(body)).to.deep.equal({ "lag 1": one(1) });
  });

  it("never become a body of more than a megabyte", () => {
    const values = Array.from({ length: 500 }, (_, index) => ({
      value: 1,
      labels: { address: `${index}`.padEnd(200, "x") },
    }));
    const figures = Array.from(
      { length: 40 },
      (_, index): Figure => ({ name: `metric_${index}`, type: "gauge", values }),
    );
    const { body } = new MonitorPoints().of(figures, AT);
    expect(body.length).to.be.within(500_000, 1_000_000);
    expect(() => seriesOf(body)).not.to.throw();
  });
});
