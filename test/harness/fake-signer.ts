import { InMemorySigner } from "@taquito/signer";
import { SignerError } from "../../signer/errors.ts";
import type { RemoteSigner } from "../../signer/signing/remote-signer.ts";
import type { SigningCall } from "../../signer/signing/request-context.ts";

/** A RemoteSigner with one key of Taquito's and no judgement: it signs whatever it is asked, unless told to fail. */
export class FakeSigner implements RemoteSigner {
  readonly key: InMemorySigner;
  readonly address: string;
  readonly #publicKey: string;
  /** Every request that reached sign(), in order. */
  readonly asked: { address: string; payload: string; client: string; gone: AbortSignal }[] = [];
  /** Called before each signature; may wait, or throw. */
  before: (payload: Uint8Array) => Promise<void> | void = () => undefined;
  /** Signatures finished. */
  signed = 0;

  private constructor(key: InMemorySigner, address: string, publicKey: string) {
    this.key = key;
    this.address = address;
    this.#publicKey = publicKey;
  }

  /** @param secretKey spsk… or p2sk… */
  static async with(secretKey: string): Promise<FakeSigner> {
    const key = new InMemorySigner(secretKey);
    return new FakeSigner(key, await key.publicKeyHash(), await key.publicKey());
  }

  addresses(): readonly string[] {
    return [this.address];
  }

  publicKey(address: string): string {
    if (address !== this.address) throw new SignerError("unknown-key", address);
    return this.#publicKey;
  }

  async sign({ address, payload, client, gone }: SigningCall): Promise<string> {
    if (address !== this.address) throw new SignerError("unknown-key", address);
    const hex = Buffer.from(payload).toString("hex");
    this.asked.push({ address, payload: hex, client, gone });
    await this.before(payload);
    const { prefixSig } = await this.key.sign(hex);
    this.signed += 1;
    return prefixSig;
  }
}

interface TestKey {
  readonly pkh: string;
  readonly pk: string;
  readonly sk: string;
}

/** The keys whose secret is 32 bytes of 42, as Taquito writes them. */
const TEST_KEYS = {
  tz2: {
    pkh: "tz2XLHnAkS8YuTZmiQ6RWy3PJtZ9GUiuZQhp",
    pk: "sppk7bwrSn9NGNkxQqADdGY3H37PsvUusPH3A1NyyyHhjz6YU5hQ6KU",
    sk: "spsk1k8iqphvSECNaR7JAhYyTfZBmNnKYS7XG9WknkmVVbhbB18VTB",
  },
  tz3: {
    pkh: "tz3hn6kY29WuHKMuUzwVTNyEtmqttSoJy4Um",
    pk: "p2pk64fhHnPjgRz83ZCkXzeV9kmNgq4yMfCv2RZZT6vpq5esnUELHcc",
    sk: "p2sk2fMr5KdWtUJrKsLaXjCmEZBEyotHsXjUJg3C4Ea9DHSuQKJZMh",
  },
} as const satisfies Record<"tz2" | "tz3", TestKey>;

export function testKey(kind: "tz2" | "tz3"): TestKey {
  return TEST_KEYS[kind];
}
