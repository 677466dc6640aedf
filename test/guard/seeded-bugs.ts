import { SignerError } from "../../signer/errors.ts";
import type { ConsensusSigning, Guard, Released } from "../../signer/watermark/guard.ts";
import {
  type Row,
  type RowKey,
  rowName,
  StoreError,
  type Versioned,
  type WatermarkStore,
} from "../../signer/watermark/stores/store.ts";
import { TrustedStore, type Unconfirmed } from "../../signer/watermark/trusted-store.ts";
import { REAL, type SignerParts } from "./explorer/run.ts";
import type { Bounds } from "./explorer/world.ts";

/**
 * Guards that are broken on purpose, each as others were: the real code with one promise taken out. If the explorer lets one
 * pass, the explorer is broken.
 * @module
 */
export interface SeededBug {
  readonly name: string;
  readonly parts: SignerParts;
  /** What must go wrong before it shows; without it, the order of steps is enough. */
  readonly needs?: Partial<Bounds>;
  /** The scenarios in which it shows; without it, in any. */
  readonly shows?: RegExp;
  /** What the explorer must say. */
  readonly caughtBy: RegExp;
}

const NEVER = new AbortController().signal;

/** The real parts with a store of another class. */
function trusting(
  make: (inner: WatermarkStore) => new (...options: ConstructorParameters<typeof TrustedStore>) => TrustedStore,
): SignerParts {
  return {
    ...REAL,
    trusted: (store, initialise) => new (make(store))({ store, initialise, clock: () => 1_700_000_000_000 }),
  };
}

/** The real parts with a store whose calls are changed. */
function storing(change: (store: WatermarkStore) => Partial<WatermarkStore>, isReadable = true): SignerParts {
  return { ...REAL, isReadable, store: (store) => ({ ...store, ...change(store) }) };
}

/** The real guard with another way of asking it. */
function asking(
  sign: (guard: Pick<Guard, "sign">, request: ConsensusSigning, store: WatermarkStore) => Promise<Released>,
): SignerParts {
  let backend: WatermarkStore | undefined;
  return {
    ...REAL,
    isReadable: false,
    store: (store) => {
      backend = store;
      return store;
    },
    guard: (trusted) => {
      const real = REAL.guard(trusted);
      const store = backend as WatermarkStore;
      return { sign: (request) => sign(real, request, store) };
    },
  };
}

/** A lease, kept where the marks are: whoever has it signs, and gives it back. */
function leasing(): SignerParts {
  return asking(async (guard, request, store) => {
    const key: RowKey = { ...request.key, kind: "preattestation" };
    const lease = (digest: string): Row => ({ level: 0, round: 0, digest, anchor: { level: 0, at: 0 } });
    const busy = () => new SignerError("position-already-signed", "another signer has the lease");
    const found = await store.read(key, NEVER).catch(() => Promise.reject(busy()));
    if (found?.row.digest === "taken") throw busy();
    const taking =
      found === undefined
        ? store.insert(key, lease("taken"), NEVER)
        : store.replace(key, lease("taken"), found.version, NEVER);
    const version = await taking.catch(() => Promise.reject(busy()));
    try {
      return await guard.sign(request);
    } finally {
      await store.replace(key, lease("free"), version, NEVER).catch(() => undefined);
    }
  });
}

export const SEEDED_BUGS: readonly SeededBug[] = [
  {
    name: "check-then-act: what was decided on one state is written over another",
    parts: trusting(
      (inner) =>
        class extends TrustedStore {
          override async write(key: RowKey, row: Row, over: Versioned | undefined, deadline: AbortSignal) {
            const now = await inner.read(key, deadline).catch(() => over);
            return super.write(key, row, over === undefined ? undefined : now, deadline);
          }
        },
    ),
    caughtBy: /two digests released|went back|two signatures released/,
  },
  {
    name: "If-Match: *: every write succeeds",
    parts: storing((store) => ({ replace: (key, row, _, signal) => store.replace(key, row, "*", signal) })),
    caughtBy: /two digests released|went back|two signatures released/,
  },
  {
    name: "a conflict taken for success",
    parts: trusting(
      () =>
        class extends TrustedStore {
          override async write(key: RowKey, row: Row, over: Versioned | undefined, deadline: AbortSignal) {
            const written = await super.write(key, row, over, deadline);
            return written === "conflict" ? { row, version: "0" } : written;
          }
        },
    ),
    caughtBy: /two digests released|two signatures released/,
  },
  {
    name: "a lost answer taken for success",
    needs: { faults: 1 },
    parts: trusting(
      () =>
        class extends TrustedStore {
          override async write(key: RowKey, row: Row, over: Versioned | undefined, deadline: AbortSignal) {
            const written = await super.write(key, row, over, deadline);
            return written === "unanswered" ? { row, version: "0" } : written;
          }
        },
    ),
    caughtBy: /two digests released|two signatures released/,
  },
  {
    name: "rollback on failure: the reservation is taken back when the key does not answer",
    needs: { faults: 1 },
    parts: asking(async (guard, request, store) => {
      const before = await store.read(request.key, NEVER).catch(() => undefined);
      try {
        return await guard.sign(request);
      } catch (error) {
        const isUnknown = error instanceof SignerError && error.code === "vault-unavailable";
        const now = isUnknown ? await store.read(request.key, NEVER).catch(() => undefined) : undefined;
        if (before !== undefined && now?.row.digest === request.digest) {
          await store.replace(request.key, before.row, now.version, NEVER).catch(() => undefined);
        }
        throw error;
      }
    }),
    caughtBy: /went back/,
  },
  {
    name: "a lease in place of compare-and-set: whoever crashes takes it along",
    needs: { crashes: 1 },
    parts: leasing(),
    caughtBy: /is not signed by signer . after the faults/,
  },
  {
    name: "release before the block's signature is stored",
    parts: trusting(
      () =>
        class extends TrustedStore {
          override async write(
            key: RowKey,
            row: Row,
            over: Versioned | undefined,
            deadline: AbortSignal,
          ): Promise<Versioned | Unconfirmed> {
            if (row.signature === undefined) return super.write(key, row, over, deadline);
            super.write(key, row, over, deadline).catch(() => undefined);
            return { row, version: "0" };
          }
        },
    ),
    caughtBy: /two signatures released/,
  },
  {
    name: "a vote resumed from memory: what was reserved is signed without a look at the store",
    needs: { faults: 1 },
    shows: /attestation: .* imported/,
    parts: trusting(
      () =>
        class extends TrustedStore {
          override async write(key: RowKey, row: Row, over: Versioned | undefined, deadline: AbortSignal) {
            return over?.row === row ? over : super.write(key, row, over, deadline);
          }
        },
    ),
    caughtBy: /asked after its row had moved on/,
  },
  {
    name: "a block's stored signature from memory: it leaves for the first time without a look at the store",
    needs: { crashes: 1, deadlines: 1, imports: 1 },
    shows: /block: .* imported/,
    parts: trusting(
      () =>
        class extends TrustedStore {
          override async current(key: RowKey, deadline: AbortSignal) {
            return super.current(key, deadline);
          }
        },
    ),
    caughtBy: /asked after its row had moved on/,
  },
  {
    name: "reservation after the release",
    parts: trusting(
      () =>
        class extends TrustedStore {
          override async write(
            key: RowKey,
            row: Row,
            over: Versioned | undefined,
            deadline: AbortSignal,
          ): Promise<Versioned | Unconfirmed> {
            super.write(key, row, over, deadline).catch(() => undefined);
            return { row, version: "0" };
          }
        },
    ),
    caughtBy: /two digests released|two signatures released/,
  },
  {
    name: "a block's stored signature ignored: the same bytes are signed anew",
    parts: storing((store) => ({
      read: async (key, signal) => {
        const found = await store.read(key, signal);
        if (found === undefined) return undefined;
        const { signature: _, ...row } = found.row;
        return { ...found, row };
      },
    })),
    caughtBy: /two signatures released|the store went back/,
  },
  {
    name: "a memory of its own for each signer",
    parts: storing((store) => {
      const own = new Map<string, Versioned>();
      return {
        read: async (key, signal) => own.get(rowName(key)) ?? store.read(key, signal),
        replace: async (key, row, version) => {
          const state = { row, version: `${version}+` };
          own.set(rowName(key), state);
          return state.version;
        },
      };
    }, false),
    caughtBy: /two digests released|two signatures released|is not signed by signer/,
  },
  {
    name: "an outage taken for a lost race: bytes that could be signed are refused for good",
    needs: { faults: 1 },
    parts: storing((store) => ({
      replace: (key, row, version, signal) =>
        store.replace(key, row, version, signal).catch((error: Error) => {
          throw new StoreError("untrusted", error.message);
        }),
    })),
    caughtBy: /watermark-untrusted|by schedule/,
  },
];
