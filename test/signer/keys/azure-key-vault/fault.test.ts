import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { expect } from "chai";
import { SignerError } from "../../../../signer/errors.ts";
import { VAULT_FAULTS } from "../../../../signer/keys/azure-key-vault/fault.ts";
import { signVerified } from "../../../../signer/keys/verified-signature.ts";
import { verifySignature } from "../../../../signer/tezos/crypto/signature.ts";
import type { AimedFault } from "../../../emulators/key-vault/faults.ts";
import { NEVER } from "../../../fixtures/watermark-rows.ts";
import { notedPauses } from "../../../harness/noted-pauses.ts";
import { breakDns, closeRig, type Rig, type RigOptions, SIGNER, startRig } from "./vault-rig.ts";

/** How long one try may take, in milliseconds. */
const TRY = 1_500;
const digest = Buffer.alloc(32, 7);

interface Scenario {
  /** With `before`, the fault is there before the keyring opens. */
  readonly options?: RigOptions;
  /** Brings the fault about while keys are served. */
  readonly arrange?: (rig: Rig) => unknown;
  /**
   * How often the vault, with a good token, is asked for the one signature: default 1. Where the row says "the deadline" and
   * here is nothing, it is tried until then.
   */
  readonly tries?: number;
  /** Ends a fault that does not end by itself; a signature must follow. */
  readonly heal?: (rig: Rig) => unknown;
  /** What else must hold once the fault was met. */
  readonly also?: (rig: Rig) => unknown;
}

/** Faults of the next answers: each costs a try. */
const script = (...faults: AimedFault[]): Scenario => ({
  tries: faults.length + 1,
  arrange: ({ vault }) => vault.faults.script(faults.map((fault) => ({ on: "sign", ...fault }))),
  also: ({ vault }) => expect(vault.faults.pending).to.equal(0),
});
const imdsAtStart = (...faults: AimedFault[]): Scenario => ({
  options: { before: ({ imds }) => imds.faults.script(faults) },
  also: ({ imds }) => expect(imds.faults.pending).to.equal(0),
});
const keyChange = (before: Parameters<Rig["vault"]["updateKey"]>[1], after: typeof before): Scenario => ({
  arrange: ({ vault }) => vault.updateKey("baker", before),
  heal: ({ vault }) => vault.updateKey("baker", after),
});

/** How each fault of docs/reference/faults.md is brought about. */
const SCENARIOS: Record<string, Scenario> = {
  "Token refused once (401 challenge)": script({ kind: "unauthorized" }),
  "Token revoked (401, continuous access evaluation)": {
    options: { rediscover: 60_000 },
    arrange: ({ imds }) => imds.revokeTokens(),
    also: ({ imds, vault }) => expect([imds.calls.token, vault.calls.unauthorized]).to.deep.equal([2, 1]),
  },
  "Token at its end": {
    options: { tokenLifetime: 4 },
    arrange: async ({ imds }) => {
      while (imds.calls.token < 2) await sleep(20);
    },
    also: ({ vault }) => expect(vault.calls.unauthorized).to.equal(0),
  },
  "Many requests at once after the start": {
    options: { rediscover: 60_000 },
    arrange: async ({ key, vault }) => {
      vault.resetCalls();
      const signatures = await Promise.all(Array.from({ length: 50 }, () => sign(key())));
      expect(signatures).to.have.length(50);
    },
    also: ({ vault }) => {
      expect(vault.calls).to.include({ get: 0, unauthorized: 0 });
      expect(vault.calls.sign).to.be.within(51, 56); // on a busy computer five are late
    },
  },
  "IMDS away while a token lives": {
    options: { tokenLifetime: 6 },
    arrange: async ({ imds, logged }) => {
      await imds.goAway();
      while (logged("token").length === 0) await sleep(20);
    },
    also: ({ imds }) => imds.comeBack(),
  },
  "IMDS away and no token": {
    tries: 0, // the third 401 ends it, before the deadline may
    arrange: async ({ imds }) => {
      await imds.goAway();
      imds.revokeTokens();
    },
    heal: ({ imds }) => imds.comeBack(),
  },
  "IMDS slow at the start": imdsAtStart({ kind: "delay", ms: 400 }),
  "IMDS 404 at the start": imdsAtStart({ kind: "status", status: 404 }),
  "IMDS 410 at the start": imdsAtStart({ kind: "status", status: 410 }),
  "IMDS 429 at the start": imdsAtStart({ kind: "status", status: 429 }),
  "IMDS 500 at the start": imdsAtStart({ kind: "status", status: 500 }),
  "IMDS stalls at the start": imdsAtStart({ kind: "stall-body" }),
  "Reset of a connection that was used before": script({ kind: "reset-reused" }),
  "Headers that never come": { ...script({ kind: "stall-headers" }), options: { try: TRY } },
  "Body that never ends": { ...script({ kind: "stall-body" }), options: { try: TRY } },
  "Body that is empty": script({ kind: "empty-body" }),
  "Body that breaks off": script({ kind: "truncate-body" }),
  "Body of something else (a proxy's page)": script({ kind: "foreign-body" }),
  "429 without Retry-After": script({ kind: "status", status: 429 }),
  "429 with Retry-After": script({ kind: "status", status: 429, retryAfter: 30 }),
  "500 and 503, six in a row": script(
    ...[500, 503, 500, 503, 500, 503].map((status) => ({ kind: "status", status }) as const),
  ),
  "403 of the firewall": {
    arrange: ({ vault }) => vault.firewall.allow(["203.0.113.7/32"]),
    heal: ({ vault }) => vault.firewall.open(),
  },
  "403 for want of a permission": {
    arrange: ({ vault }) => vault.policies.grant(SIGNER.objectId, ["get", "list"]),
    heal: ({ vault }) => vault.policies.grant(SIGNER.objectId, ["get", "list", "sign"]),
  },
  "Key disabled": keyChange({ enabled: false }, { enabled: true }),
  "Key expired": keyChange({ exp: 1_700_000_000 }, { exp: 4_000_000_000 }),
  "Key deleted": {
    arrange: ({ vault }) => vault.deleteKey("baker"),
    heal: async ({ vault }) => {
      await sleep(60);
      vault.recoverKey("baker");
    },
  },
  "Key rotated": {
    arrange: ({ vault }) => void vault.createKey("baker"),
    also: async ({ keyring, lines }) => {
      while (keyring.keys.size < 2) await sleep(20);
      expect(lines.map(({ msg }) => msg).join()).to.match(/key baker has a newer version than tz3\w+'s/);
    },
  },
  "Name not resolved (DNS)": {
    arrange: (rig) => {
      rig.restore = breakDns();
      rig.vault.connections.cutAll();
    },
    heal: (rig) => rig.restore(),
  },
  "Certificate of a stranger (TLS)": {
    tries: 0,
    options: { tls: true },
    arrange: ({ vault }) => vault.presentCertificate("untrusted"),
    heal: ({ vault }) => vault.presentCertificate("good"),
  },
  "Certificate of another host (TLS)": {
    tries: 0,
    options: { tls: true },
    arrange: ({ vault }) => vault.presentCertificate("other-host"),
    heal: ({ vault }) => vault.presentCertificate("good"),
  },
  "Connection cut in the TLS handshake": {
    options: { tls: true },
    arrange: ({ vault }) => {
      vault.connections.cutAll();
      vault.connections.cutNext = 1;
    },
  },
  "Wrong signature": { ...script({ kind: "wrong-signature" }), tries: 1 },
  "Signature of another key": { ...script({ kind: "other-key" }), tries: 1 },
  "High S": { ...script({ kind: "high-s" }), tries: 1, options: { crv: "P-256K" } },
  "Vault gone, then back": {
    arrange: ({ vault }) => vault.goAway(),
    heal: ({ vault }) => vault.comeBack(),
  },
};

/** @param deadline by default one that never comes */
async function sign(key: Parameters<typeof signVerified>[0], deadline = NEVER): Promise<Uint8Array> {
  return signVerified(key, digest, deadline);
}

interface Row {
  readonly fault: string;
  readonly answer: string;
  readonly within: string;
  readonly log: string;
}

const page = readFileSync(new URL("../../../../docs/reference/faults.md", import.meta.url), "utf8");
const tables = page
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| ---"))
  .map((line) =>
    line
      .split("|")
      .map((cell) => cell.trim())
      .slice(1, -1),
  );
const rows: Row[] = tables
  .filter((cells) => cells.length === 5)
  .slice(1)
  .map(([fault = "", answer = "", within = "", log = ""]) => ({ fault, answer, within, log }));

function milliseconds(within: string): number {
  const [, amount, unit] = /^([\d.]+) (ms|s)$/.exec(within) ?? [];
  expect(unit, within).to.not.equal(undefined);
  return Number(amount) * (unit === "s" ? 1_000 : 1);
}

describe("vault faults", () => {
  let rig: Rig;
  let usual: string[];

  // Not sooner: other tests' authorities may have come meanwhile.
  before(() => {
    usual = getCACertificates("default");
  });
  afterEach(async () => {
    rig.restore();
    setDefaultCACertificates(usual);
    await closeRig(rig);
  });

  for (const { fault, answer, within, log } of rows) {
    it(fault, async () => {
      const scenario = SCENARIOS[fault];
      if (scenario === undefined) throw new Error("this row has no scenario");
      rig = await startRig(scenario.options);
      if (scenario.options?.before === undefined) await sign(rig.key());
      await scenario.arrange?.(rig);
      const key = rig.key();
      using pauses = notedPauses();
      const before = rig.vault.calls.sign;
      const deadline = new AbortController();
      let isOver = false;
      const outcome = sign(key, deadline.signal)
        .catch((error: unknown) => error)
        .finally(() => {
          isOver = true;
        });
      const untilDeadline = within === "the deadline" && scenario.tries === undefined;
      if (untilDeadline) {
        await sleep(300);
        expect(isOver, "it was given up before the deadline").to.equal(false);
        deadline.abort();
      }
      check(await outcome, answer, key);
      if (!untilDeadline) expect(rig.vault.calls.sign - before, "tries").to.equal(scenario.tries ?? 1);
      if (within !== "the deadline") {
        // The clock tells more, where the computer is busy: what the signer waited for is what it asked its timers for.
        const waited = pauses.reduce((sum, pause) => sum + pause, log === "timeout" ? TRY : 0);
        expect(waited, "milliseconds").to.be.at.most(milliseconds(within));
      }
      if (log !== "–") expect(rig.logged(log), JSON.stringify(rig.lines)).to.have.length(1);
      else expect(rig.lines.filter((line) => line.fault !== undefined)).to.deep.equal([]);
      await scenario.also?.(rig);
      if (scenario.heal === undefined) return;
      await scenario.heal(rig);
      await healed(rig);
    });
  }

  function check(outcome: unknown, answer: string, key: ReturnType<Rig["key"]>): void {
    if (answer === "signature") {
      if (outcome instanceof Error) throw outcome;
      expect(verifySignature(key.publicKey, digest, outcome as Uint8Array)).to.equal(true);
    } else {
      if (!(outcome instanceof SignerError)) throw new Error(`a SignerError was expected, not ${outcome}`);
      expect(`${outcome.status} ${outcome.code}`).to.equal(answer);
    }
  }

  async function healed(at: Rig): Promise<void> {
    for (;;) {
      const key = [...at.keyring.keys.values()][0];
      const outcome = key === undefined ? undefined : await sign(key, AbortSignal.timeout(700)).catch(() => undefined);
      if (outcome !== undefined) return;
      await sleep(100);
    }
  }

  it("has a scenario for each row, and no other", async () => {
    rig = await startRig();
    expect(Object.keys(SCENARIOS)).to.have.members(rows.map(({ fault }) => fault));
  });

  it("is described by kind exactly as the program knows them", async () => {
    rig = await startRig();
    const described = tables.filter((cells) => cells.length === 4).slice(1);
    const ends = { look: "a look or a signature", signature: "a signature" };
    const known = Object.entries(VAULT_FAULTS).map(([kind, { retryable, standsUntil, remedy }]) => [
      kind,
      retryable ? "yes" : "no",
      standsUntil === undefined ? "–" : ends[standsUntil],
      remedy,
    ]);
    expect(described).to.deep.equal(known);
  });
});
