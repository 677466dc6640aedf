import fc from "fast-check";
import type { ConsensusKind } from "../../signer/tezos/payload/payload.ts";
import { FaultyStore, type StoreFaultScript } from "../harness/faulty-store.ts";
import { GuardedSigner } from "../harness/guarded-signer.ts";
import { MemoryStore } from "../harness/memory-store.ts";

interface Asked {
  readonly kind: ConsensusKind;
  readonly level: number;
  readonly round: number;
  readonly bytes: string;
  /** Before it: the process is started anew. */
  readonly restart: boolean;
  /** During it, at its first call of the store. */
  readonly fault: StoreFaultScript | undefined;
}

/** Ten lines that say what a guard must answer. */
class Model {
  readonly #rows = new Map<string, { level: number; round: number; bytes: string; signature?: string }>();

  /** The code of the refusal, or undefined where it must be signed; `signature` where it must be that one. */
  expect({ kind, level, round, bytes }: Asked): { refusal?: string; signature?: string | undefined } {
    const row = this.#rows.get(kind);
    if (row === undefined || level > row.level || (level === row.level && round > row.round)) return {};
    if (level < row.level || round < row.round) return { refusal: "position-below-watermark" };
    return bytes === row.bytes ? { signature: row.signature } : { refusal: "position-already-signed" };
  }

  signed({ kind, level, round, bytes }: Asked, signature: string): void {
    this.#rows.set(kind, { level, round, bytes, ...(kind === "block" ? { signature } : {}) });
  }
}

const ASKED: fc.Arbitrary<Asked> = fc.record({
  kind: fc.constantFrom("block", "preattestation", "attestation"),
  level: fc.oneof(
    { weight: 8, arbitrary: fc.nat({ max: 12 }) },
    { weight: 1, arbitrary: fc.constantFrom(2 ** 31 - 1, 2 ** 31 - 2) },
  ),
  round: fc.oneof({ weight: 8, arbitrary: fc.nat({ max: 2 }) }, { weight: 1, arbitrary: fc.constant(2 ** 31 - 1) }),
  bytes: fc.constantFrom("a", "a", "a", "b"),
  restart: fc.nat({ max: 9 }).map((dice) => dice === 0),
  fault: fc.oneof(
    { weight: 300, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom<StoreFaultScript>("conflict", "unavailable", "applied-unavailable") },
  ),
});

/**
 * Sequences of requests, restarts and store faults through the real guard, each answer compared with the model's.
 * @returns the number of decisions
 */
export async function compareWithModel(
  decisions: number,
): Promise<{ decisions: number; signed: number; refused: number }> {
  const counts = { decisions: 0, signed: 0, refused: 0 };
  const length = 100;
  const property = fc.asyncProperty(fc.array(ASKED, { minLength: length, maxLength: length }), async (sequence) => {
    const memory = new MemoryStore("id");
    const store = new FaultyStore(memory);
    let signer = new GuardedSigner(store);
    const model = new Model();
    for (const asked of sequence) {
      if (asked.restart) signer = new GuardedSigner(store);
      store.script.length = 0;
      if (asked.fault !== undefined) store.next("replace", asked.fault);
      const expected = model.expect(asked);
      const outcome = await signer.outcome(asked);
      counts.decisions += 1;
      if (expected.refusal !== undefined) {
        counts.refused += 1;
        if (outcome !== expected.refusal)
          throw new Error(`${describe(asked)}: ${outcome} instead of ${expected.refusal}`);
        continue;
      }
      counts.signed += 1;
      if (!/^[0-9a-f]{128}$/.test(outcome)) throw new Error(`${describe(asked)}: ${outcome} instead of a signature`);
      if (expected.signature !== undefined && outcome !== expected.signature) {
        throw new Error(`${describe(asked)}: another signature than before`);
      }
      model.signed(asked, outcome);
    }
  });
  await fc.assert(property, { numRuns: Math.ceil(decisions / length) });
  return counts;
}

function describe({ kind, level, round, bytes }: Asked): string {
  return `${kind} ${bytes} at ${level}/${round}`;
}
