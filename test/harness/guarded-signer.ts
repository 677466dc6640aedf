import { randomBytes } from "node:crypto";
import { SignerError } from "../../signer/errors.ts";
import type { ConsensusKind } from "../../signer/tezos/payload/payload.ts";
import { Guard, type GuardOptions, type Released } from "../../signer/watermark/guard.ts";
import type { WatermarkStore } from "../../signer/watermark/stores/store.ts";
import { TrustedStore, type TrustedStoreOptions } from "../../signer/watermark/trusted-store.ts";
import { KEY } from "../fixtures/watermark-rows.ts";

/** What a request is about, in short; `bytes` stands for the payload. */
export interface Ask {
  readonly kind?: ConsensusKind;
  readonly level: number;
  readonly round?: number;
  readonly bytes?: string;
  readonly address?: string;
  readonly highestByHead?: number;
}

/** The deadline where a test is about none: it ends what hangs, however slow the computer is. */
const A_MINUTE = 60_000;

type Options = Partial<
  Omit<GuardOptions, "budgets"> & Omit<TrustedStoreOptions, "store"> & { readonly deadline: number }
>;

/** One budget for every kind, in milliseconds. */
export function allAt(milliseconds: number): GuardOptions["budgets"] {
  return { block: milliseconds, preattestation: milliseconds, attestation: milliseconds };
}

/** The real guard over a store, with a key that signs as an HSM does: another signature each time. */
export class GuardedSigner {
  readonly trusted: TrustedStore;
  readonly guard: Guard;
  /** How often the key was asked. */
  signed = 0;
  /** Called before each signature: may wait or throw. */
  before: (ask: Ask) => Promise<void> | void = () => undefined;

  constructor(store: WatermarkStore, options: Options = {}) {
    const { maxStep = "off", minimalBlockDelay = 1, deadline = A_MINUTE, clock = Date.now, ...rest } = options;
    this.trusted = new TrustedStore({ initialise: "always", ...rest, store, clock });
    this.guard = new Guard({ store: this.trusted, maxStep, minimalBlockDelay, budgets: allAt(deadline), clock });
  }

  ask(ask: Ask): Promise<Released> {
    const { kind = "attestation", level, round = 0, bytes = "a", address = KEY.address, highestByHead } = ask;
    return this.guard.sign({
      key: { ...KEY, kind, address },
      position: { level, round },
      digest: digestOfBytes(ask, bytes),
      highestByHead,
      sign: async () => {
        await this.before(ask);
        this.signed += 1;
        return randomBytes(64).toString("hex");
      },
      observe: () => undefined,
    });
  }

  /** The signature, or the code of the error. */
  async outcome(ask: Ask): Promise<string> {
    try {
      return (await this.ask(ask)).signature;
    } catch (error) {
      if (error instanceof SignerError) return error.code;
      throw error;
    }
  }
}

/** As Blake2b of a payload would be: another one for another kind, position or content. */
export function digestOfBytes({ kind = "attestation", level, round = 0 }: Ask, bytes: string): string {
  return Buffer.from(`${bytes}/${kind}/${level}/${round}`.padEnd(32).slice(0, 32)).toString("hex");
}
