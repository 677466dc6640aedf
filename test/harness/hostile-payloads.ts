import { encode } from "../../signer/tezos/crypto/base58.ts";
import { named, OTHER, operations, part, transaction } from "../fixtures/payloads.ts";

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
  };
}
