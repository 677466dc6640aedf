import type { Keyring, SigningKey } from "../../../../signer/keys/keyring.ts";
import { openPkcs11Keyring, type Pkcs11Options } from "../../../../signer/keys/pkcs11/keyring.ts";
import { signVerified } from "../../../../signer/keys/verified-signature.ts";
import { logLines } from "../../../harness/log-lines.ts";
import type { SoftToken } from "../../../harness/soft-token.ts";

/** A keyring of a token, with what it logged. */
export interface OpenedToken extends AsyncDisposable {
  readonly keyring: Keyring;
  readonly lines: readonly Record<string, unknown>[];
  /** The one key that it serves. */
  readonly key: SigningKey;
  /** Signs a digest as the signing service has it done, verified. */
  sign(digest?: Uint8Array, milliseconds?: number): Promise<Uint8Array>;
}

export const DIGEST = Buffer.alloc(32, 7);

/** How long a request may take where the test is about none: it ends what hangs. */
const A_MINUTE = 60_000;

export async function openToken(token: SoftToken, options: Partial<Pkcs11Options> = {}): Promise<OpenedToken> {
  const { log, lines } = logLines();
  const keyring = await openPkcs11Keyring({ ...token.settings, include: () => "all", logger: log, ...options });
  const opened: OpenedToken = {
    keyring,
    lines,
    get key() {
      const [key] = keyring.keys.values();
      if (key === undefined) throw new Error(`the token shows no key: ${keyring.problem?.()}`);
      return key;
    },
    sign: (digest = DIGEST, milliseconds = A_MINUTE) =>
      signVerified(opened.key, digest, AbortSignal.timeout(milliseconds)),
    [Symbol.asyncDispose]: () => keyring.close(),
  };
  return opened;
}
