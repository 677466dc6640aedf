import { expect } from "chai";
import { type ErrorCode, SignerError } from "../../../signer/errors.ts";
import { Metrics } from "../../../signer/observability/metrics.ts";
import { RecentActivity } from "../../../signer/observability/recent-activity.ts";
import { AuditLog } from "../../../signer/signing/audit-log.ts";
import { type SigningCall, signingCall } from "../../../signer/signing/request-context.ts";
import { parsePayload } from "../../../signer/tezos/payload/payload.ts";
import { attestation, block } from "../../fixtures/payloads.ts";
import { fakeTimers } from "../../harness/fake-timers.ts";
import { logLines } from "../../harness/log-lines.ts";
import { requestSettings } from "../../harness/request-settings.ts";

const KEY = "tz3iDzR5UeBCsKP9v1teMuRYiVjx66s75RbC";
const MINUTE = 60_000;

function auditLog() {
  const { log, lines } = logLines();
  const metrics = new Metrics();
  const activity = new RecentActivity();
  const audit = new AuditLog({ logger: log, metrics, activity });
  const call = (payload: Buffer, { client = "203.0.113.7", address = KEY, source }: Partial<SigningCall> = {}) => {
    const gone = new AbortController().signal;
    const made = signingCall({ settings: requestSettings(), client }, { address, payload, gone });
    return { client, signing: Object.assign(made, { request: parsePayload(payload) }, source && { source }) };
  };
  const refuse = (code: ErrorCode, payload: Buffer, own: Partial<SigningCall> = {}) =>
    audit.record(call(payload, own), new SignerError(code, "by the test."));
  const sign = (payload: Buffer, source: "signed" | "kept" = "signed") => audit.record(call(payload, { source }));
  return { activity, audit, lines, metrics, refuse, sign };
}

describe("the audit log", () => {
  it("tells the first of a client's refusals at once, sums up the others once a minute, and counts every one", async () => {
    using timers = fakeTimers();
    const { lines, metrics, refuse } = auditLog();
    for (let level = 1; level <= 2_000; level += 1) refuse("request-not-allowed", block({ level }));
    expect(lines).to.have.length(1);
    expect(lines[0]).to.include({ verdict: "request-not-allowed", level: 1 }).and.not.to.have.property("repeated");
    await timers.tick(MINUTE);
    expect(lines).to.have.length(2);
    expect(lines[1]).to.include({ verdict: "request-not-allowed", level: 2_000, repeated: 1_999 });
    await timers.tick(MINUTE);
    expect(lines, "nothing was refused meanwhile").to.have.length(2);
    refuse("request-not-allowed", block({ level: 1 }));
    expect(lines, "a minute later it is news").to.have.length(3);
    expect(await metrics.registry.metrics()).to.contain(
      'tezos_signer_decisions_total{kind="block",verdict="request-not-allowed"} 2001',
    );
  });

  it("tells apart clients, keys, codes and kinds", () => {
    const { lines, refuse } = auditLog();
    for (let round = 0; round < 3; round += 1) {
      refuse("request-not-allowed", block());
      refuse("request-not-allowed", block(), { client: "203.0.113.8" });
      refuse("request-not-allowed", block(), { address: "tz2QPsZoZse4eeahhg5DdfnBDB4VbU1PwgxN" });
      refuse("request-not-allowed", attestation());
      refuse("position-already-signed", block());
    }
    expect(lines).to.have.length(5);
  });

  it("is bounded whatever comes: of many clients and keys most are only counted, and no signature is lost among them", async () => {
    using timers = fakeTimers();
    const { lines, refuse, sign } = auditLog();
    for (let minute = 0; minute < 60; minute += 1) {
      for (let flood = 0; flood < 500; flood += 1) {
        const own = { client: `10.0.${minute}.${flood % 250}`, address: `${KEY}${flood}` };
        refuse(flood % 2 === 0 ? "unknown-key" : "watermark-unavailable", block({ level: flood }), own);
      }
      sign(attestation({ level: minute }));
      await timers.tick(MINUTE);
    }
    expect(lines.filter(({ msg }) => msg === "signed")).to.have.length(60);
    const refusals = lines.filter(({ msg }) => msg !== "signed");
    expect(refusals.length).to.be.below(60 * 21);
    const others = refusals.flatMap(({ others }) => (others === undefined ? [] : [others as Record<string, number>]));
    const told = refusals.filter(({ others }) => others === undefined).length;
    const counted = others.flatMap((codes) => Object.values(codes)).reduce((sum, each) => sum + each, 0);
    expect(told + counted).to.equal(60 * 500);
  });

  it("has lines left for another client, whatever one does wrong from all of its addresses", () => {
    const { lines, refuse } = auditLog();
    for (let flood = 0; flood < 500; flood += 1) {
      refuse("unknown-key", block(), { client: `2001:db8:1:2::${flood.toString(16)}`, address: `${KEY}${flood}` });
    }
    refuse("watermark-untrusted", block({ level: 7 }), { client: "192.0.2.1" });
    expect(lines.at(-1)).to.include({ verdict: "watermark-untrusted", level: 7, client: "192.0.2.1" });
  });

  it("has a line for each signature, and sums up the same bytes that get the one that was kept", async () => {
    using timers = fakeTimers();
    const { lines, sign } = auditLog();
    for (let round = 0; round < 100; round += 1) sign(attestation({ level: 5 }));
    for (let round = 0; round < 100; round += 1) sign(block({ level: 5 }), "kept");
    await timers.tick(MINUTE);
    expect(lines.filter(({ verdict }) => verdict === "signed")).to.have.length(100);
    const kept = lines.filter(({ verdict }) => verdict === "kept");
    expect(kept.map(({ repeated }) => repeated)).to.deep.equal([undefined, 99]);
  });

  it("counts the last hour's outcomes: what heals by itself failed, and what was kept took no time of the key", () => {
    const { activity, audit, refuse, sign } = auditLog();
    sign(attestation());
    sign(block(), "kept");
    refuse("request-not-allowed", block());
    refuse("vault-unavailable", block());
    refuse("internal-error", block());
    audit.record({ client: "203.0.113.7" }, new SignerError("unknown-path", "x"));
    const { signed, refused, failed, p50 } = activity.lastHour.look().hour;
    expect({ signed, refused, failed }).to.deep.equal({ signed: 1, refused: 1, failed: 2 });
    expect(p50).to.be.a("number");
  });

  it("loses no count at the end of the process", () => {
    const { audit, lines, refuse } = auditLog();
    for (let round = 0; round < 5; round += 1) refuse("request-not-allowed", block());
    audit.flush();
    expect(lines.map(({ repeated }) => repeated)).to.deep.equal([undefined, 4]);
  });

  it("sums up what never reached a key's policy as well, by client and code", async () => {
    using timers = fakeTimers();
    const { audit, lines } = auditLog();
    for (let round = 0; round < 50; round += 1) {
      audit.record({ client: "203.0.113.7" }, new SignerError("unknown-path", "x"));
      audit.record({ client: "203.0.113.7" }, new Error("a defect"));
    }
    await timers.tick(MINUTE);
    expect(lines.map(({ code, repeated }) => [code, repeated])).to.deep.equal([
      ["unknown-path", undefined],
      ["internal-error", undefined],
      ["unknown-path", 49],
      ["internal-error", 49],
    ]);
  });
});
