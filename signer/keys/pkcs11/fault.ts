import { ownCommand } from "../../own-command.ts";
import { nameOfCode, RETURN_CODES } from "./codes.ts";

/**
 * What can go wrong between the signer and a token: one row a kind. docs/hsm.md describes exactly these.
 * `reconnects`: whether a new process, a new login and a new search for the keys may help, so that the request is tried once
 * more. `remedy`: what the operator does, unless it heals by itself.
 * @module
 */
export const TOKEN_FAULTS = {
  session: {
    reconnects: true,
    remedy: "If it lasts, find out who else uses this token, and whether it has sessions left.",
  },
  removed: { reconnects: true, remedy: "Put the device back, or mend the way to it; nothing else is needed." },
  device: { reconnects: true, remedy: "If it lasts, look at the device, and at the log of its vendor's library." },
  timeout: { reconnects: true, remedy: "If it lasts, look at the device and at the network to it." },
  process: { reconnects: true, remedy: "If it lasts, look for a newer version of the vendor's library." },
  library: {
    reconnects: true,
    remedy:
      "keys.module must be the vendor's PKCS#11 library, made for this computer's processor, and what it needs itself installed: ldd names it.",
  },
  "token-missing": {
    reconnects: true,
    remedy: "Check keys.tokenLabel or keys.slot: pkcs11-tool -L lists what is there.",
  },
  "key-missing": { reconnects: true, remedy: `Check keys.include: ${ownCommand("token list")} shows what is there.` },
  "pin-file": { reconnects: false, remedy: "Mend the file of keys.pin.file; it is read again by itself." },
  "pin-refused": {
    reconnects: false,
    remedy:
      "It is not tried again, since a few wrong ones lock a token: write the right PIN into the file of keys.pin.file, or touch that file if it is right.",
  },
  "pin-locked": {
    reconnects: false,
    remedy:
      "Log in by the vendor's own tool with the right PIN, or have its security officer set it anew; then touch the file of keys.pin.file.",
  },
  refused: {
    reconnects: false,
    remedy: "Check what the key may do: it must be an EC key with CKA_SIGN, and the token must know CKM_ECDSA.",
  },
} as const satisfies Record<string, { reconnects: boolean; remedy: string }>;

export type TokenFaultKind = keyof typeof TOKEN_FAULTS;

/** One call that failed, with its cause in words that hold no PIN and no signature. */
export class TokenFault extends Error {
  override readonly name = "TokenFault";
  readonly kind: TokenFaultKind;

  /** @param message a sentence */
  constructor(kind: TokenFaultKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }

  get remedy(): string {
    return TOKEN_FAULTS[this.kind].remedy;
  }

  /** Whether the connection is of no use any more, and another one may serve the same request. */
  get reconnects(): boolean {
    return TOKEN_FAULTS[this.kind].reconnects;
  }

  /** What happened and what to do, in one sentence each. */
  get advice(): string {
    return `${this.message} ${this.remedy}`;
  }
}

type CodeName = keyof typeof RETURN_CODES;

/** Codes whose kind is not `device`. */
const KINDS: Readonly<Partial<Record<TokenFaultKind, readonly CodeName[]>>> = {
  session: [
    "SESSION_HANDLE_INVALID",
    "SESSION_CLOSED",
    "SESSION_COUNT",
    "USER_NOT_LOGGED_IN",
    "CRYPTOKI_NOT_INITIALIZED",
    "OPERATION_ACTIVE",
    "OPERATION_NOT_INITIALIZED",
    "KEY_HANDLE_INVALID",
    "OBJECT_HANDLE_INVALID",
  ],
  removed: ["DEVICE_REMOVED", "TOKEN_NOT_PRESENT", "TOKEN_NOT_RECOGNIZED", "SLOT_ID_INVALID"],
  "pin-refused": ["PIN_INCORRECT", "PIN_INVALID", "PIN_LEN_RANGE", "PIN_EXPIRED"],
  "pin-locked": ["PIN_LOCKED", "USER_PIN_NOT_INITIALIZED"],
  refused: [
    "ATTRIBUTE_READ_ONLY",
    "ATTRIBUTE_VALUE_INVALID",
    "DATA_INVALID",
    "DATA_LEN_RANGE",
    "FUNCTION_NOT_SUPPORTED",
    "KEY_SIZE_RANGE",
    "KEY_TYPE_INCONSISTENT",
    "KEY_FUNCTION_NOT_PERMITTED",
    "MECHANISM_INVALID",
    "MECHANISM_PARAM_INVALID",
    "TEMPLATE_INCOMPLETE",
    "TEMPLATE_INCONSISTENT",
    "TOKEN_WRITE_PROTECTED",
    "CURVE_NOT_SUPPORTED",
  ],
};

const KIND_BY_CODE: ReadonlyMap<number, TokenFaultKind> = new Map(
  Object.entries(KINDS).flatMap(([kind, names]) =>
    names.map((name) => [RETURN_CODES[name], kind as TokenFaultKind] as const),
  ),
);

/** Returns the fault of a CKR_… code; whatever is not known, a vendor's own codes too, is the device's. */
export function faultOfCode(call: string, code: number): TokenFault {
  return new TokenFault(KIND_BY_CODE.get(code) ?? "device", `The token answered ${nameOfCode(code)} to ${call}.`);
}
