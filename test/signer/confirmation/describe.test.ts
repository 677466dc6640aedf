import { expect } from "chai";
import fc from "fast-check";
import type { Description } from "../../../signer/confirmation/describe.ts";
import { summarise } from "../../../signer/confirmation/summary.ts";
import { micheline, tez } from "../../../signer/confirmation/values.ts";
import { SignerError } from "../../../signer/errors.ts";
import { encode } from "../../../signer/tezos/crypto/base58.ts";
import { blake2b160 } from "../../../signer/tezos/crypto/digest.ts";
import type { Micheline } from "../../../signer/tezos/payload/micheline.ts";
import { PayloadError } from "../../../signer/tezos/payload/reader.ts";
import { EXAMPLES, KT1, payloadOf, taquitoReads } from "../../fixtures/operation-examples.ts";
import {
  BRANCH,
  integer,
  manager,
  named,
  OTHER,
  operations,
  part,
  publicKeyHash,
  SOURCE,
  transaction,
  transfer,
} from "../../fixtures/payloads.ts";
import { describePayload } from "../../harness/described.ts";

/** The fields of every section in one; none of these requests has a name twice. */
function fields({ sections }: Description): Record<string, string> {
  return Object.fromEntries(sections.flatMap((each) => each.fields.map(({ label, value }) => [label, value])));
}

/** The bytes of `"text"` in Micheline. */
const string = (text: string) => Buffer.concat([Buffer.from([1]), part(Buffer.from(text))]);

describe("a request in words", () => {
  it("shows what Taquito reads from the same bytes, for any transfer", async () => {
    const uint63 = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
    const numbers = fc.record({ amount: uint63, fee: uint63, counter: uint63, gasLimit: uint63, storageLimit: uint63 });
    const property = fc.asyncProperty(numbers, fc.constantFrom(OTHER, KT1), async (given, destination) => {
      const payload = transfer({ ...given, destination, entrypoint: named("mint") });
      const { branch, contents } = (await taquitoReads(payload)) as {
        branch: string;
        contents: Record<string, never>[];
      };
      const { kind, amount, fee, counter, gas_limit, storage_limit, parameters, ...rest } = contents[0] ?? {};
      const described = describePayload(payload);
      expect(described.sections[1]?.title).to.equal(kind);
      const { "gas limit": gas, "storage limit": storage, parameters: shown, ...shownRest } = fields(described);
      expect({ gas, storage }).to.deep.equal({ gas: gas_limit, storage: storage_limit });
      const { entrypoint, value } = parameters as unknown as { entrypoint: string; value: Micheline };
      expect(shown).to.equal(micheline(value));
      expect(shownRest).to.deep.equal({
        ...rest,
        branch,
        counter,
        entrypoint,
        amount: tez(BigInt(amount ?? "")),
        fee: tez(BigInt(fee ?? "")),
      });
    });
    await fc.assert(property, { numRuns: 50 });
  });

  for (const example of EXAMPLES) {
    it(`shows every field of ${example.name}, and the branch`, async () => {
      const described = describePayload(await payloadOf(example));
      expect(described.sections.map(({ title }) => title)).to.deep.equal(["operation (0x03)", example.operation.kind]);
      expect(fields(described).branch).to.equal(BRANCH);
      const { kind: _, tag: __, ...rest } = example.operation;
      const shown = described.sections.flatMap((section) => section.fields);
      for (const { value } of shown) expect(value).not.to.match(/\[object|undefined/);
      for (const [name, value] of Object.entries(rest)) {
        const label = name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
        const own = shown.filter((field) => field.label.startsWith(label));
        expect(own, label).not.to.deep.equal([]);
        if (typeof value === "string") expect(own.some((field) => field.value.includes(value))).to.equal(true);
      }
    });

    it(`shows each byte of ${example.name} that is another one, or says that there are fields which it does not show`, async () => {
      const payload = await payloadOf(example);
      const before = describePayload(payload);
      const unseen: number[] = [];
      for (let at = 1; at < payload.length; at += 1) {
        for (const bit of [1, 0x80]) {
          const other = Buffer.from(payload);
          other.writeUInt8(other.readUInt8(at) ^ bit, at);
          try {
            if (JSON.stringify(describePayload(other).sections) === JSON.stringify(before.sections)) unseen.push(at);
          } catch (error) {
            if (!(error instanceof PayloadError)) throw error;
          }
        }
      }
      if (before.summary.unread.fields === 0) expect(unseen).to.deep.equal([]);
      else expect(unseen).not.to.deep.equal([]);
    });
  }

  it("sums a batch up: kinds, destinations, fees", () => {
    const batch = operations(
      manager(110, { counter: 1n }, Buffer.from([0])),
      transaction({ counter: 2n, amount: 1_500_000n }),
      transaction({ counter: 3n, amount: 2n }),
    );
    const { sections, summary } = describePayload(batch);
    expect(sections.map(({ title }) => title)).to.deep.equal([
      "operation (0x03)",
      "1 of 3: delegation",
      "2 of 3: transaction",
      "3 of 3: transaction",
    ]);
    expect(summary).to.deep.include({
      kinds: "1 delegation, 2 transaction",
      source: SOURCE,
      destinations: [{ address: OTHER, mutez: "1500002" }],
      rest: { count: 0, mutez: "0" },
      costs: { fees: "0.003 tez", storage: "up to 900 bytes" },
    });
  });

  it("lets what is out of the ordinary stand out", () => {
    const out = (payload: Uint8Array, address = SOURCE) => describePayload(payload, address).summary.warnings;
    expect(out(transfer())).to.deep.equal([]);
    expect(out(transfer({ destination: KT1 }))).to.deep.equal(["1 of 1 pay a contract, which decides what follows."]);
    expect(out(transfer({ destination: KT1, entrypoint: named("mint") }))[0]).to.match(/^1 of 1 call an entrypoint/);
    expect(out(transfer({ parameters: string("x"), entrypoint: named("default") }))[0]).to.match(/^1 of 1 call an/);
    expect(out(transfer({ fee: 1_000_001n }))).to.deep.equal(["1 of 1 pay a fee above 1 tez."]);
    const reveal = {
      kind: "reveal",
      source: SOURCE,
      fee: 200_001n,
      counter: 1n,
      gasLimit: 0n,
      storageLimit: 0n,
    } as const;
    const key = "edpkuBknW28nW72KG6RoHtYW7p12T6GKc7nAbwYX5m8Wd9sDVC9yav";
    const batch = summarise(Array(5).fill({ ...reveal, publicKey: key, proof: undefined }), SOURCE);
    expect(batch.warnings).to.deep.equal(["The fees together are above 1 tez: 1.000005 tez."]);
    expect(out(transfer(), OTHER)).to.deep.equal(["The source is not the key that is asked."]);
    for (const [tag, ...rest] of [
      [110, Buffer.from([0])],
      [112, Buffer.from([0])],
    ] as const) {
      expect(out(operations(manager(tag, {}, ...rest)))[0]).to.match(/changes/);
    }
  });

  it("says of a rollup's messages how many go out, and of one that comes in that it is not read", async () => {
    const summaryOf = async (kind: string) => {
      const example = EXAMPLES.find(({ operation }) => operation.kind === kind);
      return describePayload(example === undefined ? new Uint8Array() : await payloadOf(example)).summary;
    };
    expect((await summaryOf("smart_rollup_add_messages")).warnings).to.deep.equal([
      "Messages to all rollups, which decide what follows: 2.",
    ]);
    const { effects, warnings } = await summaryOf("smart_rollup_execute_outbox_message");
    expect(effects.map(({ label }) => label)).to.deep.equal(["Rollup"]);
    expect(warnings[0]).to.match(/has a rollup's message done, which lies in its proof and is not read here/);
  });

  it("names a delegation to oneself as what it is", () => {
    const delegation = (to: string) => operations(manager(110, {}, Buffer.from([0xff]), publicKeyHash(to)));
    const own = `${SOURCE} to itself (registers as a baker)`;
    expect(fields(describePayload(delegation(SOURCE))).delegate).to.equal(own);
    expect(describePayload(delegation(SOURCE)).summary.effects).to.deep.equal([
      { label: "Delegate", value: "itself (registers as a baker)" },
    ]);
    expect(fields(describePayload(delegation(OTHER))).delegate).to.equal(OTHER);
  });

  it("shows the address of every public key, tz4's too, and of a new baking key beside the prompt as well", () => {
    for (const [tag, prefix, address, length] of [
      [0, "edpk", "tz1", 32],
      [1, "sppk", "tz2", 33],
      [2, "p2pk", "tz3", 33],
      [3, "BLpk", "tz4", 48],
    ] as const) {
      const bytes = new Uint8Array(length).fill(7);
      const key = Buffer.concat([Buffer.from([tag]), bytes, Buffer.from([0])]);
      const expected = encode(address, blake2b160(bytes));
      for (const [kind, label] of [
        [107, "Reveals"],
        [114, "Baker key"],
        [115, "Companion"],
      ] as const) {
        const described = describePayload(operations(manager(kind, {}, key)));
        expect(fields(described)).to.include({ "public key": encode(prefix, bytes), "public key's address": expected });
        expect(described.summary.effects).to.deep.equal([{ label, value: expected }]);
      }
    }
  });

  it("tells a baker's terms in words, in both forms of the pair", () => {
    const int = (value: bigint) => Buffer.concat([Buffer.from([0]), integer(value)]);
    const [limit, edge, unit] = [int(5_000_000n), int(125_000_000n), Buffer.from("030b", "hex")];
    const nested = Buffer.concat([Buffer.from([7, 7]), limit, Buffer.from([7, 7]), edge, unit]);
    const comb = Buffer.concat([Buffer.from([9, 7]), part(limit, edge, unit), part()]);
    for (const parameters of [nested, comb]) {
      const payload = transfer({ destination: SOURCE, entrypoint: named("set_delegate_parameters"), parameters });
      expect(fields(describePayload(payload))).to.include({
        limit: "others may stake up to 5 times the baker's own stake (5000000 millionths)",
        edge: "the baker keeps 12.5 % of their rewards (125000000 billionths)",
      });
    }
  });

  it("shows the text of a failing_noop beside its hex, and no text where there is none", () => {
    const noop = (bytes: Buffer) => describePayload(operations(Buffer.concat([Buffer.from([17]), part(bytes)])));
    const text = "Tezos Signed Message: Grüße";
    const hex = Buffer.from(text).toString("hex");
    expect(fields(noop(Buffer.from(text)))).to.include({ arbitrary: hex, "arbitrary as text": text });
    expect(noop(Buffer.from(text)).summary.effects).to.deep.equal([{ label: "Text", value: text }]);
    expect(fields(noop(Buffer.from("ff00", "hex")))).not.to.have.property("arbitrary as text");
  });

  it("shows packed data in hex, and beside it the text or the Michelson in it, as far as it is any", () => {
    const packed = (content: Uint8Array) => Buffer.concat([Buffer.from([5]), content]);
    const shown = (content: Uint8Array) => describePayload(packed(content));
    for (const content of [string("Grüße"), Buffer.from("030b", "hex"), Buffer.alloc(200, 0xab)]) {
      expect(fields(shown(content)).bytes).to.equal(packed(content).toString("hex"));
      expect(shown(content).summary).to.include({ kinds: "packed data (0x05)" });
      expect(shown(content).summary.warnings).to.have.length(1);
    }
    expect(fields(shown(string("Grüße"))).Text).to.equal("Grüße");
    expect(fields(shown(Buffer.from("030b", "hex"))).Michelson).to.equal("Unit");
    expect(Object.keys(fields(shown(Buffer.alloc(200, 0xab))))).to.deep.equal(["bytes"]);
  });

  it("refuses what nobody could read to its end, by its code, and takes a contract of 32 KiB", () => {
    const text = (length: number) => operations(Buffer.concat([Buffer.from([17]), part(Buffer.alloc(length, "a"))]));
    expect(describePayload(text(32_000)).sections).to.have.length(2);
    const transfers = (count: number) =>
      operations(...Array.from({ length: count }, (_, index) => transaction({ counter: BigInt(index) })));
    expect(describePayload(transfers(180)).sections).to.have.length(181);
    const tooLong = () => describePayload(transfers(400));
    expect(tooLong).to.throw(SignerError, "The request is too long for a person to read: it would be 4002 lines");
  });
});
