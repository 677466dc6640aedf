import { expect } from "chai";
import { AzureMonitor, MONITOR_AUDIENCE } from "./azure-monitor.ts";
import { TokenAuthority } from "./key-vault/tokens.ts";

const WRITER = { clientId: "11111111-2222-4333-8444-555555555555", objectId: "66666666-7777-4888-8999-aaaaaaaaaaaa" };
const MACHINE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/signer";
const SERIES = { dimValues: ["block"], min: 1, max: 3, sum: 4, count: 2 };

describe("the Azure Monitor emulator", () => {
  const tokens = new TokenAuthority();
  let monitor: AzureMonitor;

  beforeEach(async () => {
    monitor = await AzureMonitor.start(tokens, MACHINE);
    monitor.publishers.add(WRITER.objectId);
  });

  afterEach(() => monitor.stop());

  const documentOf = (series: object, time = new Date()) => ({
    time: time.toISOString(),
    data: { baseData: { metric: "signed", namespace: "tezos-signer", dimNames: ["kind"], series: [series] } },
  });

  async function status(
    given: unknown,
    { audience = MONITOR_AUDIENCE, path = `${MACHINE}/metrics`, who = WRITER } = {},
  ): Promise<number> {
    const { token } = tokens.issue(who, audience, 3600);
    const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/x-ndjson" };
    const body = typeof given === "string" ? given : JSON.stringify(given);
    const answer = await fetch(monitor.url + path, { method: "POST", headers, body });
    await answer.text();
    return answer.status;
  }

  it("adds up what a series is sent, line by line and post by post", async () => {
    const line = JSON.stringify(documentOf(SERIES));
    expect(await status(`${line}\n${line}\n`)).to.equal(200);
    expect(await status(documentOf({ ...SERIES, min: 0, sum: 3 }))).to.equal(200);
    expect(monitor.of("signed", "kind=block")).to.deep.equal({ minimum: 0, maximum: 3, total: 11, count: 6 });
    expect(monitor.metrics).to.deep.equal(["signed"]);
  });

  it("takes nothing from whom it does not know, for another service's token, or for another machine", async () => {
    const line = documentOf(SERIES);
    expect(await status(line, { audience: "https://vault.azure.net" })).to.equal(401);
    expect(await status(line, { path: `${MACHINE}-2/metrics` })).to.equal(404);
    expect(await status(line, { who: { ...WRITER, objectId: WRITER.clientId } })).to.equal(403);
    expect(monitor.metrics).to.deep.equal([]);
  });

  it("refuses what Azure's pages say that it refuses, and what is no document at all", async () => {
    for (const series of [
      { ...SERIES, dimValues: [] },
      { ...SERIES, dimValues: [""] },
      { ...SERIES, count: 0 },
      { ...SERIES, min: 4 },
      { ...SERIES, sum: 7 },
    ]) {
      expect(await status(documentOf(series)), JSON.stringify(series)).to.equal(400);
    }
    for (const minutes of [-21, 6]) {
      expect(await status(documentOf(SERIES, new Date(Date.now() + minutes * 60_000))), `${minutes}`).to.equal(400);
    }
    for (const body of ["{", "null", "[]", "{}", '{"time":"2026-11-20T16:00:00Z","data":{}}']) {
      expect(await status(body), body).to.equal(400);
    }
    expect(monitor.metrics).to.deep.equal([]);
  });

  it("answers as it is told, once each", async () => {
    monitor.faults.push({ status: 503 }, "failed-with-200", "lost");
    const line = documentOf(SERIES);
    expect(await status(line)).to.equal(503);
    expect(await status(line)).to.equal(200);
    expect(monitor.metrics, "a 200 that failed keeps nothing").to.deep.equal([]);
    expect(await status(line).catch(() => "lost")).to.equal("lost");
    expect(monitor.metrics, "what was taken, though the answer is lost").to.deep.equal(["signed"]);
    expect(await status(line)).to.equal(200);
  });
});
