import { CURVES, type Curve } from "../tezos/crypto/curve.ts";
import { type PublicKey, publicKeyFromPoint } from "../tezos/crypto/public-key.ts";
import type { WatermarkStore } from "../watermark/stores/store.ts";

/**
 * What a rehearsal has in the place of a baker's requests, a vault's answers and the watermark store. All of it is fixed:
 * to make a key and its signatures took 0.3 s of a start and 19 MB. Nobody has the keys' secrets: they were thrown away.
 * @module
 */

/** What is asked, in hex: a preattestation, an attestation and a block of level 1, as octez forges them. */
export const PAYLOADS = [
  `127a06a770${"01".repeat(32)}14${"0000"}${"00000001"}${"00000000"}${"02".repeat(32)}`,
  `137a06a770${"01".repeat(32)}15${"0000"}${"00000001"}${"00000000"}${"02".repeat(32)}`,
  `117a06a770${"00000001"}01${"01".repeat(32)}000000006553f10004${"02".repeat(32)}` +
    `00000021000000010200000004000000010000000000000004ffffffff0000000400000000${"03".repeat(32)}${"04".repeat(32)}` +
    `00000000${"00".repeat(8)}0000`,
] as const;

/** A public key on each curve (SEC 1, compressed), and its signature (r || s) of each payload. */
const SIGNED: Readonly<Record<Curve, { readonly key: string; readonly signatures: readonly string[] }>> = {
  "P-256": {
    key: "0390866201c025586900c2a11720d9c440599f96bd1b763a9723a7359b7ce73bb3",
    signatures: [
      "0def8add8149f1b83f4c9e6713efa1007ff52367858b7aa5271f0aa39e3a6d8f462822143ba9433965a353ecd214ec937f22016ac4d8027ab4dc9feac707a985",
      "b96a03dba806615d95f1009d162c0a5ac7c262efc2fcb689ec65786036ca1ba9158084a75dfaf3864d87f68e8bb85fc2abfde28d4339b3a29ae6dbea17a7c3ec",
      "cdcd3040532739f3ffa895be2d317a9d4320dd3f5ab1203e42524b5f8b4d60e8630908037b0787aafb8654610a5ab74cc2598ad84adc086261749a44c9a74348",
    ],
  },
  "P-256K": {
    key: "037d3d496e6bfb2bb0956ca324f15c2993827e2c8d3a2301e08f09c1d5e088d4b9",
    signatures: [
      "f26c23c2b8acb4de9e94559a68b7451e03c639e0214b1f7939e203d7e9f4f98f77d133b67992421cfc48d041e76bbbfc189578e38d213aa8493b9174bdb61684",
      "e54aff2af10d28fc2dcd0ada6dcca6a1487afade627c1077851f5f963e91a9745bd4bc650341a685c64b0f35e1bff3df6b9933339105f73a0c5de200bb1d527d",
      "a82802ab39dbd76b618550fc05a157d8caa98fa6eab43c8362c452470b276fc17596418b47e96c5c3a8ffea2a8339318a673588d27994d17d0eaeacd93078a90",
    ],
  },
};

/** What is rehearsed once: a payload, who is asked for its signature, and which one that is. */
export interface Scene {
  readonly payload: string;
  readonly publicKey: PublicKey;
  /** r || s, 64 bytes. */
  readonly signature: Uint8Array;
}

/** Makes each payload, asked of a key on each curve. */
export function scenes(): readonly Scene[] {
  return (Object.keys(CURVES) as Curve[]).flatMap((curve) => {
    const { key, signatures } = SIGNED[curve];
    const publicKey = publicKeyFromPoint(curve, Buffer.from(key, "hex"));
    return PAYLOADS.map((payload, index) => ({
      payload,
      publicKey,
      signature: Buffer.from(signatures[index] ?? "", "hex"),
    }));
  });
}

/** A store that has nothing and keeps nothing. */
export class EmptyStore implements WatermarkStore {
  readonly isShared = false;
  async identity(): Promise<string> {
    return "none";
  }
  async establish(): Promise<void> {}
  async now(): Promise<number> {
    return Date.now();
  }
  async read(): Promise<undefined> {
    return undefined;
  }
  async insert(): Promise<string> {
    return "1";
  }
  async replace(): Promise<string> {
    return "2";
  }
  async proveWritable(): Promise<void> {}
  async list(): Promise<[]> {
    return [];
  }
  async close(): Promise<void> {}
}
