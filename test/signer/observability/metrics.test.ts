import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";
import { Metrics } from "../../../signer/observability/metrics.ts";

const page = readFileSync(resolve(import.meta.dirname, "../../../docs/reference/metrics.md"), "utf8");

describe("metrics", () => {
  it("are exactly those of docs/reference/metrics.md, with their types and labels", async () => {
    const known = await new Metrics().registry.getMetricsAsJSON();
    const listed = [...page.matchAll(/^\| `(tezos_signer_\w+)` +\| (\w+) +\|/gm)].map(([, name, type]) => ({
      name,
      type,
    }));
    expect(listed).to.deep.equal(known.map(({ name, type }) => ({ name, type: String(type) })));
  });

  it("count a decision by kind and verdict, and observe its stages in seconds", async () => {
    const metrics = new Metrics();
    const request = { type: "consensus", kind: "block", operation: "block", chainId: "", level: 1, round: 0 } as const;
    metrics.decided("signed", request, { total: 20 });
    const text = await metrics.registry.metrics();
    expect(text).to.contain('tezos_signer_decisions_total{kind="block",verdict="signed"} 1');
    expect(text).to.contain('tezos_signer_stage_seconds_bucket{le="0.02",stage="total"} 1');
  });

  it("keep the time of the last signature apart by kind", async () => {
    const metrics = new Metrics();
    metrics.decided("request-not-allowed", undefined, {});
    expect(await metrics.registry.metrics()).not.to.match(/last_signed_timestamp_seconds\{/);
  });

  it("tell quantiles of a stage, within the bucket that holds them", async () => {
    const metrics = new Metrics();
    expect(await metrics.quantile("sign", 0.5)).to.equal(undefined);
    for (let count = 0; count < 98; count++) metrics.decided("signed", undefined, { sign: 15 });
    for (let count = 0; count < 2; count++) metrics.decided("signed", undefined, { sign: 900 });
    expect(await metrics.quantile("sign", 0.5)).to.be.within(10, 20);
    expect(await metrics.quantile("sign", 0.99)).to.be.within(640, 1_280);
  });
});
