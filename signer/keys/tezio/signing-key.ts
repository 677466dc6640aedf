import { SignerError } from "../../errors.ts";
import type { PublicKey } from "../../tezos/crypto/public-key.ts";
import type { SigningKey } from "../keyring.ts";
import type { Board } from "./board.ts";
import { BoardFault } from "./fault.ts";
import { MAX_DATA } from "./frame.ts";
import type { Slot } from "./slots.ts";

/**
 * Magic bytes that are sent, and whether the board has a high-water mark for requests with them. Of another byte the board
 * reads its policy past the end of its table.
 */
const MAGIC_BYTES: ReadonlyMap<number | undefined, boolean> = new Map([
  [0x03, false],
  [0x05, false],
  [0x11, true],
  [0x12, true],
  [0x13, true],
]);

/** One key of a board. */
export class BoardKey implements SigningKey {
  readonly publicKey: PublicKey;
  readonly location: string;
  readonly #slot: Slot;
  readonly #board: Board;
  readonly #onFault: () => void;
  /** The board's own refusals that stand, by magic byte: its policy and its marks are for each. */
  readonly #refused = new Map<number | undefined, BoardFault>();

  /** @param onFault told when a signature could not be had: a look at the board shows whether that lasts */
  constructor(key: { publicKey: PublicKey; location: string; slot: Slot }, board: Board, onFault: () => void) {
    this.publicKey = key.publicKey;
    this.location = key.location;
    this.#slot = key.slot;
    this.#board = board;
    this.#onFault = onFault;
  }

  get refusal(): string | undefined {
    const [refused = this.#board.fault] = this.#refused.values();
    return refused && `${this.location} cannot sign. ${refused.advice}`;
  }

  /** Forgets the board's refusals: without power it forgets its marks, and has another firmware perhaps. */
  forgive(): void {
    this.#refused.clear();
  }

  async sign(digest: Uint8Array, signal: AbortSignal, payload: Uint8Array = new Uint8Array()): Promise<Uint8Array> {
    const [magic] = payload;
    const isMarked = MAGIC_BYTES.get(magic);
    if (isMarked === undefined) {
      throw new SignerError("internal-error", `${this.location}: the board signs whole requests, and this is none.`);
    }
    if (payload.length > MAX_DATA) {
      const size = `the board takes ${MAX_DATA} bytes, and this request has ${payload.length}`;
      throw new SignerError("body-too-large", `${this.location}: ${size}.`);
    }
    const question = { slot: this.#slot, publicKey: this.publicKey, payload, digest, isMarked };
    try {
      const signature = await this.#board.sign(question, signal);
      this.#refused.delete(magic);
      return signature;
    } catch (error) {
      if (!(error instanceof BoardFault)) throw error;
      if (error.isRefusal) this.#refused.set(magic, error);
      else this.#onFault();
      throw new SignerError(error.code, `${this.location}: ${error.advice}`, { cause: error });
    }
  }
}
