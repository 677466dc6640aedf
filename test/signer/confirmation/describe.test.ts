import { expect } from "chai";
import fc from "fast-check";
import { describe as inWords, micheline, tez } from "../../../signer/confirmation/describe.ts";
import type { Micheline } from "../../../signer/tezos/payload/micheline.ts";
import { type OperationRequest, type PackRequest, parsePayload } from "../../../signer/tezos/payload/payload.ts";
import { EXAMPLES, KT1, payloadOf, taquitoReads } from "../../fixtures/operation-examples.ts";
import { manager, named, OTHER, operations, SOURCE, transaction, transfer } from "../../fixtures/payloads.ts";

function words(payload: Uint8Array, address = SOURCE): readonly string[] {
  return inWords(parsePayload(payload) as OperationRequest | PackRequest, address, payload);
}

/** The lines, those that were folded joined again. */
function fields(lines: readonly string[]): Record<string, string> {
  const joined = lines.join("\n").replaceAll(/\n {6}/g, "");
  return Object.fromEntries([...joined.matchAll(/^ {2}([a-z ]+): ?(.*)$/gm)].map(([, name, value]) => [name, value]));
}

describe("a request in words", () => {
  it("shows what Taquito reads from the same bytes, for any transfer", async () => {
    const uint63 = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
    const numbers = fc.record({ amount: uint63, fee: uint63, counter: uint63, gasLimit: uint63, storageLimit: uint63 });
    const property = fc.asyncProperty(numbers, fc.constantFrom(OTHER, KT1), async (given, destination) => {
      const payload = transfer({ ...given, destination, entrypoint: named("mint") });
      const { contents } = (await taquitoReads(payload)) as { contents: Record<string, never>[] };
      const { kind, amount, fee, counter, gas_limit, storage_limit, parameters, ...rest } = contents[0] ?? {};
      const lines = words(payload);
      expect(lines[0]).to.equal(kind);
      const { "gas limit": gas, "storage limit": storage, parameters: shown, ...shownRest } = fields(lines);
      expect({ gas, storage }).to.deep.equal({ gas: gas_limit, storage: storage_limit });
      const { entrypoint, value } = parameters as unknown as { entrypoint: string; value: Micheline };
      expect(shown).to.equal(micheline(value));
      expect(shownRest).to.deep.equal({
        ...rest,
        counter,
        entrypoint,
        amount: tez(BigInt(amount ?? "")),
        fee: tez(BigInt(fee ?? "")),
      });
    });
    await fc.assert(property, { numRuns: 50 });
  });

  it("shows every amount with exact decimals", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), (mutez) => {
        const [whole = "", decimals = ""] = tez(mutez).replace(" tez", "").split(".");
        expect(BigInt(`${whole}${decimals.padEnd(6, "0")}`)).to.equal(mutez);
      }),
    );
    expect([1_500_000n, 1n, 0n, 1_000_000n].map(tez)).to.deep.equal(["1.5 tez", "0.000001 tez", "0 tez", "1 tez"]);
  });

  for (const example of EXAMPLES) {
    it(`shows every field of ${example.name}, within 80 columns and without control characters`, async () => {
      const lines = words(await payloadOf(example));
      expect(lines[0]).to.equal(example.operation.kind);
      for (const line of lines) {
        expect(line)
          .to.not.match(/\p{Cc}/u)
          .and.not.to.contain("[object");
        if (line.startsWith(" ")) expect(line.length, line).to.be.at.most(80);
      }
      const { kind: _, tag: __, ...rest } = example.operation;
      const joined = lines.join("\n").replaceAll(/\n {6}/g, "");
      for (const [name, value] of Object.entries(rest)) {
        const label = name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
        expect(joined).to.match(new RegExp(`^  ${label}:`, "m"));
        if (typeof value === "string" || typeof value === "number") expect(joined).to.contain(String(value));
      }
    });
  }

  it("writes Micheline as octez-client does", () => {
    const nested: Micheline = {
      prim: "Pair",
      args: [{ int: "-1" }, { prim: "Some", args: [{ bytes: "00ff" }] }, { prim: "None" }],
    };
    expect(micheline(nested)).to.equal("Pair -1 (Some 0x00ff) None");
    expect(micheline([{ prim: "DROP" }, { prim: "PUSH", args: [{ prim: "string" }, { string: 'a"\n' }] }])).to.equal(
      '{ DROP ; PUSH string "a\\"\\n" }',
    );
    expect(micheline([])).to.equal("{}");
  });

  it("tells a batch line by line, and at its end what it does as a whole", () => {
    const batch = operations(
      manager(110, { counter: 1n }, Buffer.from([0])),
      transaction({ counter: 2n, amount: 1_500_000n }),
      transaction({ counter: 3n, amount: 2n }),
    );
    const lines = words(batch);
    expect(lines.filter((line) => / of 3: /.test(line))).to.deep.equal([
      "1 of 3: delegation",
      "2 of 3: transaction",
      "3 of 3: transaction",
    ]);
    expect(lines.at(-1)).to.equal("In all: 1 delegation, 2 transaction; amounts of 1.500002 tez, fees of 0.003 tez");
  });

  it("lets what is out of the ordinary stand out", () => {
    const out = (payload: Uint8Array, address = SOURCE) => words(payload, address).filter((line) => line[0] === "!");
    expect(out(transfer())).to.deep.equal([]);
    expect(out(transfer({ destination: KT1 }))[0]).to.match(/^! The destination is a contract/);
    expect(out(transfer({ destination: KT1, entrypoint: named("mint") }))[0]).to.match(/calls the entrypoint mint/);
    expect(out(transfer({ fee: 1_000_001n }))).to.deep.equal(["! The fee is 1.000001 tez."]);
    expect(out(transfer(), OTHER)).to.deep.equal([`! The source is not ${OTHER}, the key that is asked.`]);
    expect(out(operations(manager(110, {}, Buffer.from([0]))))[0]).to.match(/changes who bakes/);
  });

  it("shows all bytes of packed data, and that nobody here read them", () => {
    const payload = Buffer.concat([Buffer.from([5, 1]), Buffer.alloc(200, 0xab)]);
    const lines = words(payload);
    expect(lines[1]).to.match(/^! This signer does not read it/);
    expect(fields(lines).bytes).to.equal(payload.toString("hex"));
  });
});
