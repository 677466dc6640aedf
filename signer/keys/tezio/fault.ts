import type { ErrorCode } from "../../errors.ts";

/**
 * What can go wrong between the signer and a Tezio board: one row a kind. docs/tezio.md describes exactly these.
 * `reconnects`: whether the line is of no use any more, so that another is opened. `code`: what the client gets. `remedy`:
 * what the operator does, unless it heals by itself.
 * @module
 */
export const BOARD_FAULTS = {
  unplugged: {
    reconnects: true,
    code: "vault-unavailable",
    remedy: "Plug the board in; nothing else is needed.",
  },
  port: {
    reconnects: true,
    code: "vault-unavailable",
    remedy: "keys.device must be the board's, this user in its group (dialout), and no other program may use it.",
  },
  timeout: {
    reconnects: true,
    code: "vault-unavailable",
    remedy: "If it lasts, unplug the board and plug it in again.",
  },
  garbled: {
    reconnects: true,
    code: "vault-unavailable",
    remedy: "If it comes again, look at the cable.",
  },
  misheard: {
    reconnects: true,
    code: "vault-unavailable",
    remedy: "If it comes again, look at the cable.",
  },
  "key-missing": {
    reconnects: true,
    code: "vault-unavailable",
    remedy: "Plug in the board that has the key; unplug it and plug it in again if it is that one.",
  },
  chip: {
    reconnects: false,
    code: "vault-unavailable",
    remedy: "If it lasts, unplug the board and plug it in again; then see whether its chip is still provisioned.",
  },
  policy: {
    reconnects: false,
    code: "device-policy",
    remedy: "What the board signs is compiled into its firmware: allow it there, or take it out of this key's policy.",
  },
  "high-water-mark": {
    reconnects: false,
    code: "device-watermark",
    remedy:
      "It was signed, or tried, since the board has power. If later positions are refused as well, unplug the board and plug it in again: it forgets its marks, this signer does not.",
  },
  rejected: {
    reconnects: false,
    code: "internal-error",
    remedy: "See whether the board's firmware is Tezio's, of 2024 or later.",
  },
} as const satisfies Record<string, { reconnects: boolean; code: ErrorCode; remedy: string }>;

export type BoardFaultKind = keyof typeof BOARD_FAULTS;

/** One question to the board that got no answer, or a refusal, with its cause in words that hold no signature. */
export class BoardFault extends Error {
  override readonly name = "BoardFault";
  readonly kind: BoardFaultKind;
  /** Whether it is certain that the board has not read the request, so that asking again is harmless. */
  readonly isUnread: boolean;

  /** @param message a sentence */
  constructor(
    kind: BoardFaultKind,
    message: string,
    {
      isUnread = kind === "misheard" || kind === "key-missing",
      ...options
    }: ErrorOptions & { isUnread?: boolean } = {},
  ) {
    super(message, options);
    this.kind = kind;
    this.isUnread = isUnread;
  }

  get remedy(): string {
    return BOARD_FAULTS[this.kind].remedy;
  }

  get reconnects(): boolean {
    return BOARD_FAULTS[this.kind].reconnects;
  }

  /** What the client gets. */
  get code(): ErrorCode {
    return BOARD_FAULTS[this.kind].code;
  }

  /** Whether the board has decided it by its own rules, or by what is compiled into it, so that it decides so again. */
  get isRefusal(): boolean {
    return this.code !== "vault-unavailable";
  }

  /** What happened and what to do. */
  get advice(): string {
    return `${this.message} ${this.remedy}`;
  }
}

/** What the board says in one byte in place of an answer (TezioHSM_API.h and .cpp), in words that follow "it answered". */
const STATUSES: Readonly<Record<number, readonly [kind: BoardFaultKind, words: string]>> = {
  161: ["chip", "its secure element does not answer"],
  162: ["rejected", "it does not know what was asked"],
  166: ["misheard", "the request reached it too short"],
  167: ["misheard", "the request reached it cut or altered"],
  168: ["misheard", "the request reached it too short"],
  170: ["rejected", "it has no such key"],
  171: ["rejected", "it does not know the form of the request"],
  172: ["rejected", "a length of the request is wrong"],
  173: ["rejected", "it got nothing to sign"],
  174: ["rejected", "what it got is no hash"],
  175: ["chip", "its secure element did not sign"],
  176: ["policy", "its firmware has turned this operation off"],
  177: ["chip", "it could not read the key"],
  178: ["chip", "it could not read the key"],
  179: ["chip", "it could not read the key"],
  180: ["chip", "it could not read the key"],
  184: ["policy", "its firmware does not let this key sign such a request"],
  185: ["policy", "its firmware lets this key sign whole requests only"],
  // Facts of its code: what was meant to be A3 goes out as the status of a request that was read well.
  212: ["high-water-mark", "its own high-water mark of this key is at this level and round, or above"],
};

/** Returns the fault of a status; one that is not known is of a firmware that is not. */
export function faultOfStatus(status: number): BoardFault {
  const hex = status.toString(16).toUpperCase().padStart(2, "0");
  const [kind, words] = STATUSES[status] ?? ["rejected", "its documents do not say what that means"];
  return new BoardFault(kind, `The board answered ${hex}: ${words}.`);
}
