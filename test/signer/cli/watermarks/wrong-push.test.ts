import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Writable } from "node:stream";
import { expect } from "chai";
import { openLog } from "../../../../signer/cli/log.ts";
import { Metrics } from "../../../../signer/observability/metrics.ts";
import { RecentActivity } from "../../../../signer/observability/recent-activity.ts";
import { AuditLog } from "../../../../signer/signing/audit-log.ts";
import { CONSENSUS_KINDS } from "../../../../signer/tezos/payload/consensus-kind.ts";
import { type ConsensusKind, parsePayload } from "../../../../signer/tezos/payload/payload.ts";
import { attestation, block, MAINNET, preattestation, SOURCE } from "../../../fixtures/payloads.ts";
import { GuardedSigner } from "../../../harness/guarded-signer.ts";
import { callOf, requestSettings } from "../../../harness/request-settings.ts";
import { WatermarkCommands } from "../../../harness/watermark-commands.ts";

const SIGNED = /^[0-9a-f]{128}$/;
const HEAD = 9_000_000;
const AHEAD = [HEAD + 9_000, HEAD + 10_000];
const PAYLOADS = { block, preattestation, attestation } as const;

/** Asks for a signature. @returns "signed", or the code of the refusal */
type Ask = (level: number, kind: ConsensusKind, bytes: string) => Promise<string>;

/** The commands of docs/recover.md, "A wrong push", in the page's order, each on one line. */
const [keep, lowest, forget, bringBack] = (() => {
  const page = readFileSync(new URL("../../../../docs/recover.md", import.meta.url), "utf8");
  const section = /^## A wrong push\n([\s\S]*?)(?=^## |(?![\s\S]))/m.exec(page)?.[1] ?? "";
  return [...section.matchAll(/^ *```sh\n([\s\S]*?)^ *```$/gm)].map(([, code = ""]) => code.trim());
})();

describe('the way back from a wrong push, by the commands of docs/recover.md, "A wrong push"', () => {
  let commands: WatermarkCommands;
  let log: string;
  let signatures: Map<string, Set<string>>;
  beforeEach(() => {
    commands = new WatermarkCommands();
    log = "";
    signatures = new Map();
  });
  afterEach(() => commands[Symbol.dispose]());

  /** What one run of the signer does; each signature has its line in the log. */
  function signer(work: (ask: Ask) => Promise<void>, maxStep: number | "off" = 100): Promise<void> {
    return commands.open(async (store) => {
      const guarded = new GuardedSigner(store, { maxStep });
      const sink = new Writable({
        write(chunk, _encoding, done) {
          log += chunk;
          done();
        },
      });
      const logger = openLog({ stdin: process.stdin, stdout: sink, stderr: sink, env: {} });
      const audit = new AuditLog({ logger, metrics: new Metrics(), activity: new RecentActivity() });
      await work(async (level, kind, bytes) => {
        const outcome = await guarded.outcome({ level, kind, bytes });
        if (!SIGNED.test(outcome)) return outcome;
        const place = `${kind} ${level}`;
        signatures.set(place, new Set([...(signatures.get(place) ?? []), bytes]));
        const call = callOf(requestSettings(), SOURCE, PAYLOADS[kind]({ level }));
        call.request = parsePayload(call.payload);
        audit.record({ client: "127.0.0.1", signing: call });
        return "signed";
      });
    });
  }

  /** A command of the page, with what its reader puts in. */
  function run(command: string | undefined) {
    const words = (command ?? "")
      .replace("tz3…", SOURCE)
      .replace("NEXT", `${HEAD + 2}`)
      .replace("HEAD", `${HEAD + 1}`)
      .replace("pushed.json", join(commands.folder, "pushed.json"))
      .replace(" --config settings.yaml", "")
      .split(" ");
    expect(words.slice(0, 2)).to.deep.equal(["tezos-signer", "watermarks"]);
    return commands.run(words.slice(2), [[/last six characters/, SOURCE.slice(-6)]]);
  }

  /** A baker at HEAD, of whose key two votes of the far future were signed. */
  async function pushed(): Promise<void> {
    await signer(async (ask) => {
      for (const kind of CONSENSUS_KINDS) expect(await ask(HEAD, kind, "the chain's")).to.equal("signed");
    });
    await signer(async (ask) => {
      for (const level of AHEAD) expect(await ask(level, "attestation", "pushed")).to.equal("signed");
    }, "off");
    await signer(async (ask) => {
      expect(await ask(HEAD + 1, "block", "the chain's")).to.equal("signed");
      expect(await ask(HEAD + 1, "attestation", "the chain's")).to.equal("position-below-watermark");
    });
  }

  it("signs on, and never a second time where something was signed ahead", async () => {
    await pushed();
    expect((await run(keep)).code).to.equal(0);
    const { code, stderr } = await run(forget);
    expect(code).to.equal(0);
    expect(stderr.replaceAll(/\s+/g, " ")).to.include("watermarks export --out FILE");
    await signer(async (ask) => {
      expect(await ask(HEAD + 1, "block", "other")).to.equal("position-below-watermark");
      for (const level of [HEAD + 2, HEAD + 50, HEAD + 100]) {
        for (const kind of CONSENSUS_KINDS) expect(await ask(level, kind, "the chain's")).to.equal("signed");
      }
    });
    expect((await run(bringBack)).code).to.equal(0);
    await signer(async (ask) => {
      for (const level of [HEAD + 101, ...AHEAD]) {
        expect(await ask(level, "attestation", "the chain's")).to.match(/^position-/);
        expect(await ask(level, "block", "the chain's")).to.equal("signed");
      }
      expect(await ask(HEAD + 10_001, "attestation", "the chain's")).to.equal("signed");
    }, "off");
    for (const [place, bytes] of signatures) expect(bytes.size, place).to.equal(1);
  });

  it("signs a level a second time where the kept marks are not brought back: what the page warns of", async () => {
    await pushed();
    await run(keep);
    await run(forget);
    await signer(async (ask) => {
      expect(await ask(HEAD + 9_000, "attestation", "the chain's")).to.equal("signed");
    }, "off");
    expect(signatures.get(`attestation ${HEAD + 9_000}`)?.size).to.equal(2);
  });

  it("finds in the log the lowest level that was signed ahead", async () => {
    await pushed();
    const file = join(commands.folder, "log");
    writeFileSync(file, log);
    const found = execFileSync("sh", [
      "-c",
      `journalctl() { cat ${file}; }; ${lowest?.replace("tz3…", SOURCE).replace("head=HEAD", `head=${HEAD + 1}`)}`,
    ]);
    expect(found.toString()).to.equal(`"level":${HEAD + 9_000}\n`);
  });

  it("warns of each mark that would be lowered and is ahead, before anything is forgotten, and of no other", async () => {
    await pushed();
    const forgotten = async (...args: readonly string[]) => {
      const place = ["--chain", MAINNET, "--pkh", SOURCE, ...args];
      const { code, stderr } = await commands.run(["forget", ...place], [[/last six characters/, "no"]]);
      expect(code).to.equal(3);
      return stderr.replaceAll(/\s+/g, " ");
    };
    expect(await forgotten("--level", `${HEAD + 20_000}`)).not.to.include("ahead of");
    for (const [args, whose] of [
      [["--level", `${HEAD + 2}`], "what you name"],
      [["--level", `${HEAD + 2}`, "--head", `${HEAD + 1}`], "the chain"],
    ] as const) {
      const said = await forgotten(...args);
      expect(said).to.include(`These marks are ahead of ${whose}.`);
      expect(said).to.include(`attestation of ${SOURCE} on ${MAINNET}: level ${HEAD + 10_000} round 0`);
      expect(said).not.to.include(`block of ${SOURCE} on ${MAINNET}: level`);
    }
  });
});
