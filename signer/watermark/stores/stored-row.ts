import { visibleJson } from "../../invisible-characters.ts";
import { decode } from "../../tezos/crypto/base58.ts";
import { isConsensusKind } from "../../tezos/payload/consensus-kind.ts";
import { type Row, type RowKey, rowName, StoreError } from "./store.ts";

/** What stands in the columns of a row, which others may have written. */
export type Columns = Readonly<
  Record<"level" | "round" | "digest" | "signature" | "anchorLevel" | "anchorAt", unknown>
>;

const HIGHEST = 2 ** 31 - 1;

/** Reads a row. @returns undefined where it is no mark: what it guards is not known then */
export function rowFrom({ level, round, digest, signature, anchorLevel, anchorAt }: Columns): Row | undefined {
  // Below level 1 a floor stands at 0.
  const isPlace = [level, round].every(
    (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= HIGHEST,
  );
  if (!isPlace || !Number.isSafeInteger(anchorLevel) || !Number.isSafeInteger(anchorAt)) return undefined;
  const texts = [digest, signature].map((text) => text ?? undefined);
  if (!texts.every((text) => text === undefined || isHex(text))) return undefined;
  return {
    level: Number(level),
    round: Number(round),
    ...(isHex(digest) ? { digest } : {}),
    ...(isHex(signature) ? { signature } : {}),
    anchor: { level: Number(anchorLevel), at: Number(anchorAt) },
  };
}

/** What the addresses of rows begin with: marks of keys that other signers serve come along with an import. */
export const ROW_ADDRESSES = ["tz1", "tz2", "tz3", "tz4"] as const;

/**
 * Reads the names of a row. @returns undefined where no signer can ask for it: whatever it is (a note of somebody's), it is no
 * key's mark
 */
export function keyFrom(chainId: string, address: string, kind: string): RowKey | undefined {
  if (!isConsensusKind(kind)) return undefined;
  try {
    decode(chainId, "Net");
    decode(address, ...ROW_ADDRESSES);
  } catch {
    return undefined;
  }
  return { chainId, address, kind };
}

/** What to do with a store whose own id is not there, or is none: nobody can tell then whose memory it is. */
export const STORE_ID_CURE =
  "Nothing of it is replaced by a command: find out who wrote it, and write back the id that the settings or the key's tag " +
  'name, as docs/recover.md says under "A store without its id"; then restart.';

/** So much of a row is shown to a person, in characters. */
const MOST_SHOWN = 1_000;

/** A row that is there and is no mark: what its key has signed is not known, so nothing is signed until somebody says. */
export class UnreadableRow extends StoreError {
  /** What lies there, as JSON, bounded, with nothing in it that steers a terminal. */
  readonly content: string;
  /** The version of exactly that, for a compare-and-set. */
  readonly version: string;

  /** @param place the store @param columns whatever is there */
  constructor(place: string, key: RowKey, columns: object, version: string) {
    const way = 'docs/recover.md says under "A row that cannot be read" how to go on';
    super("untrusted", `${place} holds a ${rowName(key)} that cannot be read. Find out who wrote it; ${way}.`);
    const text = JSON.stringify(columns, (_, value) => (typeof value === "bigint" ? String(value) : value));
    const shown = visibleJson(text);
    this.content = shown.length <= MOST_SHOWN ? shown : `${shown.slice(0, MOST_SHOWN)}… (${text.length} characters)`;
    this.version = version;
  }
}

function isHex(value: unknown): value is string {
  return typeof value === "string" && /^([0-9a-f]{2}){1,64}$/.test(value);
}
