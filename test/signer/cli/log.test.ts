import { PassThrough, Writable } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { expect } from "chai";
import type { Logger } from "pino";
import { type LogFormat, openLog } from "../../../signer/cli/log.ts";
import { SignerError } from "../../../signer/errors.ts";
import { Metrics } from "../../../signer/observability/metrics.ts";
import { RecentActivity } from "../../../signer/observability/recent-activity.ts";
import { AuditLog } from "../../../signer/signing/audit-log.ts";
import { type SigningCall, signingCall } from "../../../signer/signing/request-context.ts";
import { parsePayload } from "../../../signer/tezos/payload/payload.ts";
import { attestation, block, transfer } from "../../fixtures/payloads.ts";
import { readLogLine } from "../../harness/log-lines.ts";
import { requestSettings } from "../../harness/request-settings.ts";

const KEY = "tz3iDzR5UeBCsKP9v1teMuRYiVjx66s75RbC";
const CLIENT = "203.0.113.7";

/** What is written to a standard error, by whatever `write` logs there. */
function written(
  write: (log: Logger) => void,
  { isTTY = true, format, env = {} }: { isTTY?: boolean; format?: LogFormat; env?: Record<string, string> } = {},
): string {
  let text = "";
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  const stderr = Object.assign(stream, { isTTY, columns: 60 });
  write(openLog({ stdin: new PassThrough(), stdout: new PassThrough(), stderr, env }, format));
  return text;
}

/** Every kind of outcome that the audit log knows. */
function outcomes(log: Logger): void {
  const metrics = new Metrics();
  const audit = new AuditLog({ logger: log, metrics, activity: new RecentActivity() });
  const call = (payload: Buffer, own: Partial<SigningCall> = {}) => {
    const settings = { settings: requestSettings(), client: CLIENT };
    const made = signingCall(settings, { address: KEY, payload, gone: new AbortController().signal });
    return { client: CLIENT, signing: Object.assign(made, { request: parsePayload(payload) }, own) };
  };
  for (const payload of [block({ level: 1000 }), attestation({ level: 1000 }), transfer()]) {
    for (const source of ["signed", "kept"] as const) {
      for (let times = 0; times < 3; times += 1) audit.record(call(payload, { source }));
    }
    for (const code of ["request-not-allowed", "watermark-unavailable"] as const) {
      audit.record(call(payload), new SignerError(code, "by the test.", { cause: new Error("a cause") }));
    }
    audit.record(call(payload), new Error("a defect"));
  }
  for (let client = 0; client < 30; client += 1) {
    audit.record({ client: `10.0.0.${client}` }, new SignerError("unknown-path", "/x."));
    audit.record({ client: `10.0.0.${client}` }, new Error("a defect"));
  }
  audit.flush();
  metrics.stop();
}

describe("the log", () => {
  it("is JSON where no person reads it, with severity, and the level of a block, each once in a line", () => {
    const lines = written(outcomes, { isTTY: false }).trimEnd().split("\n").map(readLogLine);
    expect(lines.length).to.be.greaterThan(30);
    for (const line of lines) expect(line.severity, JSON.stringify(line)).to.be.oneOf(["info", "warn", "error"]);
    expect(lines[0]).to.include({ severity: "info", msg: "signed", kind: "block", level: 1000 });
    expect(() => readLogLine('{"level":"info","level":1000}')).to.throw(/twice/);
  });

  it("is JSON at a terminal too where it is told so, and words where nobody is at one", () => {
    expect(() => JSON.parse(written((log) => log.info("x"), { format: "json" }))).not.to.throw();
    expect(written((log) => log.info("x"), { isTTY: false, format: "text" })).to.match(/^\d\d:\d\d:\d\d {2}x\n$/);
  });

  it("says at a terminal, in words and within its columns, what was signed, what was refused, and why", () => {
    const text = stripVTControlCharacters(written(outcomes)).replaceAll(/^\d\d:\d\d:\d\d {2}/gm, "@");
    expect(text).not.to.match(/[{}]|undefined|\[object/);
    for (const line of text.split("\n")) expect(line.length, line).to.be.at.most(60);
    const told = text.replaceAll("\n          ", " ").split("\n@");
    expect(told[0]).to.match(new RegExp(`^@signed block at level 1000 round 0 for ${KEY} \\([\\d.]+ ms\\)$`));
    expect(told.join("\n"))
      .to.match(new RegExp(`^signed transaction for ${KEY} \\([\\d.]+ ms\\)$`, "m"))
      .and.match(
        new RegExp(`^gave again the signature of block at level 1000 round 0 for ${KEY} .*, 2 times more$`, "m"),
      )
      .and.include(
        `refused attestation at level 1000 round 0 for ${KEY}: The policy of this key does not allow the request: by the test. (request-not-allowed)`,
      )
      .and.include("by the test.: a cause (watermark-unavailable)")
      .and.include("ERROR: refused attestation at level 1000")
      .and.include("refused 10.0.0.3: No such path: /x. (unknown-path)");
  });

  it("styles warnings alone, and not where NO_COLOR is set; nothing of a client steers the terminal", () => {
    const hostile = (log: Logger) => {
      log.info({ node: "\u001b[2J" }, "fine\u001b[31m");
      log.warn("look\u202e");
    };
    const [fine = "", look = ""] = written(hostile, { env: { TERM: "xterm" } })
      .replaceAll("\u001b", "~")
      .split("\n");
    expect(fine).to.match(/^\S+ {2}fine\ufffd\[31m \(node \ufffd\[2J\)$/);
    expect(look).to.match(/^~\[1m~\[35m\S+ {2}look\ufffd~\[39m~\[22m$/);
    expect(written(hostile, { env: { TERM: "xterm", NO_COLOR: "1" } })).not.to.include("\u001b");
  });
});
