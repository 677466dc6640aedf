/**
 * Every way a command can end: one row a name, with its exit code and what it means.
 * docs/reference/cli.md lists exactly these (test/docs/cli-reference.test.ts).
 */
export const EXIT_CODES = {
  done: { code: 0, meaning: "Done" },
  failed: { code: 1, meaning: "Something unexpected failed, or the signer is not ready; the message says what" },
  usage: { code: 2, meaning: "The command line is wrong, or the command asks questions and has no terminal" },
  declined: { code: 3, meaning: "Declined at a prompt; nothing was changed" },
  unusable: { code: 4, meaning: "Settings are wrong, or a file is missing, damaged, cut short or of the wrong kind" },
  "wrong-passphrase": { code: 5, meaning: "The passphrase does not open the key" },
  exists: { code: 6, meaning: "Something is there already, and nothing is written over" },
  mismatch: { code: 7, meaning: "Two things that must be the same are not: an address, a fingerprint, a signature" },
  "not-signed-in": { code: 8, meaning: "There is no Azure sign-in that works" },
  refused: {
    code: 9,
    meaning:
      "Refused: by the vault (its firewall, a missing permission), by a signer to this computer's address, or by the permissions of a socket",
  },
  "not-found": { code: 10, meaning: "The vault or the signer has no such key, or there is no watermark store" },
  unavailable: { code: 11, meaning: "Vault, watermark store or signer was not reached, or has no time now; try again" },
  "in-use": {
    code: 12,
    meaning: "A running signer has the watermark store open, or another program the port; stop it first",
  },
  interrupted: { code: 130, meaning: "Stopped by Ctrl-C" },
} as const satisfies Record<string, { code: number; meaning: string }>;

export type ExitReason = keyof typeof EXIT_CODES;
