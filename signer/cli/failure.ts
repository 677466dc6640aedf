import { messageOf, StartError } from "../errors.ts";
import { KeyError, type KeyProblem } from "../key-files/key-error.ts";
import { StoreError, type StoreFault } from "../watermark/stores/store.ts";
import type { ExitReason } from "./exit-codes.ts";

/** Ends a command with a message for its user and an exit code. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly exit: ExitReason;

  /** @param message whole sentences: what is wrong and what to do; never a secret */
  constructor(exit: ExitReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exit = exit;
  }
}

const KEY_PROBLEMS = {
  "wrong-passphrase": "wrong-passphrase",
  unreadable: "unusable",
  "wrong-kind": "unusable",
  exists: "exists",
  mismatch: "mismatch",
} as const satisfies Record<KeyProblem, ExitReason>;

const STORE_FAULTS = {
  conflict: "unavailable",
  unavailable: "unavailable",
  untrusted: "unusable",
  "in-use": "in-use",
} as const satisfies Record<StoreFault, ExitReason>;

/** Turns whatever a command threw into the failure that its user is shown. */
export function toFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof KeyError) return new Failure(KEY_PROBLEMS[error.problem], error.message, { cause: error });
  if (error instanceof StoreError) return new Failure(STORE_FAULTS[error.fault], error.message, { cause: error });
  if (error instanceof StartError) return new Failure(error.problem, error.message, { cause: error });
  return new Failure("failed", `Unexpected error: ${messageOf(error)}`, { cause: error });
}
