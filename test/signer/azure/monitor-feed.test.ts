import { expect } from "chai";
import { MonitorFeed } from "../../../signer/azure/monitor-feed.ts";
import { type Figure, Metrics } from "../../../signer/observability/metrics.ts";
import { MonitorPoints } from "../../../signer/observability/monitor-points.ts";
import { AzureMonitor } from "../../emulators/azure-monitor.ts";
import { Imds } from "../../emulators/imds/imds.ts";

const SIGNER = { clientId: "11111111-2222-4333-8444-555555555555", objectId: "66666666-7777-4888-8999-aaaaaaaaaaaa" };
const MACHINE =
  "/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/baking/providers/Microsoft.Compute/virtualMachines/signer";
const COUNTED = "signatures_total";

describe("what sends figures to Azure Monitor", () => {
  let imds: Imds;
  let monitor: AzureMonitor;
  let feed: MonitorFeed | undefined;
  let signatures = 0;
  let at: () => Date;
  let told: string[];
  const figures = (): Figure[] => [
    { name: COUNTED, type: "counter", values: [{ value: signatures, labels: { kind: "block" } }] },
  ];

  beforeEach(async () => {
    imds = await Imds.start({ identities: [SIGNER] });
    process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST = imds.url;
    monitor = await AzureMonitor.start(imds.tokens, MACHINE);
    monitor.publishers.add(SIGNER.objectId);
    [signatures, told, at] = [3, [], () => new Date()];
  });
  afterEach(async () => {
    await feed?.stop();
    await monitor.stop();
    await imds.stop();
    delete process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST;
  });

  function start(take?: () => Promise<{ body: string; sent(): void }>): void {
    const points = new MonitorPoints();
    const note = (message: string) => void told.push(message);
    feed = new MonitorFeed({
      endpoint: monitor.url,
      resource: MACHINE,
      clientId: SIGNER.clientId,
      log: { info: note, warn: note },
      take: take ?? (async () => points.of(figures(), at())),
      pause: 5,
    });
  }

  async function until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise((later) => setTimeout(later, 2));
  }
  const total = () => monitor.of(COUNTED, "kind=block")?.total;

  it("has every figure of the signer's metrics taken, with a token for Azure Monitor, slash and all", async () => {
    const metrics = new Metrics("azure-key-vault");
    metrics.decided("signed", { type: "consensus", kind: "block", level: 7, round: 0 } as never, { sign: 21 });
    const points = new MonitorPoints();
    start(async () => points.of(await metrics.figures(), new Date()));
    await until(() => monitor.calls >= 3);
    metrics.stop();
    expect(told).to.deep.equal(["Azure Monitor takes the signer's figures"]);
    expect(monitor.metrics).to.include("tezos_signer_decisions_total").and.include("tezos_signer_ready");
    expect(monitor.of("tezos_signer_decisions_total", "kind=block", "verdict=signed")).to.deep.include({ total: 1 });
    // The service caches a token; we ask for one once.
    expect(imds.calls.token).to.equal(1);
  });

  for (const [title, fault, said] of [
    ["429 with a time to wait", { status: 429, code: "TooManyRequests", retryAfter: 0.02 }, /\(429, TooManyRequests\)/],
    ["500", { status: 500 }, /\(500, InternalError\)/],
    ["503", { status: 503, code: "ServiceUnavailable" }, /\(503, ServiceUnavailable\)/],
    ["a redirection", { status: 302, code: "Found" }, /\(302, Found\)/],
    ["200 that says in its body that it failed", "failed-with-200", /\(200, BadRequest\)/],
  ] as const) {
    it(`sends again, with what came since, after ${title}, and tells it once`, async () => {
      monitor.faults.push(fault, fault);
      start();
      await until(() => monitor.calls >= 2);
      signatures = 10;
      await until(() => told.length === 2);
      expect(total()).to.equal(10);
      expect(told).to.have.length(2);
      expect(told[0])
        .to.match(said)
        .and.match(/The figures come with the next minute's\.$/);
      expect(told[1]).to.equal("Azure Monitor takes the signer's figures");
    });
  }

  it("waits for a role that is new, and says so", async () => {
    monitor.publishers.clear();
    start();
    await until(() => told.length > 0);
    expect(told[0])
      .to.match(/\(403, AuthenticationFailed\)\. .*a new role takes some minutes/)
      .and.not.include(SIGNER.objectId);
    monitor.publishers.add(SIGNER.objectId);
    await until(() => total() === 3);
  });

  it("gets another token where one is refused", async () => {
    start();
    await until(() => total() === 3);
    imds.revokeTokens();
    signatures = 4;
    await until(() => told.length === 3);
    expect(total()).to.equal(4);
    expect(told.slice(1)).to.deep.equal([
      "Azure Monitor refuses the signer's figures (401, AuthenticationFailed). The figures come with the next minute's.",
      "Azure Monitor takes the signer's figures",
    ]);
  });

  it("goes on where no token is to be had, and where the clock is wrong", async () => {
    await imds.goAway();
    at = () => new Date(Date.now() - 21 * 60_000);
    start();
    await until(() => told.length === 1);
    expect(told[0]).to.match(/^Azure Monitor: .*ECONNREFUSED/);
    await imds.comeBack();
    await until(() => told.length === 2);
    expect(told[1]).to.match(/\(400, BadRequest\)/);
    at = () => new Date();
    await until(() => total() === 3);
  });

  it("counts twice what was taken without an answer, rather than not at all", async () => {
    monitor.faults.push("lost");
    start();
    await until(() => told.length === 2);
    expect(total()).to.equal(6);
  });

  it("ends while Azure Monitor says nothing", async () => {
    monitor.faults.push("silent");
    start();
    await until(() => monitor.calls === 1);
    await feed?.stop();
    expect(told).to.deep.equal([]);
  });

  it("never asks twice at once", async () => {
    let [asked, most] = [0, 0];
    start(async () => {
      asked += 1;
      most = Math.max(most, asked);
      await new Promise((later) => setTimeout(later, 20));
      asked -= 1;
      return { body: "", sent: () => undefined };
    });
    await until(() => monitor.calls >= 3);
    expect(most).to.equal(1);
  });
});
