import { expect } from "chai";
import { metricAlerts } from "../../infra/components/metric-alerts.ts";
import { Metrics } from "../../signer/observability/metrics.ts";
import { MonitorPoints } from "../../signer/observability/monitor-points.ts";
import { textOf } from "./pages.ts";

const REQUEST = { type: "consensus", kind: "attestation", chainId: "NetX", level: 7, round: 0 } as never;
const machines = ["", "-2"].map((suffix) => ({ id: `the machine${suffix}`, suffix }));
/** Those of a pair's second machine have the names of the first one's, and "-2". */
const alerts = metricAlerts("the vault", machines, true).filter(({ key }) => !key.endsWith("-2"));

/** What Azure Monitor would have of a series after five minutes, and whether an alert's criterion holds for it. */
async function fires(key: string, minutes: readonly ((metrics: Metrics) => void)[]): Promise<boolean> {
  const { metricName, timeAggregation, operator, threshold, dimensions } = Object(
    alerts.find((alert) => alert.key === key)?.criterion,
  );
  const metrics = new Metrics("azure-key-vault");
  const points = new MonitorPoints();
  const samples: { max: number; sum: number }[] = [];
  for (const happens of minutes) {
    happens(metrics);
    const post = points.of(await metrics.figures(), new Date());
    post.sent();
    for (const line of post.body.trim().split("\n")) {
      const { metric, dimNames = [], series } = JSON.parse(line).data.baseData;
      if (metric !== metricName) continue;
      for (const { dimValues = [], ...sample } of series) {
        const of = (name: string) => dimValues[dimNames.indexOf(name)];
        if ((dimensions ?? []).every(({ name, values }: never) => (values as string[]).includes(of(name)))) {
          samples.push(sample);
        }
      }
    }
  }
  metrics.stop();
  if (samples.length === 0) return false;
  const value =
    timeAggregation === "Maximum"
      ? Math.max(...samples.map(({ max }) => max))
      : samples.reduce((all, { sum }) => all + sum, 0);
  return operator === "LessThan" ? value < threshold : value > threshold;
}

const quiet = () => undefined;
const isReady = (value: number) => (metrics: Metrics) => metrics.ready.set(value);
const refused = (digest: string) => (metrics: Metrics) =>
  metrics.decided("position-already-signed", REQUEST, {}, { address: "tz3", digest });
const signed = (digest: string) => (metrics: Metrics) =>
  metrics.decided("signed", REQUEST, { sign: 20 }, { address: "tz3", digest });

describe("the stack's alerts", () => {
  it("stand in the table of docs/operate.md, each with when it fires and what to do, and no others", () => {
    const rows = [
      ...textOf("docs/operate.md").matchAll(/^\| `signer-([\w-]+)` \| .{10,} \| \d+ min \| (\d) \| .{5,} \|$/gm),
    ];
    const stack = [...alerts.map(({ key, severity }) => `${key} ${severity}`), "no-signature 0"];
    expect(rows.map(([, name, severity]) => `${name} ${severity}`)).to.have.members(stack);
  });

  it("tell that the signer cannot sign, once it could not for five minutes, and not of a restart", async () => {
    expect(await fires("signer-not-ready", Array(5).fill(isReady(0)))).to.equal(true);
    expect(await fires("signer-not-ready", [isReady(1), isReady(0), isReady(1), quiet, quiet])).to.equal(false);
  });

  it("tell that other bytes were asked for at a signed level, and not that the same ones were", async () => {
    expect(await fires("watermark-refusal", [signed("aa"), refused("bb"), quiet])).to.equal(true);
    expect(await fires("watermark-refusal", [signed("aa"), refused("aa"), quiet])).to.equal(false);
    expect(await fires("watermark-refusal", [signed("aa"), signed("bb")])).to.equal(false);
  });
});
