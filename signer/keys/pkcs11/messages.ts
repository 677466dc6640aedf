import type { Curve } from "../../tezos/crypto/curve.ts";
import type { TokenFaultKind } from "./fault.ts";
import type { TokenKeyName } from "./selection.ts";

/**
 * What the signer and the process that has a token's library say to each other.
 * @module
 */

/** How long a library may take to end its sessions, in milliseconds. */
export const FAREWELL = 2_000;

/** Which token: by the number of its slot, or by its own label. */
export interface TokenPlace {
  /** Absolute path of the vendor's library. */
  readonly module: string;
  readonly slot?: number | undefined;
  readonly tokenLabel?: string | undefined;
}

/** A key on a token, as the token shows it. */
export interface TokenKeyInfo extends TokenKeyName {
  /** CKA_EC_PARAMS. */
  readonly params: Uint8Array;
  /** CKA_EC_POINT. */
  readonly point: Uint8Array;
}

/** What a look at a token showed. */
export interface TokenView {
  readonly keys: readonly TokenKeyInfo[];
  /** Keys that cannot sign here, each with the reason. */
  readonly skipped: readonly (TokenKeyName & { readonly reason: string })[];
}

/** What is asked, by name: what goes in and what comes out. */
export interface Questions {
  /** Finds the token and logs in. Asked first, and once. */
  open: { readonly ask: TokenPlace & { readonly pin: string }; readonly answer: null };
  find: { readonly ask: null; readonly answer: TokenView };
  /** @param point CKA_EC_POINT of the key, hex, as `find` showed it */
  sign: { readonly ask: { readonly point: string; readonly digest: Uint8Array }; readonly answer: Uint8Array };
  generate: { readonly ask: TokenKeyName & { readonly curve: Curve }; readonly answer: null };
  import: {
    readonly ask: TokenKeyName & { readonly curve: Curve; readonly scalar: Uint8Array; readonly point: Uint8Array };
    readonly answer: null;
  };
}

export type QuestionName = keyof Questions;

export interface Question<Name extends QuestionName = QuestionName> {
  readonly number: number;
  readonly name: Name;
  readonly ask: Questions[Name]["ask"];
}

export type Answer =
  | { readonly number: number; readonly answer: unknown }
  | { readonly number: number; readonly fault: { readonly kind: TokenFaultKind; readonly message: string } };
