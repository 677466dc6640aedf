import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { encode } from "../../signer/tezos/crypto/base58.ts";
import { blake2b256 } from "../../signer/tezos/crypto/digest.ts";
import { sign } from "../emulators/octez-client.ts";
import { startSignerProcess, temporaryFolder } from "../emulators/signer-process.ts";
import { attestation, block, hash, MAINNET, preattestation } from "../fixtures/payloads.ts";
import { ENTRY, finished } from "../harness/command-place.ts";
import { writeLocalKey } from "../harness/local-key.ts";

const root = resolve(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/coming-from.md"), "utf8");

const MAKE = { block, preattestation, attestation } as const;
type Kind = keyof typeof MAKE;
const KINDS = Object.keys(MAKE) as Kind[];
/** The last level that the old signer signed, and the chain's level at the import. */
const LAST = 9_123_455;
const HEAD = LAST + 1;

/** What an old signer signed, as its record has it. */
interface Mark {
  readonly kind: Kind;
  readonly level: number;
  readonly round: number;
  readonly digest: Uint8Array;
}

/** Stands in for an old signer: it takes what rises, keeps its record as the original does, and answers until it is stopped. */
class OldSigner {
  readonly #keep: (marks: readonly Mark[]) => void;
  readonly #marks = new Map<Kind, Mark>();
  #isStopped = false;

  /** @param keep writes the record anew */
  constructor(keep: (marks: readonly Mark[]) => void) {
    this.#keep = keep;
  }

  sign(kind: Kind, level: number, round: number): void {
    if (this.#isStopped) throw new Error("it is stopped");
    const digest = blake2b256(MAKE[kind]({ chainId: MAINNET, level, round }));
    this.#marks.set(kind, { kind, level, round, digest });
    this.#keep([...this.#marks.values()]);
  }

  stop(): void {
    this.#isStopped = true;
  }
}

/** Writers of records, after the code of the originals (docs/reference/interchange.md names the forms). */
const WRITERS: Readonly<Record<string, (folder: string, address: string) => (marks: readonly Mark[]) => void>> = {
  // pkg/signatory/watermark/file.go
  Signatory: (folder, address) => {
    mkdirSync(join(folder, "BASE_DIR/watermark_v2"), { recursive: true });
    return (marks) => {
      const kinds = marks.map(({ kind, level, round, digest }) => [kind, { level, round, hash: encode("vh", digest) }]);
      const file = join(folder, `BASE_DIR/watermark_v2/${MAINNET}.json`);
      writeFileSync(file, JSON.stringify({ [address]: Object.fromEntries(kinds) }, null, 4));
    };
  },
  // bin_signer/handler.ml
  "octez-signer": (folder, address) => {
    mkdirSync(join(folder, "BASE_DIR"));
    return (marks) => {
      for (const { kind, level, round, digest } of marks) {
        const mark = { level, round, hash: Buffer.from(digest).toString("hex"), signature: "sig" };
        writeFileSync(
          join(folder, `BASE_DIR/${kind}_high_watermarks`),
          JSON.stringify({ [MAINNET]: { [address]: mark } }),
        );
      }
    };
  },
  // tezos_signer/ddbchainratchet.py, by way of `aws dynamodb scan`
  tacoinfra: (folder, address) => (marks) => {
    const name = { block: "Baking", preattestation: "Preendorsement", attestation: "Endorsement" };
    const items = marks.map(({ kind, level, round }) => ({
      sig_type: { S: `${name[kind]}_${MAINNET}_${address}` },
      lastblock: { N: `${level}` },
      lastround: { N: `${round}` },
    }));
    const scan = { Items: items, Count: items.length, ScannedCount: items.length, ConsumedCapacity: null };
    writeFileSync(join(folder, "ratchet.json"), JSON.stringify(scan, null, 4));
  },
};

/** What each old signer was set up by, with free ports in place of its own. */
const ORIGINALS: Readonly<Record<string, { readonly from: string; readonly text: (address: string) => string }>> = {
  Signatory: {
    from: "signatory",
    text: (address) => `server: { address: "127.0.0.1:0", utility_address: "127.0.0.1:9583" }
vaults: { local: { driver: file, config: { file: /etc/signatory/secret.json } } }
tezos:
  ${address}: { allow: { block: , preattestation: , attestation: , attestation_with_dal: } }
`,
  },
  "octez-signer": {
    from: "octez-signer",
    text: () => "ExecStart=/usr/bin/octez-signer launch http signer -a 127.0.0.1 -p 0 -W -M 0x11,0x12,0x13\n",
  },
  tacoinfra: {
    from: "tacoinfra",
    text: (address) =>
      JSON.stringify({
        chain_ratchet: "dynamodb",
        ddb_table: "baking_table",
        aws_region: "eu-west-1",
        bind_port: 0,
        keys: { [address]: { signer: "local", public_key: "p2pk", private_key: "p2sk" } },
        policy: { baking: 1 },
      }),
  },
};

/** The lines of a section that a reader types on a computer of his own. */
function linesOf(section: string): string[] {
  const text = new RegExp(`^## ${section}\\n([\\s\\S]*?)(?=^## )`, "m").exec(page)?.[1] ?? "";
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, code = ""]) => code.trim().split("\n"));
  return blocks.filter((line) => line.startsWith("tezos-signer "));
}

describe("a newcomer who follows docs/coming-from.md", function () {
  this.timeout(120_000);

  for (const [section, writer] of Object.entries(WRITERS)) {
    it(`from ${section}: the next position is signed, and none that the old signer has signed`, async () => {
      await using folder = await temporaryFolder();
      const address = await writeLocalKey(join(folder.path, "keys"));
      const old = new OldSigner(writer(folder.path, address));
      for (const level of [LAST - 1, LAST]) for (const kind of KINDS) old.sign(kind, level, level === LAST ? 1 : 0);
      old.stop();

      mkdirSync(join(folder.path, "bin"));
      writeFileSync(join(folder.path, "bin/tezos-signer"), `#!/bin/sh\nexec ${process.execPath} ${ENTRY} "$@"\n`, {
        mode: 0o755,
      });
      const env = { ...process.env, PATH: `${join(folder.path, "bin")}:${process.env.PATH}` };
      const type = async (line: string) => {
        const { code, errors } = await finished(["bash", "-c", line], folder.path, { env });
        expect(code, errors).to.equal(0);
      };
      const { from, text } = ORIGINALS[section] ?? { from: "", text: () => "" };
      writeFileSync(join(folder.path, "original"), text(address));
      await type(`tezos-signer settings convert --from ${from} original --out settings.yaml`);
      // By hand: where the record is on this computer, and an admin port that nobody has.
      const settings = readFileSync(join(folder.path, "settings.yaml"), "utf8");
      const adapted = settings.replace(/\/var\/lib\/tezos-signer\//, "").replace("port: 9583", "port: 0");
      writeFileSync(join(folder.path, "settings.yaml"), adapted);
      const lines = linesOf(section);
      expect(lines).to.have.length(1);
      for (const line of lines) await type(line.replaceAll(/\bLEVEL\b/g, `${HEAD}`));
      await using signer = await startSignerProcess(folder.path, ["--config", "settings.yaml"]);
      const ask = async (kind: Kind, level: number, round: number, payloadHash?: Uint8Array) => {
        const fields = { chainId: MAINNET, level, round, ...(payloadHash && { payloadHash }) };
        const { status } = await sign(signer.url, address, MAKE[kind](fields).toString("hex"));
        return status;
      };
      for (const kind of KINDS) {
        for (const [level, round] of [
          [LAST - 1, 0],
          [LAST, 0],
          [LAST, 1],
        ] as const) {
          expect(await ask(kind, level, round, hash(9)), `${kind} ${level}/${round}, other bytes`).to.equal(409);
        }
        // A vote's very bytes may be signed again where the record has their digest: it is the same vote.
        const mayRepeat = kind !== "block" && section !== "tacoinfra";
        expect(await ask(kind, LAST, 1), `${kind}, the same bytes`).to.equal(mayRepeat ? 200 : 409);
        expect(await ask(kind, HEAD, 0), `${kind}, the next`).to.equal(200);
        expect(await ask(kind, HEAD, 0, hash(9)), `${kind}, other bytes at the next`).to.equal(409);
      }
      expect(() => old.sign("block", HEAD, 0)).to.throw("it is stopped");
    });
  }
});
