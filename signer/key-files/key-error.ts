/** Why a key, a passphrase or a blob is of no use. The command line gives each its exit code (cli/exit-codes.ts). */
export type KeyProblem =
  /** The passphrase does not open the key. */
  | "wrong-passphrase"
  /** Not a key file, damaged, or cut short. */
  | "unreadable"
  /** A key, but of a kind that neither Key Vault's HSMs nor this signer can use. */
  | "wrong-kind"
  /** Something is there already, and nothing is ever written over. */
  | "exists"
  /** Two things that must be the same are not. */
  | "mismatch";

/** Thrown for whatever its user can mend; the message says what is wrong, where, and what to do. */
export class KeyError extends Error {
  override readonly name = "KeyError";
  readonly problem: KeyProblem;

  /** @param message a whole sentence, never with a secret in it */
  constructor(problem: KeyProblem, message: string, options?: ErrorOptions) {
    super(message, options);
    this.problem = problem;
  }
}
