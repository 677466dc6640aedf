import type { Logger } from "pino";
import { StartError } from "../../errors.ts";
import { prepareVerification } from "../../tezos/crypto/signature.ts";
import type { Keyring } from "../keyring.ts";
import { PolledKeyring } from "../polled-keyring.ts";
import { Board, type BoardTimes } from "./board.ts";
import { missingDriver } from "./driver.ts";
import { BoardFault } from "./fault.ts";
import { BoardKey } from "./signing-key.ts";
import { type BoardView, SLOTS, type Slot } from "./slots.ts";

export interface TezioOptions {
  /** Path of the board's serial port, such as /dev/serial/by-id/usb-Arduino…. */
  readonly device: string;
  readonly logger: Logger;
  /** Other times than the usual ones, for tests, in milliseconds. */
  readonly times?: Partial<Times>;
}

interface Times extends BoardTimes {
  /** How long `open` waits for the board before it goes on without keys. */
  readonly startup: number;
  /** Between two looks at the board's keys. */
  readonly interval: number;
  /** Between two looks where a key is missed, or a signature could not be had. */
  readonly refresh: number;
  /** One look. */
  readonly look: number;
}

const TIMES: Times = {
  startup: 15_000,
  interval: 60_000,
  refresh: 1_000,
  look: 15_000,
  signature: 10_000,
  key: 2_000,
};

const CURVE_PREFIX = { "P-256K": "tz2", "P-256": "tz3" } as const;

/**
 * Opens the keys of a Tezio board on a serial port. Returns once the keys are known, or without them when the board
 * does not show them in time: it goes on asking, and `problem` says why.
 * @throws StartError where the package that serial ports take is not there
 */
export async function openTezioKeyring(options: TezioOptions): Promise<Keyring> {
  const missing = missingDriver();
  if (missing !== undefined) throw new StartError("unusable", missing);
  const keyring = new TezioKeyring(options);
  await keyring.open();
  return keyring;
}

class TezioKeyring extends PolledKeyring<BoardKey> {
  readonly keys = new Map<string, BoardKey>();
  readonly #device: string;
  readonly #look: number;
  readonly #board: Board;
  #unread: readonly string[] | undefined;

  constructor({ device, logger, ...options }: TezioOptions) {
    const times = { ...TIMES, ...options.times };
    super({ logger, backend: "the board", where: { device }, ...times });
    this.#device = device;
    this.#look = times.look;
    this.#board = new Board({
      device,
      log: this.faultLog,
      times,
      onView: (view, isNewLine) => this.#take(view, isNewLine),
    });
  }

  problem(): string | undefined {
    const { fault } = this.#board;
    if (fault !== undefined) return `The board cannot be used. ${fault.advice}`;
    if (this.#unread === undefined) return "The board has not shown its keys yet.";
    return this.keys.size > 0 ? undefined : ["The board has no key that can sign", ...this.#unread].join("; ");
  }

  unseen(): string | undefined {
    return this.#unread === undefined ? this.problem() : undefined;
  }

  async close(): Promise<void> {
    this.polling.stop();
    await this.#board.close();
    this.keys.clear();
  }

  protected async look(): Promise<boolean> {
    try {
      await this.#board.look(AbortSignal.any([AbortSignal.timeout(this.#look), this.polling.signal]));
      return this.#unread?.length === 0;
    } catch (error) {
      if (!(error instanceof BoardFault)) throw error;
      return false;
    }
  }

  /** Takes what the board shows: a slot that shows no key changes nothing, since the chip may only not have been read. */
  #take(view: BoardView, isNewLine: boolean): void {
    const notes: string[] = [];
    for (const slot of Object.keys(SLOTS).map(Number) as Slot[]) {
      const publicKey = view[slot];
      const location = `${this.#device}, ${CURVE_PREFIX[SLOTS[slot]]} key`;
      const known = [...this.keys.values()].find((key) => key.location === location);
      if (isNewLine) known?.forgive();
      if (publicKey === undefined) {
        notes.push(`${slot} (${CURVE_PREFIX[SLOTS[slot]]}) is left out: the board shows none, or could not read it`);
        continue;
      }
      const { address, curve } = publicKey;
      if (known?.publicKey.address === address) continue;
      if (known !== undefined) {
        this.keys.delete(known.publicKey.address);
        const gone = "key is no longer served: the board shows another one in its place";
        this.logger.warn({ key: known.publicKey.address, location }, gone);
      }
      prepareVerification(publicKey);
      this.keys.set(address, new BoardKey({ publicKey, location, slot }, this.#board, () => this.refresh()));
      this.logger.info({ key: address, location, curve }, "key is served");
    }
    this.note(notes);
    this.#unread = notes;
    this.known();
  }
}
