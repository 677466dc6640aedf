import { b58DecodeAndCheckPrefix, b58Encode, PrefixV2 } from "@taquito/utils";
import bs58check from "bs58check";
import { expect } from "chai";
import fc from "fast-check";
import { decode, EncodingError, encode, PREFIX_LENGTHS, type Prefix } from "../../../../signer/tezos/crypto/base58.ts";
import { vectors } from "../../../fixtures/vectors.ts";

/** Taquito's names of our prefixes; it does not know the other two. */
const TAQUITO: Readonly<Partial<Record<Prefix, PrefixV2>>> = {
  tz1: PrefixV2.Ed25519PublicKeyHash,
  tz2: PrefixV2.Secp256k1PublicKeyHash,
  tz3: PrefixV2.P256PublicKeyHash,
  tz4: PrefixV2.BLS12_381PublicKeyHash,
  KT1: PrefixV2.ContractHash,
  sr1: PrefixV2.SmartRollupHash,
  edpk: PrefixV2.Ed25519PublicKey,
  sppk: PrefixV2.Secp256k1PublicKey,
  p2pk: PrefixV2.P256PublicKey,
  BLpk: PrefixV2.BLS12_381PublicKey,
  edsk: PrefixV2.Ed25519Seed,
  edsk64: PrefixV2.Ed25519SecretKey,
  spsk: PrefixV2.Secp256k1SecretKey,
  p2sk: PrefixV2.P256SecretKey,
  BLsk: PrefixV2.BLS12_381SecretKey,
  edesk: PrefixV2.Ed25519EncryptedSeed,
  spesk: PrefixV2.Secp256k1EncryptedSecretKey,
  p2esk: PrefixV2.P256EncryptedSecretKey,
  BLesk: PrefixV2.BLS12_381EncryptedSecretKey,
  edsig: PrefixV2.Ed25519Signature,
  spsig1: PrefixV2.Secp256k1Signature,
  p2sig: PrefixV2.P256Signature,
  BLsig: PrefixV2.BLS12_381Signature,
  sig: PrefixV2.GenericSignature,
  Net: PrefixV2.ChainID,
  B: PrefixV2.BlockHash,
  o: PrefixV2.OperationHash,
  P: PrefixV2.ProtocolHash,
  expr: PrefixV2.ScriptExpr,
  src1: PrefixV2.SmartRollupCommitmentHash,
  srs1: PrefixV2.SmartRollupStateHash,
  sh: PrefixV2.SlotHeader,
};

/** Our names where the vectors have others. */
const RENAMED: Readonly<Record<string, Prefix>> = {
  edsk_seed: "edsk",
  edsk: "edsk64",
  chain_id: "Net",
  block_hash: "B",
  block_payload_hash: "vh",
  operation_hash: "o",
};

function filled(prefix: Prefix, byte: number): Uint8Array {
  return new Uint8Array(PREFIX_LENGTHS[prefix]).fill(byte);
}

const prefixes = Object.keys(PREFIX_LENGTHS) as Prefix[];
const CHAIN_ID = "NetXdQprcVkpaWU";

describe("base58check", () => {
  it("has octez's bytes and length for every prefix of the vectors", () => {
    for (const [name, { bytes, payload_len }] of Object.entries<{ bytes: string; payload_len: number }>(
      vectors.base58_prefixes,
    )) {
      const prefix = RENAMED[name] ?? (name as Prefix);
      expect(PREFIX_LENGTHS[prefix], name).to.equal(payload_len);
      const text = encode(prefix, filled(prefix, 0));
      // base58 of the whole, as Taquito's lower layer would have it: the prefix stands in front of the zeros.
      const value = [...text].reduce((sum, character) => sum * 58n + digit(character), 0n);
      const whole = value.toString(16).padStart((bytes.length / 2 + payload_len + 4) * 2, "0");
      expect(whole.slice(0, bytes.length), name).to.equal(bytes);
    }
  });

  for (const prefix of prefixes) {
    it(`writes every ${prefix} with that beginning, and reads it back`, () => {
      for (const byte of [0x00, 0x7f, 0xff]) {
        const text = encode(prefix, filled(prefix, byte));
        expect(text.startsWith(prefix === "edsk64" ? "edsk" : prefix), text).to.equal(true);
        expect(decode(text)).to.deep.equal({ prefix, bytes: filled(prefix, byte) });
      }
    });
  }

  it("writes and reads what Taquito reads and writes", () => {
    const any = fc.constantFrom(...(Object.keys(TAQUITO) as Prefix[]));
    const property = fc.property(any, fc.infiniteStream(fc.nat(255)), (prefix, stream) => {
      const theirs = TAQUITO[prefix] as PrefixV2;
      const bytes = filled(prefix, 0).map(() => stream.next().value);
      const text = b58Encode(bytes, theirs);
      expect(encode(prefix, bytes)).to.equal(text);
      expect(decode(text, prefix).bytes).to.deep.equal(bytes);
      expect(b58DecodeAndCheckPrefix(encode(prefix, bytes), [theirs])[0]).to.deep.equal(bytes);
    });
    fc.assert(property, { numRuns: 300 });
  });

  it("refuses every text with one character changed", () => {
    for (let at = 0; at < CHAIN_ID.length; at++) {
      const other = CHAIN_ID[at] === "x" ? "y" : "x";
      expect(() => decode(CHAIN_ID.slice(0, at) + other + CHAIN_ID.slice(at + 1))).to.throw(EncodingError);
    }
  });

  it("names what was expected and what was found", () => {
    expect(() => decode(CHAIN_ID, "tz2", "tz3", "KT1")).to.throw(
      EncodingError,
      "expected tz2, tz3 or KT1 in base58check, but this is Net",
    );
  });

  it("refuses a text of another currency, whose checksum is right", () => {
    expect(() => decode("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa")).to.throw(
      EncodingError,
      "expected base58check of Tezos, but this begins with no known prefix",
    );
  });

  it("never repeats the text, which may be a secret", () => {
    const secret = "p2sk2rUMnnnFPQCB7DBozkCZrFhiZ87ddrpAHbRcww7dwU2WHYUbci";
    for (const text of [secret, `${secret.slice(0, -1)}j`, `${secret}0`]) {
      expect(() => decode(text, "tz3"))
        .to.throw(EncodingError)
        .with.property("message")
        .that.does.not.include("2rUMn");
    }
  });

  for (const text of ["", "1", "0OIl", "tz3", ` ${CHAIN_ID}`, `${CHAIN_ID}\n`, "1".repeat(100_000), "é"]) {
    it(`refuses ${JSON.stringify(text.slice(0, 20))}`, () => {
      expect(() => decode(text)).to.throw(EncodingError, "expected base58check of Tezos");
    });
  }

  it("refuses a text whose checksum is right and whose content is too short or too long for its prefix", () => {
    for (const prefix of prefixes) {
      const whole = bs58check.decode(encode(prefix, filled(prefix, 0x5a)));
      const others = [whole.subarray(0, -1), Uint8Array.of(...whole, 0x5a), whole.subarray(0, -PREFIX_LENGTHS[prefix])];
      for (const other of others) {
        expect(() => decode(bs58check.encode(other)), prefix).to.throw(EncodingError, "begins with no known prefix");
      }
    }
  });

  it("refuses content of another length", () => {
    expect(() => encode("tz1", new Uint8Array(21))).to.throw(EncodingError, "tz1 takes 20 bytes, not 21");
  });
});

function digit(character: string): bigint {
  return BigInt("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".indexOf(character));
}
