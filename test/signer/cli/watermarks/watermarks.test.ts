import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { encode } from "../../../../signer/tezos/crypto/base58.ts";
import { SqliteStore } from "../../../../signer/watermark/stores/sqlite.ts";
import { MAINNET, OTHER, SOURCE } from "../../../fixtures/payloads.ts";
import { BLOCK_KEY, digestOf, KEY, rowAt } from "../../../fixtures/watermark-rows.ts";
import { GuardedSigner } from "../../../harness/guarded-signer.ts";
import { interchange, MARK, WatermarkCommands } from "../../../harness/watermark-commands.ts";

describe("watermarks commands", () => {
  let commands: WatermarkCommands;
  beforeEach(() => {
    commands = new WatermarkCommands();
  });
  afterEach(() => commands[Symbol.dispose]());

  describe("show, check and export", () => {
    it("show the store's id and each mark, without a terminal", async () => {
      await commands.stored([KEY, rowAt(100)], [BLOCK_KEY, rowAt(90, { signature: digestOf("5f").repeat(2) })]);
      const { code, stdout } = await commands.run(["show"]);
      expect(code).to.equal(0);
      expect(stdout).to.include("store-1").and.include(`${SOURCE} on ${MAINNET}`);
      expect(stdout).to.match(/attestation +level 100 round 0, by aaaaaaaaaaaaaaaa…/);
      expect(stdout).to.match(/block +level 90 round 0, .* signature kept/);
      expect(stdout).not.to.include("5f5f");
    });

    it("say it as JSON, of each mark all that is public, and check is silent with --quiet", async () => {
      await commands.stored([KEY, rowAt(100)], [BLOCK_KEY, rowAt(90, { signature: digestOf("5f").repeat(2) })]);
      const shown = await commands.run(["show", "--json"]);
      const { store, marks } = JSON.parse(shown.stdout);
      expect(store).to.equal("store-1");
      expect(marks).to.have.length(2);
      expect(marks[0]).to.include({ address: SOURCE, chain: MAINNET, kind: "attestation", level: 100, round: 0 });
      expect(marks[0].highestLevelNow).to.be.greaterThan(100);
      expect(marks[1]).to.include({ kind: "block", signatureKept: true });
      expect(shown.stdout).not.to.include("5f5f");
      expect(JSON.parse((await commands.run(["check", "--json"])).stdout)).to.deep.equal({
        store: "store-1",
        marks: 2,
      });
      expect(await commands.run(["check", "--quiet"])).to.deep.equal({ code: 0, stdout: "", stderr: "" });
    });

    it("name the chain beside its id, and take it by its name", async () => {
      await commands.stored([KEY, rowAt(100)]);
      expect((await commands.run(["show"])).stdout).to.include(`${SOURCE} on ${MAINNET} (mainnet)\n`);
      const floor = ["--pkh", SOURCE, "--level", "500"];
      const answers: Parameters<typeof commands.run>[1] = [[/characters of the address: /, SOURCE.slice(-6)]];
      const made = await commands.run(["init", "--chain", "ghostnet", ...floor], answers);
      expect(made.code, made.stderr).to.equal(0);
      expect((await commands.run(["show"])).stdout).to.include(`${SOURCE} on NetXnHfVqm9iesp (ghostnet)\n`);
      const { code, stderr } = await commands.run(["init", "--chain", "mainet", ...floor]);
      expect(code).to.equal(2);
      expect(stderr.replaceAll(/\s+/g, " ")).to.include("or its name: mainnet, ghostnet, shadownet.");
    });

    it("say that there is no store yet, and make none", async () => {
      const { code, stderr } = await commands.run(["show"]);
      expect(code).to.equal(10);
      const said = stderr.replaceAll(/\s+/g, " ");
      expect(said).to.include(`no watermark store at ${commands.path}.`).and.include("watermarks init");
      expect(said.indexOf("watermarks import"), "a key that has signed comes first").to.be.below(said.indexOf("init"));
    });

    it("refuse a store with another id than the settings name", async () => {
      await commands.stored();
      commands.settings({ storeId: "another" });
      for (const command of ["show", "check", "export"]) expect((await commands.run([command])).code).to.equal(7);
    });

    it("say so where the running signer has the file", async () => {
      await commands.stored();
      // In this process the file's lock is this connection's, as it is another process's elsewhere.
      const signer = new SqliteStore(commands.path);
      await signer.identity();
      const { code, stderr } = await commands.run(["show"]);
      await signer.close();
      expect(code).to.equal(12);
      expect(stderr).to.match(/It\s+is\s+mostly\s+the\s+signer\s+itself:\s+stop\s+it/);
    });

    it("find a mark that contradicts itself", async () => {
      await commands.stored([KEY, rowAt(100, { signature: digestOf("5f").repeat(2) })]);
      const { code, stderr } = await commands.run(["check"]);
      expect(code).to.equal(4);
      expect(stderr).to.include("keeps a signature, which only blocks do");
    });

    it("say so where an export is longer than Azure's run command shows, and only then", async () => {
      const chains = ["NetXnHfVqm9iesp", "NetXsqzbfFenSTS", MAINNET];
      const keys = chains.flatMap((chainId) => [KEY, BLOCK_KEY].map((key) => ({ ...key, chainId })));
      const addresses = [SOURCE, OTHER, "tz3fYtKV7WUDpZHjphnM2ARKEJrE3RkzCVRT"];
      const all = keys.flatMap((key) => addresses.map((address) => ({ ...key, address })));
      await commands.stored(...all.map((key) => [key, rowAt(100)] as [typeof key, ReturnType<typeof rowAt>]));
      const told = /They are \d+ bytes\. Azure's run command/;
      expect((await commands.run(["export"])).stderr).to.match(told);
      const out = ["--out", join(commands.folder, "marks.json")];
      expect((await commands.run(["export", ...out])).stderr).not.to.match(told);
      for (const name of [commands.path, `${commands.path}.seen`]) rmSync(name);
      await commands.stored([KEY, rowAt(100)]);
      expect((await commands.run(["export"])).stderr).not.to.match(told);
    });

    it("tell the size of a record that is whole", async () => {
      await commands.stored([KEY, rowAt(100)]);
      expect((await commands.run(["check"])).stdout).to.include("The store store-1 is whole: 1 marks.");
    });

    it("write a file that imports into an empty store as it was", async () => {
      const signature = digestOf("5f").repeat(2);
      await commands.stored([KEY, rowAt(100)], [BLOCK_KEY, rowAt(90, { round: 2, signature })]);
      const out = join(commands.folder, "marks.json");
      expect((await commands.run(["export", "--out", out])).code).to.equal(0);
      for (const name of [commands.path, `${commands.path}.seen`]) rmSync(name);
      expect((await commands.run(["import", out])).code).to.equal(0);
      expect(await commands.rowOf(BLOCK_KEY)).to.include({ level: 90, round: 2, signature });
      expect(await commands.rowOf(KEY)).to.include({ level: 100, round: 0, digest: digestOf("aa") });
      expect((await commands.run(["export", "--out", out])).code, "an older file is never written over").to.equal(6);
    });
  });

  describe("import", () => {
    it("raises a mark and never lowers one", async () => {
      await commands.stored([KEY, rowAt(100)]);
      await commands.run(["import", commands.file("a.json", interchange([{ ...MARK, level: 99 }]))]);
      expect(await commands.rowOf(KEY)).to.include({ level: 100 });
      const { stdout } = await commands.run([
        "import",
        commands.file("b.json", interchange([{ ...MARK, level: 100, round: 1 }])),
      ]);
      expect(stdout).to.include("is now at level 100 round 1");
      expect(await commands.rowOf(KEY)).to.include({ level: 100, round: 1 });
    });

    it("lets nothing be signed at a position where both know other bytes", async () => {
      await commands.stored([KEY, rowAt(100)]);
      await commands.run(["import", commands.file("a.json", interchange([{ ...MARK, digest: digestOf("bb") }]))]);
      expect(await commands.rowOf(KEY)).not.to.have.property("digest");
      const store = new SqliteStore(commands.path);
      const signer = new GuardedSigner(store);
      expect(await signer.outcome({ level: 100 })).to.equal("position-already-signed");
      expect(await signer.outcome({ level: 101 })).to.match(/^[0-9a-f]{128}$/);
      await store.close();
    });

    it("lets the signer go on above what was imported, however far from where it was", async () => {
      await commands.stored([KEY, rowAt(100)]);
      await commands.run(["import", commands.file("a.json", interchange([{ ...MARK, level: 9_000_000 }]))]);
      const store = new SqliteStore(commands.path);
      const signer = new GuardedSigner(store, { maxStep: 100 });
      expect(await signer.outcome({ level: 9_000_001 })).to.match(/^[0-9a-f]{128}$/);
      await store.close();
    });

    it("makes the store where there is none, with an id of its own and never the settings'", async () => {
      commands.settings({ storeId: "ours-0001" });
      const refused = await commands.run(["import", commands.file("a.json", interchange([MARK]))]);
      expect(refused.code).to.equal(4);
      expect(refused.stderr).to.include("demand the watermark store ours-0001");
      commands.settings({});
      expect((await commands.run(["import", commands.file("a.json", interchange([MARK]))])).code).to.equal(0);
      expect((await commands.run(["show"])).stdout).to.match(/[0-9a-f]{8}-[0-9a-f]{4}-/);
    });

    for (const [what, content, message] of [
      ["no JSON", "{", "). Where another signer wrote it"],
      ["another format", { format: "x" }, "format"],
      ["a later version", { ...interchange([MARK]), version: 2 }, "version"],
      ["a negative level", interchange([{ ...MARK, level: -1 }]), "watermarks.0.level"],
      ["a level above int32", interchange([{ ...MARK, level: 2 ** 31 }]), "watermarks.0.level"],
      ["a digest that is cut short", interchange([{ ...MARK, digest: "aa" }]), "watermarks.0.digest"],
      [
        "a mistyped address",
        interchange([{ ...MARK, publicKeyHash: `${SOURCE.slice(0, -1)}x` }]),
        "bad.json cannot be used",
      ],
      ["an unknown field", interchange([{ ...MARK, rounds: 1 }]), "rounds"],
      ["a vote's signature", interchange([{ ...MARK, signature: digestOf("5f").repeat(2) }]), "only a block"],
      ["no mark at all", interchange([]), "no mark"],
    ] as const) {
      it(`refuses ${what}, and writes nothing of the file`, async () => {
        await commands.stored([KEY, rowAt(10)]);
        const good = commands.file("good.json", interchange([{ ...MARK, level: 50 }]));
        const { code, stderr } = await commands.run([
          "import",
          ...(what === "no mark at all" ? [] : [good]),
          commands.file("bad.json", content),
        ]);
        expect(code).to.equal(4);
        expect(stderr.replaceAll(/\s+/g, " ")).to.include(message);
        expect(await commands.rowOf(KEY)).to.include({ level: 10 });
      });
    }
  });

  describe("take-over from other signers", () => {
    const payloadHash = encode("vh", Buffer.from(digestOf("aa"), "hex"));

    it("reads Signatory's files: plain and DAL attestations are one, at the higher of both", async () => {
      const target = commands.file(`${MAINNET}.json`, {
        [SOURCE]: {
          block: { level: 90, round: 1, hash: payloadHash },
          attestation: { level: 100, round: 0, hash: payloadHash },
          attestation_with_dal: { level: 101, round: 2, hash: payloadHash },
        },
        [OTHER]: { preattestation: { level: 7, round: 0, hash: payloadHash } },
      });
      expect((await commands.run(["import", "--from", "signatory", target])).code).to.equal(0);
      // Its round is the payload's, which may lie below the fitness round.
      expect(await commands.rowOf(BLOCK_KEY)).to.include({ level: 90, round: 2 ** 31 - 1 });
      expect(await commands.rowOf(KEY)).to.include({ level: 101, round: 2 });
      expect(await commands.rowOf({ ...KEY, address: OTHER, kind: "preattestation" })).to.include({ level: 7 });
    });

    it("lets nothing be signed where its two attestation marks disagree about a position", async () => {
      const target = commands.file(`${MAINNET}.json`, {
        [SOURCE]: {
          attestation: { level: 100, round: 0, hash: payloadHash },
          attestation_with_dal: { level: 100, round: 0, hash: encode("vh", Buffer.from(digestOf("bb"), "hex")) },
        },
      });
      await commands.run(["import", "--from", "signatory", target]);
      const row = await commands.rowOf(KEY);
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
      const target = commands.file("scan.json", {
        Items: [item("block", binary), item("attestation", { S: payloadHash })],
        Count: 2,
      });
      expect((await commands.run(["import", "--from", "signatory-dynamodb", target])).code).to.equal(0);
      expect(await commands.rowOf(KEY)).to.include({ level: 100, round: 3, digest: digestOf("aa") });
      expect(await commands.rowOf(BLOCK_KEY)).to.include({ level: 100, round: 2 ** 31 - 1 });
    });

    it("leaves open which bytes a block had whose signature is not known, since they may have one", async () => {
      const block = { ...MARK, kind: "block", digest: digestOf("aa") };
      expect((await commands.run(["import", commands.file("a.json", interchange([block]))])).code).to.equal(0);
      expect(await commands.rowOf(BLOCK_KEY)).not.to.have.property("digest");
      await commands.open(async (store) => {
        const signer = new GuardedSigner(store, { maxStep: 100 });
        expect(await signer.outcome({ kind: "block", level: MARK.level })).to.equal("position-already-signed");
        expect(await signer.outcome({ kind: "block", level: MARK.level + 1 })).to.match(/^[0-9a-f]{128}$/);
      });
    });

    it("reads octez-signer's files; a legacy mark without a round stands for its whole level", async () => {
      const blocks = commands.file("block_high_watermarks", {
        [MAINNET]: { [SOURCE]: { level: 90, round: 1, hash: digestOf("aa") } },
      });
      const legacy = commands.file("endorsement_high_watermarks", {
        [MAINNET]: { [SOURCE]: { level: 100, hash: digestOf("aa") } },
      });
      expect((await commands.run(["import", "--from", "octez", blocks, legacy])).code).to.equal(0);
      expect(await commands.rowOf(BLOCK_KEY)).to.include({ level: 90, round: 1 });
      expect(await commands.rowOf(KEY)).to.include({ level: 100, round: 2 ** 31 - 1 });
    });

    it("refuses files that are not the other signer's, by name or by form", async () => {
      for (const [from, name, content] of [
        ["octez", "marks.json", {}],
        ["octez", "block_high_watermarks", { [MAINNET]: { [SOURCE]: { round: 1 } } }],
        ["signatory", "marks.json", { [SOURCE]: { block: { level: 1, round: 0 } } }],
        ["signatory", `${MAINNET}.json`, { [SOURCE]: { blocks: { level: 1, round: 0 } } }],
        ["signatory-dynamodb", "scan.json", { Items: [{ lvl: { N: "x" } }] }],
      ] as const) {
        const { code, stderr } = await commands.run(["import", "--from", from, commands.file(name, content)]);
        expect(code, `${from} ${name}`).to.equal(4);
        expect(stderr).to.include("cannot be used");
      }
    });
  });

  describe("init and forget", () => {
    const place = ["--chain", MAINNET, "--pkh", SOURCE, "--level", "1000"];
    const answer = [[/last six characters/, SOURCE.slice(-6)]] as const;

    it("init makes the store and the three marks of a key, once its address was typed", async () => {
      const { code } = await commands.run(["init", ...place], answer);
      expect(code).to.equal(0);
      for (const kind of ["block", "preattestation", "attestation"] as const) {
        expect(await commands.rowOf({ ...KEY, kind })).to.include({ level: 999, round: 2 ** 31 - 1 });
      }
    });

    it("init raises a mark that is below the level, as a floor is safe wherever it stands", async () => {
      await commands.stored([KEY, rowAt(500)]);
      const { stdout } = await commands.run(["init", ...place], answer);
      expect(stdout).to.include("starts at level 1000 (it was at level 500 round 0");
      expect(await commands.rowOf(KEY)).to.include({ level: 999, round: 2 ** 31 - 1 });
    });

    it("init leaves marks alone that are there and higher", async () => {
      await commands.stored([KEY, rowAt(5_000)]);
      const { stdout } = await commands.run(["init", ...place], answer);
      expect(stdout).to.include("attestation of").and.include("stays as it is");
      expect(await commands.rowOf(KEY)).to.include({ level: 5_000 });
    });

    it("forget lowers the marks that are there, once the address was typed", async () => {
      await commands.stored([KEY, rowAt(5_000)]);
      const { code, stderr } = await commands.run(["forget", ...place], answer);
      expect(code).to.equal(0);
      expect(stderr).to.include("WARNING").and.include("Restart every signer");
      expect(await commands.rowOf(KEY)).to.include({ level: 999 });
      expect(await commands.rowOf(BLOCK_KEY)).to.equal(undefined);
    });

    for (const command of ["init", "forget"]) {
      it(`${command} changes nothing after another answer, nor without a terminal`, async () => {
        await commands.stored([KEY, rowAt(5_000)]);
        expect((await commands.run([command, ...place], [[/last six/, "yes"]])).code).to.equal(3);
        expect((await commands.run([command, ...place])).code).to.equal(2);
        expect(await commands.rowOf(KEY)).to.include({ level: 5_000 });
        expect(await commands.rowOf(BLOCK_KEY)).to.equal(undefined);
      });
    }

    it("wait for the store from each call on, however long a person has taken to answer", async () => {
      const { timeout } = AbortSignal;
      let [deadlines, before] = [0, 0];
      AbortSignal.timeout = (milliseconds) => {
        deadlines += 1;
        return timeout.call(AbortSignal, milliseconds);
      };
      const typed = () => {
        before = deadlines;
        return SOURCE.slice(-6);
      };
      try {
        expect((await commands.run(["init", ...place], [[/last six characters/, typed]])).code).to.equal(0);
      } finally {
        AbortSignal.timeout = timeout;
      }
      expect(deadlines - before, "the identity, the store, and each of three rows twice").to.be.at.least(8);
    });

    it("refuse a mistyped chain or address, and a level below 1", async () => {
      for (const wrong of [
        ["--chain", "NetXdQprcVkpaWx", "--pkh", SOURCE, "--level", "5"],
        ["--chain", MAINNET, "--pkh", `${SOURCE.slice(0, -1)}x`, "--level", "5"],
        ["--chain", MAINNET, "--pkh", SOURCE, "--level", "0"],
      ]) {
        expect((await commands.run(["init", ...wrong], answer)).code).to.equal(2);
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
