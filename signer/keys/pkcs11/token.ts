import { setImmediate as nextTurn } from "node:timers/promises";
import { attribute, codeOf, faultOf, findObjects, perform } from "./calls.ts";
import { ATTRIBUTES, CLASSES, FLAGS, KEY_TYPE_EC, MECHANISMS, RETURN_CODES, TOKEN_FLAGS, USER } from "./codes.ts";
import type { Cryptoki } from "./driver.ts";
import { TokenFault } from "./fault.ts";
import type { TokenKeyInfo, TokenPlace, TokenView } from "./messages.ts";
import type { TokenKeyName } from "./selection.ts";
import { SESSIONS, SessionPool } from "./session-pool.ts";

/** Fills a label up to its 32 characters: blanks, by the standard, and by some libraries what C ends a text with. */
const PADDING = /[ \0]+$/;

/** A private key as it was found. */
interface FoundKey extends TokenKeyName {
  readonly params: Buffer;
  /** Public keys that may belong to it, each once. */
  readonly points: readonly Buffer[];
  /** By what name these were found; absent where the key itself shows its point. */
  readonly pointsOf?: string;
  readonly handle: Buffer;
  /** Whether each signature wants a login of its own. */
  readonly wantsPin: boolean;
}

/** A token that is logged in, in the process that has its library. */
export class Token {
  readonly #cryptoki: Cryptoki;
  readonly #slot: Buffer;
  readonly #sessions: SessionPool;
  /** Private keys that were found, by the hex of their CKA_EC_POINT. */
  #handles: ReadonlyMap<string, Buffer> = new Map();

  private constructor(cryptoki: Cryptoki, slot: Buffer, sessions: SessionPool) {
    this.#cryptoki = cryptoki;
    this.#slot = slot;
    this.#sessions = sessions;
  }

  /**
   * Finds the token, opens sessions, and logs in. Where a wrong PIN would lock the token, none is tried.
   * @param cryptoki initialised
   * @throws TokenFault
   */
  static open(cryptoki: Cryptoki, place: TokenPlace, pin: string): Token {
    const slot = findToken(cryptoki, place);
    const { flags } = perform("C_GetTokenInfo", () => cryptoki.C_GetTokenInfo(slot));
    if ((flags & (TOKEN_FLAGS.USER_PIN_LOCKED | TOKEN_FLAGS.USER_PIN_FINAL_TRY)) !== 0) {
      const state = (flags & TOKEN_FLAGS.USER_PIN_LOCKED) === 0 ? "would lock at the next wrong PIN" : "is locked";
      throw new TokenFault("pin-locked", `The token ${state}: its flags say so, and no PIN was tried.`);
    }
    const sessions = openSessions(cryptoki, slot);
    const [first] = sessions;
    try {
      // All sessions of a process are logged in together.
      cryptoki.C_Login(first, USER, pin);
    } catch (error) {
      if (codeOf(error) !== RETURN_CODES.USER_ALREADY_LOGGED_IN) throw faultOf("C_Login", error);
    }
    return new Token(cryptoki, slot, new SessionPool(sessions));
  }

  /** Looks at every EC key that may sign. Signatures are made meanwhile: a token may have many keys, and be far away. */
  find(): Promise<TokenView> {
    return this.#sessions.use(async ({ session }) => {
      const found: FoundKey[] = [];
      for (const handle of findObjects(this.#cryptoki, session, [
        { type: ATTRIBUTES.CLASS, value: CLASSES.PRIVATE_KEY },
        { type: ATTRIBUTES.KEY_TYPE, value: KEY_TYPE_EC },
        { type: ATTRIBUTES.SIGN, value: true },
      ])) {
        found.push(this.#look(session, handle));
        await nextTurn();
      }
      const keys: TokenKeyInfo[] = [];
      const skipped: TokenView["skipped"][number][] = [];
      const handles = new Map<string, Buffer>();
      for (const { label, id, params, points, pointsOf, handle, wantsPin } of found) {
        const [point] = points;
        const namesakes = found.filter((other) => pointsOf !== undefined && other.pointsOf === pointsOf);
        if (wantsPin) {
          skipped.push({ label, id, reason: "it wants the PIN anew for each signature (CKA_ALWAYS_AUTHENTICATE)" });
        } else if (point === undefined) {
          const reason = "its public key is not on the token: bring the public object there, with the same CKA_ID";
          skipped.push({ label, id, reason });
        } else if (points.length > 1 || namesakes.length > 1) {
          // Which private key belongs to which public one only the name tells.
          const reason = "several keys of the token have its id or label: give each key an id of its own";
          skipped.push({ label, id, reason });
        } else {
          keys.push({ label, id, params, point });
          handles.set(point.toString("hex"), handle);
        }
      }
      this.#handles = handles;
      return { keys, skipped };
    });
  }

  /**
   * Signs a digest with CKM_ECDSA.
   * @param point CKA_EC_POINT of the key, hex
   * @returns what the token answers, r || s
   * @throws TokenFault
   */
  async sign(point: string, digest: Uint8Array): Promise<Uint8Array> {
    const key = this.#handles.get(point);
    if (key === undefined) throw new TokenFault("key-missing", "The key is not on the token any more.");
    return await this.#sessions.use(async ({ session, digest: data, signature }) => {
      data.set(digest);
      try {
        this.#cryptoki.C_SignInit(session, { mechanism: MECHANISMS.ECDSA }, key);
        return Uint8Array.from(await this.#cryptoki.C_SignAsync(session, data, signature));
      } catch (error) {
        throw faultOf("C_Sign", error);
      }
    });
  }

  /** Runs `work` in a session in which keys can be made. @throws TokenFault */
  inWritableSession(work: (session: Buffer) => void): void {
    const mode = FLAGS.SERIAL_SESSION | FLAGS.RW_SESSION;
    const session = perform("C_OpenSession", () => this.#cryptoki.C_OpenSession(this.#slot, mode));
    try {
      work(session);
    } finally {
      perform("C_CloseSession", () => this.#cryptoki.C_CloseSession(session));
    }
  }

  #look(session: Buffer, handle: Buffer): FoundKey {
    const read = (type: number) => attribute(this.#cryptoki, session, handle, type);
    const label = read(ATTRIBUTES.LABEL);
    const id = read(ATTRIBUTES.ID);
    return {
      label: label?.toString("utf8") ?? "",
      id: id?.toString("hex") ?? "",
      params: read(ATTRIBUTES.EC_PARAMS) ?? Buffer.alloc(0),
      ...this.#pointsOf(session, handle, label, id),
      handle,
      wantsPin: read(ATTRIBUTES.ALWAYS_AUTHENTICATE)?.[0] === 1,
    };
  }

  /** The public keys that belong to a private one, each once: of its CKA_ID, else of its label, else its own attribute. */
  #pointsOf(
    session: Buffer,
    key: Buffer,
    label: Buffer | undefined,
    id: Buffer | undefined,
  ): Pick<FoundKey, "points" | "pointsOf"> {
    const [type, value] = id === undefined ? [ATTRIBUTES.LABEL, label] : [ATTRIBUTES.ID, id];
    const objects =
      value === undefined
        ? []
        : findObjects(this.#cryptoki, session, [
            { type: ATTRIBUTES.CLASS, value: CLASSES.PUBLIC_KEY },
            { type: ATTRIBUTES.KEY_TYPE, value: KEY_TYPE_EC },
            { type, value },
          ]);
    const read = [...objects, ...(objects.length === 0 ? [key] : [])].flatMap(
      (object) => attribute(this.#cryptoki, session, object, ATTRIBUTES.EC_POINT) ?? [],
    );
    const points = [...new Map(read.map((point) => [point.toString("hex"), point])).values()];
    return objects.length === 0 ? { points } : { points, pointsOf: `${type} ${value?.toString("hex")}` };
  }
}

function findToken(cryptoki: Cryptoki, { slot, tokenLabel }: TokenPlace): Buffer {
  const slots = perform("C_GetSlotList", () => cryptoki.C_GetSlotList(true));
  const faults: unknown[] = [];
  const found = slots.filter((each) => {
    if (slot !== undefined) return each.readBigUInt64LE() === BigInt(slot);
    try {
      const { label, flags } = perform("C_GetTokenInfo", () => cryptoki.C_GetTokenInfo(each));
      return (flags & TOKEN_FLAGS.INITIALIZED) !== 0 && label.replace(PADDING, "") === tokenLabel;
    } catch (error) {
      // Another slot's token may be of no kind that the library knows, which is none of ours.
      faults.push(error);
      return false;
    }
  });
  const [first] = found;
  const which = slot === undefined ? `labelled ${JSON.stringify(tokenLabel)}` : `in slot ${slot}`;
  if (first === undefined) throw faults[0] ?? new TokenFault("token-missing", `There is no token ${which}.`);
  if (found.length > 1) throw new TokenFault("token-missing", `There are ${found.length} tokens ${which}.`);
  return first;
}

/** Opens as many sessions as the token has left, up to SESSIONS. */
function openSessions(cryptoki: Cryptoki, slot: Buffer): [Buffer, ...Buffer[]] {
  const open = () => perform("C_OpenSession", () => cryptoki.C_OpenSession(slot, FLAGS.SERIAL_SESSION));
  const sessions: [Buffer, ...Buffer[]] = [open()];
  try {
    while (sessions.length < SESSIONS) sessions.push(open());
  } catch (error) {
    // One is enough to go on with.
    if (!(error instanceof TokenFault && error.kind === "session")) throw error;
  }
  return sessions;
}
