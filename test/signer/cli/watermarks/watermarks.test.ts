import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { watermarksCommand } from "../../../../signer/cli/watermarks/index.ts";
import { encode } from "../../../../signer/tezos/crypto/base58.ts";
import { SqliteStore } from "../../../../signer/watermark/stores/sqlite.ts";
import { MAINNET, OTHER, SOURCE } from "../../../fixtures/payloads.ts";
import { BLOCK_KEY, digestOf, KEY, rowAt } from "../../../fixtures/watermark-rows.ts";
import { atTerminal, type Outcome } from "../../../harness/fake-terminal.ts";
import { GuardedSigner } from "../../../harness/guarded-signer.ts";

describe("watermarks commands", () => {
  let folder: string;
  let path: string;
  let config: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "watermarks-cli-"));
    path = join(folder, "watermarks.sqlite");
    config = join(folder, "settings.yaml");
    settings({});
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function settings(watermarks: object): void {
    const keys = { kind: "local", path: "keys" };
    writeFileSync(config, JSON.stringify({ keys, watermarks: { kind: "sqlite", path, ...watermarks } }));
  }

  function run(args: readonly string[], answers: Parameters<typeof atTerminal>[2] = null): Promise<Outcome> {
    return atTerminal(watermarksCommand, [...args, "--config", config], answers);
  }

  /** A store with these rows, closed. */
  async function stored(...rows: readonly [typeof KEY, ReturnType<typeof rowAt>][]): Promise<void> {
    const store = new SqliteStore(path);
    await store.establish("store-1");
    for (const [key, row] of rows) await store.insert(key, row);
    await store.close();
  }

  async function rowOf(key: typeof KEY) {
    const store = new SqliteStore(path);
    const found = await store.read(key);
    await store.close();
    return found?.row;
  }

  function file(name: string, content: unknown): string {
    const target = join(folder, name);
    writeFileSync(target, typeof content === "string" ? content : JSON.stringify(content));
    return target;
  }

  const mark = {
    chainId: MAINNET,
    publicKeyHash: SOURCE,
    kind: "attestation",
    level: 100,
    round: 0,
    digest: digestOf("aa"),
  };
  const interchange = (...watermarks: object[]) => ({ format: "tezos-signer-watermarks", version: 1, watermarks });

  describe("show, check and export", () => {
    it("show the store's id and each mark, without a terminal", async () => {
      await stored([KEY, rowAt(100)], [BLOCK_KEY, rowAt(90, { signature: digestOf("5f").repeat(2) })]);
      const { code, stdout } = await run(["show"]);
      expect(code).to.equal(0);
      expect(stdout).to.include("store-1").and.include(`${SOURCE} on ${MAINNET}`);
      expect(stdout).to.match(/attestation +level 100 round 0, by aaaaaaaaaaaaaaaa…/);
      expect(stdout).to.match(/block +level 90 round 0, .* signature kept/);
      expect(stdout).not.to.include("5f5f");
    });

    it("say that there is no store yet, and make none", async () => {
      const { code, stderr } = await run(["show"]);
      expect(code).to.equal(10);
      expect(stderr).to.include("watermarks init");
    });

    it("refuse a store with another id than the settings name", async () => {
      await stored();
      settings({ storeId: "another" });
      for (const command of ["show", "check", "export"]) expect((await run([command])).code).to.equal(7);
    });

    it("say so where the running signer has the file", async () => {
      await stored();
      // In this process the file's lock is this connection's, as it is another process's elsewhere.
      const signer = new SqliteStore(path);
      await signer.identity();
      const { code, stderr } = await run(["show"]);
      await signer.close();
      expect(code).to.equal(12);
      expect(stderr).to.match(/Stop it, run this\s+command, then start it again/);
    });

    it("find a mark that contradicts itself", async () => {
      await stored([KEY, rowAt(100, { signature: digestOf("5f").repeat(2) })]);
      const { code, stderr } = await run(["check"]);
      expect(code).to.equal(4);
      expect(stderr).to.include("keeps a signature, which only blocks do");
    });

    it("tell the size of a record that is whole", async () => {
      await stored([KEY, rowAt(100)]);
      expect((await run(["check"])).stdout).to.include("The store store-1 is whole: 1 marks.");
    });

    it("write a file that imports into an empty store as it was", async () => {
      const signature = digestOf("5f").repeat(2);
      await stored([KEY, rowAt(100)], [BLOCK_KEY, rowAt(90, { round: 2, signature })]);
      const out = join(folder, "marks.json");
      expect((await run(["export", "--out", out])).code).to.equal(0);
      for (const name of [path, `${path}.seen`]) rmSync(name);
      expect((await run(["import", out])).code).to.equal(0);
      expect(await rowOf(BLOCK_KEY)).to.include({ level: 90, round: 2, signature });
      expect(await rowOf(KEY)).to.include({ level: 100, round: 0, digest: digestOf("aa") });
      expect((await run(["export", "--out", out])).code, "an older file is never written over").to.equal(6);
    });
  });

  describe("import", () => {
    it("raises a mark and never lowers one", async () => {
      await stored([KEY, rowAt(100)]);
      await run(["import", file("a.json", interchange({ ...mark, level: 99 }))]);
      expect(await rowOf(KEY)).to.include({ level: 100 });
      const { stdout } = await run(["import", file("b.json", interchange({ ...mark, level: 100, round: 1 }))]);
      expect(stdout).to.include("is now at level 100 round 1");
      expect(await rowOf(KEY)).to.include({ level: 100, round: 1 });
    });

    it("lets nothing be signed at a position where both know other bytes", async () => {
      await stored([KEY, rowAt(100)]);
      await run(["import", file("a.json", interchange({ ...mark, digest: digestOf("bb") }))]);
      expect(await rowOf(KEY)).not.to.have.property("digest");
      const store = new SqliteStore(path);
      const signer = new GuardedSigner(store);
      expect(await signer.outcome({ level: 100 })).to.equal("position-already-signed");
      expect(await signer.outcome({ level: 101 })).to.match(/^[0-9a-f]{128}$/);
      await store.close();
    });

    it("lets the signer go on above what was imported, however far from where it was", async () => {
      await stored([KEY, rowAt(100)]);
      await run(["import", file("a.json", interchange({ ...mark, level: 9_000_000 }))]);
      const store = new SqliteStore(path);
      const signer = new GuardedSigner(store, { maxStep: 100 });
      expect(await signer.outcome({ level: 9_000_001 })).to.match(/^[0-9a-f]{128}$/);
      await store.close();
    });

    it("makes the store where there is none, with an id of its own and never the settings'", async () => {
      settings({ storeId: "ours-0001" });
      const refused = await run(["import", file("a.json", interchange(mark))]);
      expect(refused.code).to.equal(4);
      expect(refused.stderr).to.include("demand the watermark store ours-0001");
      settings({});
      expect((await run(["import", file("a.json", interchange(mark))])).code).to.equal(0);
      expect((await run(["show"])).stdout).to.match(/[0-9a-f]{8}-[0-9a-f]{4}-/);
    });

    for (const [what, content, message] of [
      ["no JSON", "{", "no JSON"],
      ["another format", { format: "x" }, "format"],
      ["a later version", { ...interchange(mark), version: 2 }, "version"],
      ["a negative level", interchange({ ...mark, level: -1 }), "watermarks.0.level"],
      ["a level above int32", interchange({ ...mark, level: 2 ** 31 }), "watermarks.0.level"],
      ["a digest that is cut short", interchange({ ...mark, digest: "aa" }), "watermarks.0.digest"],
      [
        "a mistyped address",
        interchange({ ...mark, publicKeyHash: `${SOURCE.slice(0, -1)}x` }),
        "bad.json cannot be used",
      ],
      ["an unknown field", interchange({ ...mark, rounds: 1 }), "rounds"],
      ["a vote's signature", interchange({ ...mark, signature: digestOf("5f").repeat(2) }), "only a block"],
      ["no mark at all", interchange(), "no mark"],
    ] as const) {
      it(`refuses ${what}, and writes nothing of the file`, async () => {
        await stored([KEY, rowAt(10)]);
        const good = file("good.json", interchange({ ...mark, level: 50 }));
        const { code, stderr } = await run([
          "import",
          ...(what === "no mark at all" ? [] : [good]),
          file("bad.json", content),
        ]);
        expect(code).to.equal(4);
        expect(stderr.replaceAll(/\s+/g, " ")).to.include(message);
        expect(await rowOf(KEY)).to.include({ level: 10 });
      });
    }
  });

  describe("take-over from other signers", () => {
    const payloadHash = encode("vh", Buffer.from(digestOf("aa"), "hex"));

    it("reads Signatory's files: plain and DAL attestations are one, at the higher of both", async () => {
      const target = file(`${MAINNET}.json`, {
        [SOURCE]: {
          block: { level: 90, round: 1, hash: payloadHash },
          attestation: { level: 100, round: 0, hash: payloadHash },
          attestation_with_dal: { level: 101, round: 2, hash: payloadHash },
        },
        [OTHER]: { preattestation: { level: 7, round: 0, hash: payloadHash } },
      });
      expect((await run(["import", "--from", "signatory", target])).code).to.equal(0);
      expect(await rowOf(BLOCK_KEY)).to.include({ level: 90, round: 1, digest: digestOf("aa") });
      expect(await rowOf(KEY)).to.include({ level: 101, round: 2 });
      expect(await rowOf({ ...KEY, address: OTHER, kind: "preattestation" })).to.include({ level: 7 });
    });

    it("lets nothing be signed where its two attestation marks disagree about a position", async () => {
      const target = file(`${MAINNET}.json`, {
        [SOURCE]: {
          attestation: { level: 100, round: 0, hash: payloadHash },
          attestation_with_dal: { level: 100, round: 0, hash: encode("vh", Buffer.from(digestOf("bb"), "hex")) },
        },
      });
      await run(["import", "--from", "signatory", target]);
      const row = await rowOf(KEY);
      expect(row).to.include({ level: 100 });
      expect(row).not.to.have.property("digest");
    });

    it("reads Signatory's DynamoDB table as `aws dynamodb scan` prints it", async () => {
      const item = (kind: string, digest: object) => ({
        idx: { S: `${MAINNET}/${SOURCE}` },
        request: { S: kind },
        lvl: { N: "100" },
        round: { N: "3" },
        digest,
      });
      const binary = { B: Buffer.from(digestOf("aa"), "hex").toString("base64") };
      const target = file("scan.json", {
        Items: [item("block", binary), item("attestation", { S: payloadHash })],
        Count: 2,
      });
      expect((await run(["import", "--from", "signatory-dynamodb", target])).code).to.equal(0);
      for (const key of [KEY, BLOCK_KEY]) {
        expect(await rowOf(key)).to.include({ level: 100, round: 3, digest: digestOf("aa") });
      }
    });

    it("reads octez-signer's files; a legacy mark without a round stands for its whole level", async () => {
      const blocks = file("block_high_watermarks", {
        [MAINNET]: { [SOURCE]: { level: 90, round: 1, hash: digestOf("aa") } },
      });
      const legacy = file("endorsement_high_watermarks", {
        [MAINNET]: { [SOURCE]: { level: 100, hash: digestOf("aa") } },
      });
      expect((await run(["import", "--from", "octez", blocks, legacy])).code).to.equal(0);
      expect(await rowOf(BLOCK_KEY)).to.include({ level: 90, round: 1, digest: digestOf("aa") });
      expect(await rowOf(KEY)).to.include({ level: 100, round: 2 ** 31 - 1 });
    });

    it("refuses files that are not the other signer's, by name or by form", async () => {
      for (const [from, name, content] of [
        ["octez", "marks.json", {}],
        ["octez", "block_high_watermarks", { [MAINNET]: { [SOURCE]: { round: 1 } } }],
        ["signatory", "marks.json", { [SOURCE]: { block: { level: 1, round: 0 } } }],
        ["signatory", `${MAINNET}.json`, { [SOURCE]: { blocks: { level: 1, round: 0 } } }],
        ["signatory-dynamodb", "scan.json", { Items: [{ lvl: { N: "x" } }] }],
      ] as const) {
        const { code, stderr } = await run(["import", "--from", from, file(name, content)]);
        expect(code, `${from} ${name}`).to.equal(4);
        expect(stderr).to.include("cannot be used");
      }
    });
  });

  describe("init and forget", () => {
    const place = ["--chain", MAINNET, "--pkh", SOURCE, "--level", "1000"];
    const answer = [[/last six characters/, SOURCE.slice(-6)]] as const;

    it("init makes the store and the three marks of a key, once its address was typed", async () => {
      const { code } = await run(["init", ...place], answer);
      expect(code).to.equal(0);
      for (const kind of ["block", "preattestation", "attestation"] as const) {
        expect(await rowOf({ ...KEY, kind })).to.include({ level: 999, round: 2 ** 31 - 1 });
      }
    });

    it("init leaves marks alone that are there", async () => {
      await stored([KEY, rowAt(5_000)]);
      const { stdout } = await run(["init", ...place], answer);
      expect(stdout).to.include("attestation of").and.include("stays as it is");
      expect(await rowOf(KEY)).to.include({ level: 5_000 });
    });

    it("forget lowers the marks that are there, once the address was typed", async () => {
      await stored([KEY, rowAt(5_000)]);
      const { code, stderr } = await run(["forget", ...place], answer);
      expect(code).to.equal(0);
      expect(stderr).to.include("WARNING").and.include("Restart every signer");
      expect(await rowOf(KEY)).to.include({ level: 999 });
      expect(await rowOf(BLOCK_KEY)).to.equal(undefined);
    });

    for (const command of ["init", "forget"]) {
      it(`${command} changes nothing after another answer, nor without a terminal`, async () => {
        await stored([KEY, rowAt(5_000)]);
        expect((await run([command, ...place], [[/last six/, "yes"]])).code).to.equal(3);
        expect((await run([command, ...place])).code).to.equal(2);
        expect(await rowOf(KEY)).to.include({ level: 5_000 });
        expect(await rowOf(BLOCK_KEY)).to.equal(undefined);
      });
    }

    it("refuse a mistyped chain or address, and a level below 1", async () => {
      for (const wrong of [
        ["--chain", "NetXdQprcVkpaWx", "--pkh", SOURCE, "--level", "5"],
        ["--chain", MAINNET, "--pkh", `${SOURCE.slice(0, -1)}x`, "--level", "5"],
        ["--chain", MAINNET, "--pkh", SOURCE, "--level", "0"],
      ]) {
        expect((await run(["init", ...wrong], answer)).code).to.equal(2);
      }
    });
  });

  it("name every field of the format in its schema file", async () => {
    const page = readFileSync(new URL("../../../../docs/reference/watermarks.schema.json", import.meta.url), "utf8");
    const { z } = await import("zod");
    const { interchangeSchema } = await import("../../../../signer/watermark/interchange/format.ts");
    expect(JSON.parse(page)).to.deep.equal(JSON.parse(JSON.stringify(z.toJSONSchema(interchangeSchema))));
  });
});
