import { expect } from "chai";
import fc from "fast-check";
import { describe as inWords } from "../../../signer/confirmation/describe.ts";
import type { PendingRequest } from "../../../signer/confirmation/question.ts";
import { allLines, BLOCK_LINES, blockLines, CODE_LENGTH, firstLines } from "../../../signer/confirmation/screen.ts";
import { tez } from "../../../signer/confirmation/values.ts";
import { columns } from "../../../signer/confirmation/visible.ts";
import { encode } from "../../../signer/tezos/crypto/base58.ts";
import type { Operation } from "../../../signer/tezos/payload/operation.ts";
import {
  BRANCH,
  manager,
  OTHER,
  operations,
  publicKeyHash,
  SOURCE,
  transaction,
  transfer,
} from "../../fixtures/payloads.ts";
import { anyOperations } from "../../harness/any-operation.ts";
import { describePayload } from "../../harness/described.ts";
import { isSound, labelsOf } from "../../harness/question-screen.ts";

const ASKED = {
  id: 7,
  key: SOURCE,
  client: "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
  digest: "0123456789abcdef".repeat(4),
  since: "2026-11-21T00:38:32.986Z",
  until: "2026-11-21T00:43:32.986Z",
};

/** The header of any manager operation. */
const MANAGER = { source: SOURCE, fee: 1_000n, counter: 1n, gasLimit: 2_000n, storageLimit: 300n };

function questionOf(given: readonly Operation[]): PendingRequest {
  return { ...ASKED, ...inWords({ type: "operation", branch: BRANCH, operations: given }, SOURCE, new Uint8Array()) };
}

function block(payload: Uint8Array, width = 80): readonly string[] {
  const question = { ...ASKED, ...describePayload(payload) };
  return blockLines(question, width, 20, 0).map(({ text }) => text);
}

const width = fc.integer({ min: 40, max: 200 });
const MARGIN = "│ ";

/** Fails where a line could pass for another, or be broken by the terminal. */
function requireSound(lines: readonly string[], question: PendingRequest, terminal: number): void {
  const labels = labelsOf(question);
  for (const line of lines) {
    // Even where the margin itself takes two columns, as it may where a terminal is set to Chinese.
    expect(columns(line), line).to.be.at.most(terminal);
    expect(line).to.match(/^[^\p{Cc}\p{Cf}\p{M}]*$/u);
    expect(isSound(line, labels), line).to.equal(true);
  }
}

describe("a question on the screen", () => {
  it("has every value behind a margin that no value can write, and no line as wide as the terminal, for any operations", () => {
    const property = fc.property(anyOperations, width, fc.nat(60), (given, terminal, at) => {
      const question = questionOf(given);
      const { lines, left } = firstLines(question, terminal);
      requireSound(lines, question, terminal);
      requireSound(allLines(question, terminal), question, terminal);
      requireSound(
        blockLines(question, terminal, at, left).map(({ text }) => text),
        question,
        terminal,
      );
    });
    fc.assert(property, { numRuns: 300 });
  });

  it("has the largest destination with its sum, and the others counted, within the last 20 lines, for any operations", () => {
    const property = fc.property(anyOperations, width, fc.nat(10_000), (given, terminal, left) => {
      const question = questionOf(given);
      const lines = blockLines(question, terminal, 60, left).map(({ text }) => text);
      expect(lines.length).to.be.at.most(BLOCK_LINES);
      const { destinations, rest } = question.summary;
      const joined = lines.map((line) => line.slice(line.indexOf(MARGIN) + MARGIN.length)).join(" ");
      const named = destinations.filter(({ address, mutez }) => {
        const amount = tez(BigInt(mutez));
        return joined.includes(` ${address} ${amount} `) || joined.includes(` ${amount} to ${address} `);
      });
      const [largest] = destinations;
      if (largest === undefined) return;
      expect(named[0], joined).to.equal(largest);
      const hidden = destinations.length - named.length + rest.count;
      if (hidden > 0) expect(joined).to.contain(`and ${hidden} more: `);
    });
    fc.assert(property, { numRuns: 300 });
  });

  it("shows the beginning of long values, and counts the lines that are left for another look", () => {
    const property = fc.property(anyOperations, width, (given, terminal) => {
      const question = questionOf(given);
      const { lines, left } = firstLines(question, terminal);
      expect(lines.length).to.be.at.most(100);
      if (left > 0) return;
      expect(allLines(question, terminal).slice(0, lines.length)).to.deep.equal(lines);
    });
    fc.assert(property, { numRuns: 100 });
    const long = questionOf([{ kind: "failing_noop", tag: 17, arbitrary: "20".repeat(3_000) }]);
    const { lines, left } = firstLines(long, 80);
    expect(lines.filter((line) => line.includes("more lines"))).to.have.length(2);
    expect(left).to.equal(Math.ceil(6_000 / 57) - 3 + Math.ceil(3_000 / 57) - 3);
    expect(allLines(long, 80).join("").match(/20/g)?.length).to.be.above(2_900);
  });

  it("names each of eight destinations with its sum, and of twelve how many more there are and how much they get", () => {
    const accounts = Array.from({ length: 12 }, (_, index) => encode("tz1", new Uint8Array(20).fill(index)));
    const batch = (count: number) =>
      operations(
        ...accounts
          .slice(0, count)
          .flatMap((destination, index) =>
            [1n, 2n].map((part) =>
              transaction({ destination, counter: BigInt(2 * index) + part, amount: BigInt(index + 1) * 500_000n }),
            ),
          ),
      );
    const eight = block(batch(8)).filter((line) => /tz1\w{33} [\d.]+ tez$/.test(line));
    expect(eight).to.deep.equal(
      accounts
        .slice(0, 8)
        .map((destination, index) => `${"".padEnd(10)}│ ${destination} ${index + 1} tez`)
        .toReversed()
        .with(0, `To        │ ${accounts[7]} 8 tez`),
    );
    expect(block(batch(12))).to.include("          │ and 4 more: 10 tez");
  });

  it("shows a new delegate or baking key to its last letter, in every width", () => {
    const delegation = operations(manager(110, {}, Buffer.from([0xff]), publicKeyHash(OTHER)));
    const drain = questionOf([
      { kind: "drain_delegate", tag: 9, consensusKey: SOURCE, delegate: SOURCE, destination: OTHER },
    ]);
    for (let terminal = 40; terminal <= 200; terminal += 1) {
      expect(block(delegation, terminal).some((line) => line.endsWith(`│ ${OTHER}`))).to.equal(true);
      const lines = blockLines(drain, terminal, 20, 0).map(({ text }) => text);
      expect(lines.some((line) => line.endsWith(`│ ${OTHER}`))).to.equal(true);
    }
  });

  it("says whose the operations are, what they cost, and what the words leave out", () => {
    const lines = block(transfer({ fee: 500n, storageLimit: 60_000n }));
    expect(lines).to.include.members([
      "Signs     │ 1 transaction",
      `From      │ ${SOURCE}`,
      `To        │ ${OTHER} 1 tez`,
      "Fees      │ 0.0005 tez",
      "Storage   │ up to 60000 bytes",
    ]);
    const strange = block(transfer({ source: OTHER }));
    expect(strange).to.include.members([
      `From      │ ${OTHER}`,
      `Key       │ ${SOURCE}`,
      "WARNING   │ The source is not the key that is asked.",
    ]);
    const evidence = questionOf([
      {
        kind: "double_baking_evidence",
        tag: 3,
        first: { level: 8, round: 1 },
        second: { level: 9, round: 0 },
      },
    ]);
    const shown = blockLines(evidence, 80, 20, 12).map(({ text }) => text);
    expect(shown).to.include.members(["Not shown │ 26 fields of 1 operation", "More      │ 12 lines: type all"]);
  });

  it("puts the gravest first, so that a crowd of calls hides neither a delegate nor a warning", () => {
    const calls = Array.from({ length: 40 }, (_, index) =>
      transaction({ counter: BigInt(index + 1), entrypoint: Buffer.from([2]), amount: 10n ** BigInt(index % 12) }),
    );
    const lines = block(operations(...calls, manager(110, { counter: 41n }, Buffer.from([0]))), 60).join("\n");
    expect(lines).to.contain("Signs     │ 1 delegation, 40 transaction");
    expect(lines).to.match(/^Delegate +│ none$/m);
    expect(lines).to.match(/^WARNING +│ delegation changes who bakes/m);
  });

  it("puts the gravest first, and of a kind what holds in the end, so that a crowd of other changes hides neither", () => {
    const accounts = Array.from({ length: 12 }, (_, index) => encode("tz1", new Uint8Array(20).fill(index)));
    const pays: readonly Operation[] = accounts.map((_, index) => ({
      ...MANAGER,
      kind: "increase_paid_storage",
      tag: 113,
      bytes: 1n,
      destination: encode("KT1", new Uint8Array(20).fill(index)),
    }));
    const delegations: readonly Operation[] = accounts.map((delegate) => ({
      ...MANAGER,
      kind: "delegation",
      tag: 110,
      delegate,
    }));
    const unit = { prim: "Unit" };
    const ticket: Operation = {
      ...MANAGER,
      kind: "transfer_ticket",
      tag: 158,
      contents: unit,
      type: unit,
      ticketer: OTHER,
      amount: 5n,
      destination: OTHER,
      entrypoint: "default",
    };
    const effects = (...given: readonly Operation[]) =>
      questionOf(given).summary.effects.map(({ label, value }) => `${label} ${value}`);
    expect(effects(...pays, ...delegations)[0]).to.equal(`Delegate ${accounts[11]}`);
    expect(effects(...pays, ticket)).to.include.members(["Tickets 5", `Gives to ${OTHER}`]);
  });

  it("names whom drain_delegate empties, and warns of the bond of smart_rollup_publish", () => {
    const drain = questionOf([
      { kind: "drain_delegate", tag: 9, consensusKey: SOURCE, delegate: SOURCE, destination: OTHER },
    ]);
    expect(blockLines(drain, 80, 20, 0).map(({ text }) => text)).to.include(`Drains    │ ${SOURCE}`);
    const publish = questionOf([
      {
        ...MANAGER,
        kind: "smart_rollup_publish",
        tag: 203,
        rollup: encode("sr1", new Uint8Array(20)),
        state: encode("srs1", new Uint8Array(32)),
        inboxLevel: 1,
        predecessor: encode("src1", new Uint8Array(32)),
        ticks: 1n,
      },
    ]);
    const words = "smart_rollup_publish freezes 10,000 tez, which are lost where the commitment is refuted.";
    expect(publish.summary.warnings).to.deep.equal([words]);
  });

  it("marks the characters that are to be typed, wherever in the digest they are", () => {
    for (let at = 0; at <= 64 - CODE_LENGTH; at += 1) {
      const line = blockLines({ ...ASKED, ...describePayload(transfer()) }, 40, at, 0).find(({ text }) =>
        text.startsWith("Digest"),
      );
      const [, code] = /\[([0-9a-f]{4})\]/.exec(line?.text ?? "") ?? [];
      expect(code).to.equal(ASKED.digest.slice(at, at + CODE_LENGTH));
    }
  });
});
