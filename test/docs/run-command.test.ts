import { randomBytes, randomInt } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect } from "chai";
import type { Status } from "../../signer/cli/status-answer.ts";
import { attestation, MAINNET, OTHER, SOURCE } from "../fixtures/payloads.ts";
import { KEY } from "../fixtures/watermark-rows.ts";
import { interchange, MARK, WatermarkCommands } from "../harness/watermark-commands.ts";
import { KEPT_BYTES, type PageScripts, pageScripts, Stage } from "./run-command.ts";

const CHAINS = [MAINNET, "NetXnHfVqm9iesp"];
const ADDRESSES = [SOURCE, OTHER, "tz3fYtKV7WUDpZHjphnM2ARKEJrE3RkzCVRT"];
const KINDS = ["block", "preattestation", "attestation"] as const;
const hex = (bytes: number) => randomBytes(bytes).toString("hex");
const level = () => 15_000_000 + randomInt(900_000);

/** The rows of three keys on two chains. */
const KEYS = ADDRESSES.flatMap((address) =>
  CHAINS.flatMap((chainId) => KINDS.map((kind) => ({ ...KEY, chainId, address, kind }))),
);

/** The same three keys, as a signer shows them on its worst day. */
function worstStatus(): Status {
  const time = (seconds: number) => new Date(Date.now() - seconds * 1_000).toISOString();
  const problem = "The table https://tezos0a1b2c3d.table.core.windows.net/watermarks did not answer (500 no code).";
  const operations = ["transaction", "reveal", "delegation", "stake", "unstake", "finalize_unstake", "ballot"];
  const refusal = { at: time(90), client: "203.0.113.7", asked: "attestation at level 15123456 round 0" };
  const release = { version: "0.3.0", sha256: hex(32) };
  return {
    release: {
      ...release,
      wanted: { ...release, sha256: hex(32) },
      step: "refused",
      problem: null,
      refused: { ...release, reason: "x".repeat(400), at: time(600) },
      waitingSettings: release,
    },
    started: time(7_000),
    ready: false,
    reasons: [problem],
    settings: { source: "the machine's userData", version: hex(6), since: time(9_000), refused: null },
    balancer: null,
    otherMachines: null,
    tls: null,
    store: { kind: "azure-table", id: crypto.randomUUID(), problem, readAt: time(60) },
    vault: { problem: null, tokenSeconds: 80_000, signMilliseconds: { p50: 21.3, p99: 310 } },
    keys: ADDRESSES.map((address) => ({
      address,
      location: `https://tezos-0a1b2c3d.vault.azure.net/keys/baker/${hex(16)}`,
      problem,
      policy: { allow: [...KINDS, ...operations], confirm: operations.map((name) => `${name}_2`), chains: CHAINS },
    })),
    watermarks: KEYS.map(({ kind, address, chainId }) => ({
      row: `${kind} of ${address} on ${chainId}`,
      level: level(),
      round: 12,
      since: time(50_000),
      signedAt: null,
    })),
    head: { node: "10.0.0.5:8732", chainId: MAINNET, level: level(), ageSeconds: 4, problem: null },
    confirmations: { socket: "/run/tezos-signer/confirm.sock", problem: null, operators: 0, waiting: [] },
    refusals: Array.from({ length: 20 }, () => ({ ...refusal, since: refusal.at, count: 1, message: "x".repeat(300) })),
  };
}

/** A line of the log for a signature. */
function logLine(): string {
  const milliseconds = Object.fromEntries(
    ["parse", "read", "sign", "reserve", "total"].map((stage) => [stage, randomInt(30_000) / 100]),
  );
  return JSON.stringify({
    severity: "info",
    time: new Date(Date.now() - randomInt(10_000_000)).toISOString(),
    key: ADDRESSES[randomInt(3)],
    client: "203.0.113.7",
    kind: KINDS[randomInt(3)],
    operation: "attestation_with_dal",
    chain: MAINNET,
    level: level(),
    round: 0,
    digest: hex(8),
    verdict: "signed",
    milliseconds,
    msg: "signed",
  });
}

/** The records of docs/coming-from.md, each in a file of the name that the page gives it; test/signer/cli/watermarks/foreign.test.ts has their sources. */
function writeOtherRecords(folder: string): void {
  const file = (name: string, content: unknown) =>
    writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content), { mode: 0o600 });
  const mark = { level: 9_000_000, round: 1 };
  mkdirSync(join(folder, "BASE_DIR", "watermark_v2"), { recursive: true });
  file(`BASE_DIR/watermark_v2/${MAINNET}.json`, { [SOURCE]: { attestation: mark } });
  for (const kind of KINDS) file(`BASE_DIR/${kind}_high_watermarks`, { [MAINNET]: { [SOURCE]: mark } });
  file("BASE_DIR/secret_keys", "[]");
  const number = (value: number) => ({ N: String(value) });
  const place = { idx: { S: `${MAINNET}/${SOURCE}` }, request: { S: "block" } };
  file("scan.json", { Items: [{ ...place, lvl: number(9_000_000), round: number(1) }] });
  const item = { lastblock: number(9_000_000), lastround: number(1) };
  file("ratchet.json", { Items: [{ ...item, sig_type: { S: `Endorsement_${MAINNET}_${SOURCE}` } }] });
  file("watermarks.json", { [`${SOURCE}_13`]: { tz: SOURCE, op: attestation({ level: 9_000_000 }).toString("hex") } });
  file("items.json", [{ id: "block9000000", itemtype: "block", blocklevel: 9_000_000 }]);
  file(
    "config.yaml",
    `high_water_marks: { level: { 0x11: 9000000 }, round: { 0x11: 1 } }\npolicy: { signing_keys: { ${SOURCE}: {} } }\n`,
  );
}

describe("what the pages send through run command", () => {
  let commands: WatermarkCommands;
  let server: Server;
  let stage: Stage;
  before(async () => {
    commands = new WatermarkCommands();
    const anchor = { level: 15_000_000, at: Date.now() };
    await commands.stored(
      ...KEYS.map((key) => {
        const signature = key.kind === "block" ? { signature: hex(64) } : {};
        return [key, { level: level(), round: 12, digest: hex(32), ...signature, anchor }] as [typeof key, never];
      }),
    );
    server = createServer((_, answer) => void answer.end(JSON.stringify(worstStatus()))).listen(0, "127.0.0.1");
    await new Promise((done) => server.once("listening", done));
    const url = `https://tzrel0a1b2c3d.blob.core.windows.net/releases/tezos-signer-${hex(32)}.tar`;
    stage = await Stage.make({
      config: commands.config,
      adminUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      log: Array.from({ length: 500 }, logLine),
      userData: JSON.stringify({ release: { url }, settings: { policy: "x".repeat(8_000) } }),
      state: JSON.stringify({
        wanted: { version: "0.3.0", sha256: hex(32) },
        step: "waiting",
        problem: "x".repeat(5_000),
      }),
    });
    writeFileSync(join(stage.folder, "floor.json"), JSON.stringify(interchange([MARK])));
    mkdirSync(join(stage.folder, "watermark_v2"));
    const marks = Object.fromEntries(ADDRESSES.map((address) => [address, { block: { level: level(), round: 1 } }]));
    writeFileSync(join(stage.folder, "watermark_v2", `${MAINNET}.json`), JSON.stringify(marks), { mode: 0o600 });
    writeOtherRecords(stage.folder);
  });
  after(async () => {
    await stage[Symbol.asyncDispose]();
    server.close();
    commands[Symbol.dispose]();
  });

  const pages = pageScripts();
  const pageOf = (name: string) => pages.find(({ page }) => page === name) as PageScripts;
  const lineOf = (name: string, part: string) => pageOf(name).lines.find((line) => line.includes(part)) ?? part;

  for (const page of pages) {
    it(`comes home whole: every line of ${page.page}`, async function () {
      this.timeout(60_000);
      for (const line of page.lines) {
        const { sizes } = await stage.run(page, line);
        expect(sizes, line).to.have.length(1);
        expect(sizes[0], line).to.be.at.most(KEPT_BYTES);
      }
    });
  }

  it("are found in each page that has any", () => {
    const found = Object.fromEntries(pages.map(({ page, lines }) => [page, lines.length]));
    expect(found).to.have.all.keys(
      ...["change", "coming-from", "disaster", "keys", "machine", "recover", "verify-on-azure"].map(
        (name) => `docs/${name}.md`,
      ),
    );
    expect(found["docs/verify-on-azure.md"]).to.be.at.least(1);
  });

  it("shows whether the signer is ready and every mark, whatever is cut", async () => {
    const { seen } = await stage.run(pageOf("docs/machine.md"), lineOf("docs/machine.md", "status"));
    expect(seen).to.include("NOT READY");
    for (const { kind, address, chainId } of KEYS)
      expect(seen).to.include(`${kind} of ${address} on ${chainId}: level`);
  });

  it("brings every mark off the machine, as a file that imports, and onto it again", async () => {
    const page = pageOf("docs/recover.md");
    await stage.run(page, lineOf(page.page, "export"));
    const file = join(stage.folder, "marks.json");
    expect(JSON.parse(readFileSync(file, "utf8")).watermarks).to.have.length(KEYS.length);
    const { seen } = await stage.run(page, lineOf(page.page, "import -"));
    for (const { kind, address, chainId } of KEYS)
      expect(seen).to.include(`${kind} of ${address} on ${chainId} stays at`);
  });

  it("takes another signer's folder to the machine", async () => {
    const page = pageOf("docs/recover.md");
    const seen = [];
    for (const part of ["mkdir", "--from signatory"]) seen.push((await stage.run(page, lineOf(page.page, part))).seen);
    for (const address of ADDRESSES)
      expect(seen[1]).to.match(new RegExp(`block of ${address} on ${MAINNET} .* at .*level`));
  });

  it("takes the record of each other signer to the machine, by its line of docs/coming-from.md", async () => {
    const page = pageOf("docs/coming-from.md");
    const lines = page.lines.filter((line) => /mkdir|import/.test(line));
    const from = lines.map((line) => /--from (\S+)/.exec(line)?.[1]).filter(Boolean);
    expect(from).to.have.members([
      "signatory",
      "signatory-dynamodb",
      "octez",
      "lattejed",
      "tacoinfra",
      "tezzigator",
      "tezio",
    ]);
    for (const line of lines) {
      const { seen } = await stage.run(page, line);
      if (line.includes("import")) expect(seen, line).to.match(/of tz3\S+ on NetX\S+ stays at /);
    }
  });

  it("brings the last lines of the log home whole", async () => {
    const { seen } = await stage.run(pageOf("docs/machine.md"), lineOf("docs/machine.md", "--lines 40"));
    const lines = seen.trim().split("\n");
    expect(lines).to.have.length(40);
    for (const line of lines) expect(JSON.parse(line)).to.include({ verdict: "signed" });
  });
});
