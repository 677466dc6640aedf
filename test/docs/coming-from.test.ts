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
      const settings = {
        listen: { port: 0 },
        admin: { port: 0 },
        keys: { kind: "local", path: "keys" },
        watermarks: { kind: "sqlite", path: "watermarks.sqlite" },
        policy: { default: { allow: KINDS, chains: [MAINNET] } },
      };
      writeFileSync(join(folder.path, "settings.yaml"), JSON.stringify(settings));
      const old = new OldSigner(writer(folder.path, address));
      for (const level of [LAST - 1, LAST]) for (const kind of KINDS) old.sign(kind, level, level === LAST ? 1 : 0);
      old.stop();

      mkdirSync(join(folder.path, "bin"));
      writeFileSync(join(folder.path, "bin/tezos-signer"), `#!/bin/sh\nexec ${process.execPath} ${ENTRY} "$@"\n`, {
        mode: 0o755,
      });
      const env = { ...process.env, PATH: `${join(folder.path, "bin")}:${process.env.PATH}` };
      const lines = linesOf(section);
      expect(lines).to.have.length(1);
      for (const line of lines) {
        const typed = line.replaceAll(/\bLEVEL\b/g, `${HEAD}`);
        const { code, errors } = await finished(["bash", "-c", typed], folder.path, { env });
        expect(code, errors).to.equal(0);
      }
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
