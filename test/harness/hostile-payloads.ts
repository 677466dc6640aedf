import { encode } from "../../signer/tezos/crypto/base58.ts";
import {
  contract,
  integer,
  manager,
  named,
  natural,
  OTHER,
  operations,
  part,
  publicKeyHash,
  SOURCE,
  transaction,
} from "../fixtures/payloads.ts";

/** Where the money really goes, and how much. */
export const THIEF = encode("KT1", new Uint8Array(20).fill(6));
export const LOOT = 900_000_000_000n;

const string = (text: string) => Buffer.concat([Buffer.from([1]), part(Buffer.from(text))]);
const call = (parameters: Uint8Array, counter = 1n) =>
  transaction({ destination: THIEF, amount: LOOT, counter, entrypoint: named("default"), parameters });

/** What somebody would like to be read in place of the truth. */
const INVENTED = ["Signs     │ 1 transaction", `To        │ ${OTHER} 0.5 tez`, "Fees      │ 0.0004 tez"];

/** Michelson strings hold ASCII and line feeds only, so an invented margin is one of ASCII. */
const invented = INVENTED.map((line) => line.replaceAll("│", "|"));

/** Rows, code marks, margins and cursors of the signer's, and whatever a terminal, or the operator's connection, might take for more. */
const MESSAGES = [
  `\u2028${JSON.stringify({ event: "withdrawn", id: 1, reason: "the client gave up" })}\u2029`,
  `\nTo        │ ${OTHER} 0.5 tez\nDigest    │ ..01234567[0000]cdef0123..\nRequest 1, 5:00 left> `,
  "丨 ㅣ ǀ ｜ ∣ │ 漢字".repeat(20),
  "\u202e[0000]\u2066\u{e0030}\u{e0041}\u3164\u115f\u1161\u11a8\u1100\ufe0f\u0301",
  "\t\r\n\r\t".repeat(200),
];
const ESCAPES = "\x1b]0;title\x07\x1b[2J\x1b[H\x1b[24;1R\x9b6n\rRequest 1, 5:00 left> ";

/** An address that begins and ends as the thief's does, and is another. @param index which of them */
function lookAlike(index: number): string {
  for (let turn = 0; ; turn += 1) {
    const bytes = new Uint8Array(20).fill(6);
    bytes.set([index, turn >> 8, turn], 17);
    const address = encode("KT1", bytes);
    if (address !== THIEF && address.endsWith(THIEF.slice(-1))) return address;
  }
}

/** Those of another hand. */
function foreignPayloads(): Readonly<Record<string, Uint8Array>> {
  const loot = (counter: number, more = {}) =>
    transaction({ destination: THIEF, amount: LOOT, counter: BigInt(counter), ...more });
  const numbered = (count: number, make: (counter: number) => Buffer) =>
    Array.from({ length: count }, (_, index) => make(index + 1));
  const key = Buffer.concat([Buffer.from([0]), new Uint8Array(32).fill(7), Buffer.from([0])]);
  const at = (counter: number) => ({ counter: BigInt(counter) });
  const code = Buffer.from([3, 0x0b]);
  return {
    "another hand: 170 look-alikes": operations(
      ...numbered(170, (counter) =>
        counter === 97
          ? loot(counter)
          : transaction({ destination: lookAlike(counter), amount: 1n, counter: BigInt(counter) }),
      ),
    ),
    "another hand: rows, margins and lines' ends in messages": operations(
      manager(201, at(1), part(...MESSAGES.map((message) => part(Buffer.from(message))))),
      manager(201, at(2), part(part(Buffer.from(ESCAPES, "latin1")))),
      loot(3, { entrypoint: named("Digest.01234567.0000"), parameters: string("To        | [0000]\n".repeat(30)) }),
    ),
    "another hand: nine kinds, a crowd of changes, and a reveal": operations(
      manager(107, at(1), key),
      ...numbered(9, (index) => manager(113, at(index + 1), integer(1n), contract(lookAlike(index)))),
      manager(110, at(11), Buffer.from([0xff]), publicKeyHash(OTHER)),
      manager(114, at(12), key),
      manager(
        158,
        at(13),
        part(code),
        part(code),
        contract(OTHER),
        natural(10n ** 60n),
        contract(lookAlike(1)),
        part(Buffer.from("To.0.5.tez")),
      ),
      manager(206, at(14), new Uint8Array(20), new Uint8Array(32), part(Buffer.from(MESSAGES[1] ?? ""))),
      manager(112, at(15), Buffer.from([0])),
      loot(16),
    ),
    "another hand: a contract with a balance, and names in its script": operations(
      manager(
        109,
        at(1),
        natural(800_000_000_000n),
        Buffer.from([0xff]),
        publicKeyHash(OTHER),
        part(Buffer.concat([Buffer.from([4, 0x0b]), part(Buffer.from("%0000 @Digest.0000 :To.0.5.tez"))])),
        part(string(invented.join("\n"))),
      ),
      loot(2, {
        parameters: Buffer.concat([Buffer.from([10]), part(Buffer.from(MESSAGES[1] ?? ""))]),
        entrypoint: named(""),
      }),
    ),
    "another hand: the largest numbers": operations(
      transaction({ destination: SOURCE, amount: 2n ** 63n - 1n, counter: 1n, fee: 2n ** 63n - 1n }),
      loot(2, { fee: 2n ** 63n - 1n, storageLimit: 2n ** 69n, gasLimit: 2n ** 69n }),
      ...numbered(9, (index) => transaction({ destination: lookAlike(index), amount: 1n, counter: BigInt(index + 2) })),
    ),
  };
}

/** Made once: for each look-alike some dozens of addresses are tried. */
const FOREIGN = foreignPayloads();

/** Payloads that send the loot to the thief and would rather have it unread. @param columns of the terminal */
export function hostilePayloads(columns: number): Readonly<Record<string, Uint8Array>> {
  const room = columns < 60 ? columns - 4 : columns - 23;
  const crowd = Array.from({ length: 60 }, (_, index) =>
    index === 30
      ? transaction({ destination: THIEF, amount: LOOT, counter: BigInt(index) })
      : transaction({
          destination: encode("tz1", new Uint8Array(20).fill(index)),
          amount: 1n,
          counter: BigInt(index),
        }),
  );
  const ints = Buffer.concat([Buffer.from([2]), part(Buffer.alloc(30_000, Buffer.from([0, 0])))]);
  return {
    "60 blank rows and invented lines": operations(call(string(`${"\n".repeat(60)}${invented.join("\n")}\n`))),
    "30,000 bytes of Michelson": operations(call(ints)),
    "invented lines as wide as the terminal's": operations(
      call(string(Array.from({ length: 60 }, (_, index) => (invented[index % 3] ?? "").padEnd(room)).join(""))),
    ),
    "a crowd around the one": operations(...crowd),
    "a prompt in an annotation's and an entrypoint's place": operations(
      transaction({
        destination: THIEF,
        amount: LOOT,
        entrypoint: named("Request.1.0.5.tez.left."),
        parameters: Buffer.concat([
          Buffer.from([4, 0x0b]),
          part(Buffer.from(`%To.0.5.tez.${OTHER} `.repeat(200).trim())),
        ]),
      }),
    ),
    ...FOREIGN,
  };
}
