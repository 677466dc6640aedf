import { join } from "node:path";
import type { Keyring, SigningKey } from "../../../../signer/keys/keyring.ts";
import { openTezioKeyring, type TezioOptions } from "../../../../signer/keys/tezio/keyring.ts";
import { signVerified } from "../../../../signer/keys/verified-signature.ts";
import type { Curve } from "../../../../signer/tezos/crypto/curve.ts";
import { blake2b256 } from "../../../../signer/tezos/crypto/digest.ts";
import { temporaryFolder } from "../../../emulators/signer-process.ts";
import type { BoardOptions, TezioBoard } from "../../../emulators/tezio/board.ts";
import { startBoard } from "../../../harness/board.ts";
import { logLines } from "../../../harness/log-lines.ts";

/** A board, and a keyring that has it, with what it logged. */
export interface OpenedBoard extends AsyncDisposable {
  readonly board: TezioBoard;
  readonly keyring: Keyring;
  readonly lines: readonly Record<string, unknown>[];
  /** The first key that it serves. */
  readonly key: SigningKey;
  /** Signs a request as the signing service has it done, verified. */
  sign(payload: Uint8Array, milliseconds?: number): Promise<Uint8Array>;
  /** Closes the keyring and opens another one on the same board. */
  reopen(times?: TezioOptions["times"]): Promise<void>;
}

/** Times of a test that waits for no look of its own, and for no answer that stays out. */
const TIMES = {
  startup: 20_000,
  interval: 3_600_000,
  refresh: 3_600_000,
  look: 20_000,
  signature: 20_000,
  key: 20_000,
};

/** How long a request may take where the test is about none: it ends what hangs. */
const A_MINUTE = 60_000;

export async function openBoard(
  options: { readonly curves?: readonly Curve[]; readonly times?: TezioOptions["times"] } & Partial<BoardOptions> = {},
): Promise<OpenedBoard> {
  const { curves = ["P-256"], times, ...board } = options;
  const parts = new AsyncDisposableStack();
  const folder = parts.use(await temporaryFolder());
  const device = join(folder.path, "board");
  const emulated = parts.use(await startBoard(device, { curves, ...board }));
  const { log, lines } = logLines();
  const open = (own = times) => openTezioKeyring({ device, logger: log, times: { ...TIMES, ...own } });
  let keyring = await open();
  parts.defer(() => keyring.close());
  const opened: OpenedBoard = {
    board: emulated,
    get keyring() {
      return keyring;
    },
    lines,
    get key() {
      const [key] = keyring.keys.values();
      if (key === undefined) throw new Error(`the board shows no key: ${keyring.problem?.()}`);
      return key;
    },
    sign: (payload, milliseconds = A_MINUTE) =>
      signVerified(opened.key, blake2b256(payload), AbortSignal.timeout(milliseconds), payload),
    async reopen(own) {
      await keyring.close();
      keyring = await open(own);
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
  return opened;
}
