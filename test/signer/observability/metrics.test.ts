import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";
import { Metrics } from "../../../signer/observability/metrics.ts";

const page = readFileSync(resolve(import.meta.dirname, "../../../docs/reference/metrics.md"), "utf8");

describe("metrics", () => {
  it("are exactly those of docs/reference/metrics.md, with their types and labels", async () => {
    const known = new Metrics().registry.getMetricsAsArray().map((metric) => {
      const { name, type, labelNames } = metric as unknown as { name: string; type: string; labelNames: string[] };
      return { name, type, labels: [...labelNames] };
    });
    const listed = [...page.matchAll(/^\| `(\w+)` \| (\w+) \| ([^|]*?) ?\| .+ \|$/gm)].map(
      ([, name, type, labels = ""]) => ({
        name,
        type,
        labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label),
      }),
    );
    expect(listed).to.deep.equal(known);
  });

  it("have no label on the page that says not which values it takes", () => {
    const labels = new Set(
      [...page.matchAll(/^\| `\w+` \| \w+ \| ([^|]*?) ?\|/gm)].flatMap(([, text = ""]) => text.match(/\w+/g) ?? []),
    );
    const told = new Set([...page.matchAll(/^- (.+?): /gm)].flatMap(([, text = ""]) => text.match(/\w+/g) ?? []));
    // The first paragraph says what an address is; the version of a release or of settings is its own.
    const plain = ["address", "version", "code"];
    expect([...labels].filter((label) => !told.has(label) && !plain.includes(label))).to.deep.equal([]);
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
    metrics.decided("request-not-allowed", undefined, {}, { address: "tz3", digest: "aa" });
    expect(await metrics.registry.metrics()).not.to.match(/last_signed_timestamp_seconds\{/);
  });

  it("tell quantiles of a stage, within the bucket that holds them", async () => {
    const metrics = new Metrics();
    expect(await metrics.quantile("sign", 0.5)).to.equal(undefined);
    for (let count = 0; count < 98; count++) metrics.decided("signed", undefined, { sign: 15 });
    for (let count = 0; count < 2; count++) metrics.decided("signed", undefined, { sign: 900 });
    expect(await metrics.quantile("sign", 0.5)).to.be.within(10, 20);
    expect(await metrics.quantile("sign", 0.99)).to.be.within(500, 1_000);
  });

  describe("of a key", () => {
    const vote = (level: number, round = 0) =>
      ({ type: "consensus", kind: "attestation", operation: "attestation", chainId: "", level, round }) as const;

    it("tell its last level and when that was, by kind", async () => {
      const metrics = new Metrics();
      metrics.decided("signed", vote(7), { sign: 1 }, { address: "tz3", digest: "aa" });
      metrics.decided("signed", vote(8), { sign: 1 }, { address: "tz3", digest: "bb" });
      const text = await metrics.text();
      expect(text).to.contain('tezos_signer_last_signed_level{address="tz3",kind="attestation"} 8\n');
      expect(text).to.match(/tezos_signer_last_signed_timestamp_seconds\{address="tz3",kind="attestation"\} \d{10}/);
      expect(text).to.contain('signing_ops_total{address="tz3",vault="local",op="attestation",kind="attestation"} 2\n');
    });

    it("tell a refusal of bytes that were signed before from one of others", async () => {
      const metrics = new Metrics();
      metrics.decided("signed", vote(7), {}, { address: "tz3", digest: "aa" });
      for (const digest of ["aa", "bb"]) {
        metrics.decided("position-below-watermark", vote(6), {}, { address: "tz3", digest });
      }
      const text = await metrics.text();
      for (const retry of ["yes", "no"])
        expect(text).to.match(new RegExp(`^watermark_rejection_total\\{.*retry="${retry}"\\} 1$`, "m"));
    });

    it("take no more than six rounds, whatever a client asks, and no address or kind of what was not signed", async () => {
      const metrics = new Metrics();
      for (let round = 0; round < 100; round++) {
        metrics.decided("signed", vote(7, round), {}, { address: "tz3", digest: `${round}` });
        metrics.decided("unknown-key", vote(7), {}, { address: `tz3-${round}`, digest: `${round}` });
      }
      const text = await metrics.text();
      expect(text.match(/^consensus_round_total\{/gm)).to.have.length(6);
      expect(text).to.contain('round="5+"} 95\n').and.not.to.contain("tz3-");
    });

    it("count a batch by what it holds", async () => {
      const metrics = new Metrics("azure-key-vault");
      const request = { type: "operation", operations: [{ kind: "reveal" }, { kind: "transaction" }] } as never;
      metrics.decided("signed", request, {}, { address: "tz3", digest: "aa" });
      expect(await metrics.text()).to.contain(
        'signing_ops_total{address="tz3",vault="azure-key-vault",op="operation",kind="reveal"} 1\n',
      );
    });
  });

  it("count what a backend has failed by, as often as it is asked", async () => {
    const metrics = new Metrics();
    const causes = new Map([["timeout", 2]]);
    for (let scrape = 0; scrape < 3; scrape++) metrics.faults("vault", causes);
    causes.set("timeout", 3);
    metrics.faults("vault", causes);
    expect(await metrics.text()).to.contain('tezos_signer_backend_faults_total{backend="vault",cause="timeout"} 3\n');
  });

  it("have no value for what there is none of", async () => {
    expect(await new Metrics().text()).not.to.match(/^tezos_signer_(tls_cert|vault_token|head_level|last_signed)\S* /m);
  });
});
