import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { Command } from "commander";
import { screen, statusCommand } from "../../../signer/cli/status.ts";
import type { Status } from "../../../signer/cli/status-answer.ts";
import { duration } from "../../../signer/duration.ts";
import { RecentActivity } from "../../../signer/observability/recent-activity.ts";
import { sign } from "../../emulators/octez-client.ts";
import { startSignerProcess } from "../../emulators/signer-process.ts";
import { attestation, preattestation, transfer } from "../../fixtures/payloads.ts";
import { atTerminal } from "../../harness/fake-terminal.ts";
import { CONFIG, confirmingFolder, operatorAt } from "../../harness/operator.ts";

const ONE = { version: "0.2.0", sha256: "1".repeat(64) };
const TWO = { version: "0.3.0", sha256: "2".repeat(64) };
const NOW = Date.parse("2026-11-28T12:00:00Z");

/** What a signer says of which nothing is out of the ordinary. */
function statusOf(changes: Partial<Status> = {}): Status {
  const nothing = { wanted: null, step: null, problem: null, refused: null, waitingSettings: null };
  return {
    release: { version: "0.2.0", sha256: null, ...nothing },
    started: "2026-11-28T11:00:00Z",
    ready: true,
    reasons: [],
    settings: { source: "userData", version: "0", since: "2026-11-28T11:00:00Z", refused: null },
    balancer: null,
    otherMachines: null,
    tls: null,
    store: { kind: "sqlite", id: null, problem: null, readAt: null },
    vault: { problem: null, tokenSeconds: null, signMilliseconds: { p50: null, p99: null } },
    keys: [],
    watermarks: [],
    head: null,
    confirmations: { socket: null, problem: null, operators: 0, waiting: [] },
    refusals: [],
    ...changes,
  };
}

/** The screen's lines about the release. */
function releaseLines(release: Partial<Status["release"]>): string[] {
  const status = statusOf();
  const lines = screen({ ...status, release: { ...status.release, ...release } }, NOW)
    .split("\n")
    .map((line) => line.trim());
  return lines.slice(
    lines.findIndex((line) => line.startsWith("signer")),
    lines.findIndex((line) => line.startsWith("settings")),
  );
}

/** The command in this process, whose output goes elsewhere than to a terminal. */
function status(...args: readonly string[]) {
  return atTerminal((io) => new Command("tezos-signer").addCommand(statusCommand(io)), ["status", ...args], null);
}

describe("tezos-signer status", () => {
  it("shows what was signed, what waits and what was refused, and ends with 0 while the signer is ready", async () => {
    await using folder = await confirmingFolder();
    await using signer = await startSignerProcess(folder.path, CONFIG);
    const address = signer.addresses[0] ?? "";
    await sign(signer.url, address, attestation({ level: 77, round: 1 }).toString("hex"));
    await sign(signer.url, address, transfer({ source: address }).toString("hex"));
    using operator = await operatorAt(folder.socket);
    void sign(signer.url, address, transfer({ source: address, counter: 2n }).toString("hex")).catch(() => undefined);
    await operator.next("asked");
    const { code, stdout } = await status("--admin", signer.adminUrl);
    expect(code).to.equal(0);
    expect(stdout).to.match(/^ready\n\n {2}signer +\d+\.\d+\.\d+, up \d+ s\n/);
    expect(stdout).to.match(/ {2}settings +[0-9a-f]{12} of settings\.yaml, for \d+ s\n/);
    expect(stdout).to.match(/ {2}key's answers +p50 [\d.]+ ms, p99 [\d.]+ ms\n/);
    expect(stdout).to.match(/ {2}confirmation +1 waiting, 1 operator\n/);
    expect(stdout).to.match(/ {2}allow +block, preattestation, attestation\n {2}confirm +transaction, reveal\n/);
    expect(stdout).to.match(new RegExp(`attestation of ${address} on Net\\w+: level 77 round 1, \\d+ s ago`));
    expect(stdout).to.contain(`1: 1 transaction of ${address} from 127.0.0.1, for`);
    expect(stdout).to.match(/\d+ s ago, 127\.0\.0\.1, transaction: A person must confirm the request/);
    const { stdout: json } = await status("--admin", signer.adminUrl, "--json");
    expect(JSON.parse(json)).to.include({ ready: true }).and.to.have.property("refusals").with.length(1);
  });

  it("shows the marks of the store after a restart too, with their age and that another process made them", async () => {
    await using folder = await confirmingFolder();
    let address = "";
    {
      await using before = await startSignerProcess(folder.path, CONFIG);
      address = before.addresses[0] ?? "";
      for (const payload of [attestation({ level: 77 }), preattestation({ level: 78 })]) {
        await sign(before.url, address, payload.toString("hex"));
      }
      await before.end("SIGTERM");
    }
    await using signer = await startSignerProcess(folder.path, CONFIG);
    const { stdout } = await status("--admin", signer.adminUrl);
    for (const [kind, level] of [
      ["attestation", 77],
      ["preattestation", 78],
    ]) {
      const line = `  ${kind} of ${address} on Net\\w+: level ${level} round 0, \\d+ s ago, not signed by this process\n`;
      expect(stdout).to.match(new RegExp(line));
    }
    await sign(signer.url, address, attestation({ level: 79 }).toString("hex"));
    const { stdout: later } = await status("--admin", signer.adminUrl);
    expect(later).to.match(/ {2}attestation of .*: level 79 round 0, \d+ s ago\n/);
    expect(later).to.match(/ {2}preattestation of .*: level 78 round 0, \d+ s ago, not signed by this process\n/);
  });

  it("says of a pair's other machine whether it is ready, when it last signed, and what is to be looked at there", () => {
    const other = { machine: "signer-2", seenAt: "2026-11-28T11:59:55Z", ready: true, signedAt: null, problems: [] };
    const signed = { ...other, signedAt: "2026-11-28T11:59:48Z", problems: ["signer-2 has other settings."] };
    expect(screen(statusOf({ otherMachines: [other] }), NOW)).to.match(
      / {2}signer-2 +ready, nothing signed since its start\n/,
    );
    expect(screen(statusOf({ otherMachines: [signed] }), NOW)).to.match(
      / {2}signer-2 +ready, last signed 12 s ago\n +! signer-2 has other settings\.\n/,
    );
  });

  it("fits a terminal of 80 columns without a broken word, names chains, and says once, and last, why it is not ready", () => {
    const address = "tz3iDzR5UeBCsKP9v1teMuRYiVjx66s75RbC";
    const reason = "The watermark store did not answer in time; ask again: the table refuses the machine's role.";
    const message = `A higher level or round was already signed: The attestation of ${address} on NetXdQprcVkpaWU is at level 9 round 0.`;
    const mark = {
      row: `attestation of ${address} on NetXdQprcVkpaWU`,
      level: 9,
      round: 0,
      since: "2026-11-28T11:58:00Z",
      signedAt: null,
    };
    const refusal = {
      at: "2026-11-28T11:59:00Z",
      since: "2026-11-28T11:59:00Z",
      count: 1,
      client: "127.0.0.1",
      asked: "attestation",
      message,
    };
    const status = statusOf({
      ready: false,
      reasons: [reason],
      store: { kind: "azure-table", id: "1", problem: reason, readAt: "2026-11-28T11:50:00Z" },
      watermarks: [mark],
      refusals: [refusal],
      keys: [{ address, location: "keys/tz3.pem", problem: null, policy: { allow: Array(12).fill("attestation") } }],
    });
    const shown = screen(status, NOW, 80);
    for (const line of shown.split("\n")) expect(line.length, line).to.be.at.most(80);
    const words = (text: string) => text.split(/\s+/).filter((word) => word !== "");
    expect(words(shown).toSorted()).to.deep.equal(
      words(screen(status, NOW).replaceAll("NetXdQprcVkpaWU", "NetXdQprcVkpaWU (mainnet)")).toSorted(),
    );
    expect(shown).to.match(/\n\nNOT READY\n {2}The watermark store did not answer .*\n {2}machine's role\.$/);
    expect(shown.split("did not answer")).to.have.length(2);
  });

  it("is silent with --quiet where the signer is ready, and says why where it is not", async () => {
    const server = createServer((_, response) => void response.end(JSON.stringify(answers.shift()))).listen(
      0,
      "127.0.0.1",
    );
    await once(server, "listening");
    const answers = [statusOf(), statusOf({ ready: false, reasons: ["There is no key that can sign."] })];
    const admin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await status("--admin", admin, "--quiet")).to.deep.equal({ code: 0, stdout: "", stderr: "" });
    const { code, stdout, stderr } = await status("--admin", admin, "--quiet");
    expect({ code, stderr }).to.deep.equal({ code: 1, stderr: "The signer is not ready.\n" });
    expect(stdout).to.match(/^NOT READY\n {2}There is no key that can sign\.\n/);
    server.close();
  });

  it("says of each mark where it is, its age, and whose it is", () => {
    const mark = { row: "block of K on C", level: 77, round: 1, since: "2026-11-28T11:58:00Z", signedAt: null };
    const lines = (...marks: readonly Partial<Status["watermarks"][number]>[]) =>
      screen(statusOf({ watermarks: marks.map((own) => ({ ...mark, ...own })) }), NOW)
        .split("\n")
        .filter((line) => line.includes(": level ") || line.includes("nothing at") || line.includes("operation"));
    expect(
      lines(
        {},
        { signedAt: "2026-11-28T11:59:00Z" },
        { since: "2026-11-28T11:59:30Z", signedAt: "2026-11-28T11:59:00Z" },
        { since: null },
        { round: 2 ** 31 - 1 },
        { row: "operation of K", level: null, round: null, since: null, signedAt: "2026-11-28T11:00:00Z" },
      ),
    ).to.deep.equal([
      "  block of K on C: level 77 round 1, 2 min ago, not signed by this process",
      "  block of K on C: level 77 round 1, 60 s ago",
      "  block of K on C: level 77 round 1, 30 s ago, not signed by this process",
      "  block of K on C: level 77 round 1",
      "  block of K on C: level 77 (all rounds), 2 min ago, not signed by this process",
      "  operation of K: 60 min ago",
    ]);
  });

  it("says from when the marks are where the store does not answer now", () => {
    const store = { kind: "sqlite", id: "1", problem: "It cannot be read.", readAt: "2026-11-28T11:50:00Z" };
    expect(screen(statusOf({ store }), NOW)).to.match(/! It cannot be read\.\n +! What it holds was read 10 min ago\./);
    expect(screen(statusOf({ store: { ...store, readAt: null } }), NOW)).not.to.include("was read");
  });

  it("ends with 1 where no signer answers", async () => {
    const { code, stdout, stderr } = await status("--admin", "http://127.0.0.1:1");
    expect({ code, stdout }).to.deep.equal({ code: 1, stdout: "" });
    expect(stderr).to.equal("No signer answers at http://127.0.0.1:1 (nobody listens there).\n");
  });

  for (const [title, answer, told] of [
    ["is no JSON", [200, "<html>\u202esomebody's page</html>"], ""],
    ["is JSON of something else", [200, "[]"], ""],
    ["is an older signer's", [200, JSON.stringify({ ...statusOf(), store: {} })], ""],
    [
      "is a refusal",
      [421, JSON.stringify([{ kind: "temporary", id: "failure", msg: "ask by an IP address" }])],
      " (status 421: ask by an IP address)",
    ],
    ["is a proxy's", [502, "Bad Gateway"], " (status 502)"],
  ] as const) {
    it(`says that no signer answers where what answers ${title}`, async () => {
      const server = createServer((_, response) => void response.writeHead(answer[0]).end(answer[1]));
      await once(server.listen(0, "127.0.0.1"), "listening");
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      await using _ = { [Symbol.asyncDispose]: async () => server.close().closeAllConnections() };
      for (const more of [[], ["--json"]]) {
        const { code, stdout, stderr } = await status("--admin", url, ...more);
        expect({ code, stdout }).to.deep.equal({ code: 1, stdout: "" });
        expect(stderr.replaceAll(/\s+/g, " ")).to.equal(
          `What answers at ${url} is no signer's admin port of this release${told}. `,
        );
      }
    });
  }

  it("says which release runs, which is wanted, and why it is not taken", () => {
    expect(releaseLines({})).to.deep.equal(["signer         0.2.0, up 60 min"]);
    expect(releaseLines({ ...ONE, wanted: ONE }).slice(1)).to.deep.equal([
      "release        running 0.2.0 (111111111111)",
    ]);
    const refused = { ...TWO, reason: "it was not ready within 60 seconds", at: "2026-11-28T11:50:00Z" };
    expect(
      releaseLines({ ...ONE, wanted: TWO, step: "refused", refused, waitingSettings: TWO }).slice(1),
    ).to.deep.equal([
      "release        running 0.2.0 (111111111111), wanted 0.3.0 (222222222222), refused",
      "! 0.3.0 (222222222222) was refused 10 min ago: it was not ready within 60 seconds",
      "! newer settings wait for release 0.3.0 (222222222222)",
    ]);
    expect(releaseLines({ ...ONE, problem: "The updater's state cannot be read." }).slice(2)).to.deep.equal([
      "! The updater's state cannot be read.",
    ]);
  });

  it("keeps the last refusals only, and not all of a long message", () => {
    const activity = new RecentActivity();
    for (let count = 0; count < 50; count++) {
      activity.refused({ key: "", client: `${count}`, asked: "", code: `${count}`, message: "x".repeat(5_000) });
    }
    expect(activity.refusals).to.have.length(20);
    expect(activity.refusals[0]).to.include({ code: "49" });
    expect(JSON.stringify(activity.refusals).length).to.be.below(10_000);
  });

  it("tells ages as a glance needs them", () => {
    expect([0.4, 119, 120, 7_200, 172_800].map(duration)).to.deep.equal(["0 s", "119 s", "2 min", "2 h", "2 d"]);
  });
});
