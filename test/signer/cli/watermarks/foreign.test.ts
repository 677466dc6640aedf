import { existsSync } from "node:fs";
import { expect } from "chai";
import { encode } from "../../../../signer/tezos/crypto/base58.ts";
import { blake2b256 } from "../../../../signer/tezos/crypto/digest.ts";
import { HIGHEST_ROUND } from "../../../../signer/watermark/decision.ts";
import type { Row, RowKey } from "../../../../signer/watermark/stores/store.ts";
import { attestation, MAINNET, OTHER, SOURCE, transfer } from "../../../fixtures/payloads.ts";
import { vectors } from "../../../fixtures/vectors.ts";
import { BLOCK_KEY, digestOf, KEY, rowAt } from "../../../fixtures/watermark-rows.ts";
import { WatermarkCommands } from "../../../harness/watermark-commands.ts";

/**
 * Records of the signers that this one replaces. Each is made by hand after its writer's own code, which is named beside it.
 * @module
 */

const HEAD = ["--head", "20000"];
const PLACE = ["--chain", MAINNET, "--pkh", SOURCE];
const HASH = encode("vh", Buffer.from(digestOf("aa"), "hex"));
const PREATTESTATION_KEY = { ...KEY, kind: "preattestation" } as const;
const UNKNOWN = { round: HIGHEST_ROUND };

/** Marks, each with what its row must include. */
type Expected = readonly (readonly [RowKey, object])[];
const said = (text: string) => text.replaceAll(/\s+/g, " ");

const scan = (...items: object[]) => ({ Items: items, Count: items.length, ScannedCount: items.length });
const cosmos = (itemtype: string, blocklevel: number, name = "itemtype") => ({
  id: `${itemtype}${blocklevel}`,
  [name]: itemtype,
  blocklevel,
  baker: "signer_0",
  sig: "p2sig",
});
const ratchet = (type: string, level: number, round: number) => ({
  sig_type: { S: `${type}_${MAINNET}_${SOURCE}` },
  lastblock: { N: String(level) },
  lastround: { N: String(round) },
});
const firestore = (kind: string, level: string, digest: object) => ({
  name: `projects/p/databases/d/documents/watermark/${MAINNET}/${kind}/${SOURCE}`,
  fields: {
    request: { stringValue: kind },
    lvl: { integerValue: level },
    round: { integerValue: "2" },
    digest,
  },
  createTime: "2026-11-01T00:00:00.000000Z",
  updateTime: "2026-11-20T16:00:00.000000Z",
});
/** A digest of theirs in Firestore: what its Go package makes of an array of 32 bytes. */
const BYTES = { arrayValue: { values: Array(32).fill({ integerValue: "170" }) } };
const FAILED = { code: 9, message: "The query requires an index.", status: "FAILED_PRECONDITION" };
const vote = attestation({ chainId: MAINNET, level: 100, round: 3 });

/** A whole config.yaml of Tezio's (prof-groff/tezio@bc67eef6 signer/config.yaml), with the marks of an evening. */
const TEZIO = `security: { remote_ip_check: True, auth_check: True, signing_policy_check: True, high_water_mark_check: True }
verbose: False # Print URL and any data received with request and high water mark data
high_water_marks: # enter starting high water marks for level and round for each baking operation
    level:
        0x11: 90
        0x12: 100
        0x13: 101
    round:
        0x11: 1
        0x12: 0
        0x13: 2
allowed_ips:
    ["127.0.0.1"]
policy:
    signing_keys:
        "tz1MPxCXbc1mNHSDA9fXXRTTdVY1r1yDkjn7": { curve_alias: 1, allowed_ops: [0x03] }
        "${OTHER}": { curve_alias: 2, allowed_ops: [0x03] }
        "${SOURCE}": { curve_alias: 3, allowed_ops: [0x03, 0x11, 0x12, 0x13] }
    auth_key: { pkh: "tz3RunZg4JQw5Hiy7mDpPCTgVpiCXkP9JMT6", curve_alias: 0 }
`;

/** Where a level stands in each form, and where a kind. */
const LEVEL = /("(?:level|blocklevel|N|integerValue)":"?)\d+/;
const KIND = /(?<=["/])(?:block|attestation|preattestation|Baking|Endorsement|endorse)(?=["/_])/;

const RECORDS: readonly {
  readonly what: string;
  readonly source: string;
  readonly from: string;
  readonly file?: string;
  readonly content: unknown;
  readonly args?: readonly string[];
  readonly marks: Expected;
}[] = [
  {
    what: "Signatory's watermark_v2, where migrated marks have no hash",
    source: "ecadlabs/signatory@1199064c pkg/signatory/watermark/file.go; gotez Option is null where there is none",
    from: "signatory",
    file: `${MAINNET}.json`,
    content: {
      [SOURCE]: {
        block: { level: 90, round: 0, hash: HASH },
        endorsement: { level: 99, round: 0, hash: null },
        attestation: { level: 100, round: 1, hash: HASH },
      },
    },
    marks: [
      [BLOCK_KEY, { level: 90, ...UNKNOWN }],
      [KEY, { level: 100, round: 1, digest: digestOf("aa") }],
    ],
  },
  {
    what: "Signatory's watermark_v1: one mark of a key stands for its three kinds",
    source: "ecadlabs/signatory@1199064c pkg/signatory/watermark/migration.go, tryV1",
    from: "signatory",
    file: `${MAINNET}.json`,
    content: { [SOURCE]: { level: 100, round: 2, order: 2, hash: HASH } },
    marks: [
      [BLOCK_KEY, { level: 100, ...UNKNOWN }],
      [PREATTESTATION_KEY, { level: 100, round: 2 }],
      [KEY, { level: 100, round: 2, digest: digestOf("aa") }],
    ],
  },
  {
    what: "Signatory's watermark (v0): by kind, then by key, in the names of then",
    source: "ecadlabs/signatory@1199064c pkg/signatory/watermark/migration.go, tryV0",
    from: "signatory",
    file: `${MAINNET}.json`,
    content: {
      block: { [SOURCE]: { level: 90, round: 0 } },
      preendorsement: { [SOURCE]: { level: 91, round: 0, hash: HASH } },
      endorsement: { [SOURCE]: { level: 92, round: 4, hash: HASH } },
    },
    marks: [
      [BLOCK_KEY, { level: 90, ...UNKNOWN }],
      [PREATTESTATION_KEY, { level: 91, round: 0, digest: digestOf("aa") }],
      [KEY, { level: 92, round: 4, digest: digestOf("aa") }],
    ],
  },
  {
    what: "Signatory's documents in Firestore, as a query answers",
    source:
      "ecadlabs/signatory@1199064c pkg/signatory/watermark/gcp.go; cloud.google.com/go/firestore to_value.go; google.firestore.v1 RunQueryResponse",
    from: "signatory-firestore",
    content: [
      {
        document: firestore("attestation", "100", BYTES),
        readTime: "2026-11-20T16:00:00.000000Z",
      },
      { document: firestore("attestation_with_dal", "101", BYTES) },
      { document: firestore("block", "90", BYTES) },
      { readTime: "2026-11-20T16:00:00.000000Z" },
    ],
    marks: [
      [KEY, { level: 101, round: 2, digest: digestOf("aa") }],
      [BLOCK_KEY, { level: 90, ...UNKNOWN }],
    ],
  },
  {
    what: "Signatory's documents in Firestore, as a listing has them, with a digest of a form that is not known",
    source: "google.firestore.v1 ListDocumentsResponse",
    from: "signatory-firestore",
    content: { documents: [firestore("preattestation", "7", { mapValue: {} })] },
    marks: [[PREATTESTATION_KEY, { level: 7, round: 2 }]],
  },
  {
    what: "tacoinfra's table in DynamoDB",
    source: "tacoinfra/remote-signer@d957f5b8 tezos_signer/ddbchainratchet.py and validatesigner.py",
    from: "tacoinfra",
    content: scan(ratchet("Baking", 90, 1), ratchet("Preendorsement", 100, 0), ratchet("Endorsement", 100, 2)),
    marks: [
      [BLOCK_KEY, { level: 90, round: 1 }],
      [PREATTESTATION_KEY, { level: 100, round: 0 }],
      [KEY, { level: 100, round: 2 }],
    ],
  },
  {
    what: "tacoinfra's table of an older version, whose key is `type` and which keeps no round",
    source: "tacoinfra/remote-signer@d957f5b8 README.md, DDBChainRatchet",
    from: "tacoinfra",
    content: scan({ type: { S: `Endorsement_${MAINNET}_${SOURCE}` }, lastblock: { N: "100" } }),
    marks: [[KEY, { level: 100, ...UNKNOWN }]],
  },
  {
    what: "tezzigator's collection: the highest level of each kind",
    source: "tezzigator's remote_signer.py with Cosmos DB (CreateItem, itemtype)",
    from: "tezzigator",
    args: PLACE,
    content: [cosmos("block", 89), cosmos("block", 90), cosmos("endorse", 100), cosmos("endorse", 12)],
    marks: [
      [BLOCK_KEY, { level: 90, ...UNKNOWN }],
      [PREATTESTATION_KEY, { level: 100, ...UNKNOWN }],
      [KEY, { level: 100, ...UNKNOWN }],
    ],
  },
  {
    what: "tezzigator's collection as the service answers, under its README's name, for two keys",
    source: "seed README: partition key /optype",
    from: "tezzigator",
    args: [...PLACE, "--pkh", OTHER],
    content: { _rid: "x", Documents: [cosmos("endorse", 100, "optype")], _count: 1 },
    marks: [
      [KEY, { level: 100, ...UNKNOWN }],
      [
        { ...KEY, address: OTHER },
        { level: 100, ...UNKNOWN },
      ],
    ],
  },
  {
    what: "the starting marks in Tezio's config.yaml, for each of its tz2 and tz3 keys",
    source: "prof-groff/tezio@bc67eef6 signer/config.yaml and tezio_signer.py",
    from: "tezio",
    args: ["--chain", MAINNET],
    content: TEZIO,
    marks: [
      [BLOCK_KEY, { level: 90, round: 1 }],
      [PREATTESTATION_KEY, { level: 100, round: 0 }],
      [KEY, { level: 101, round: 2 }],
      [
        { ...KEY, address: OTHER },
        { level: 101, round: 2 },
      ],
    ],
  },
  {
    what: "the guide's signer's watermarks.json, whose requests are of before Tenderbake",
    source: "lattejed/tezos-azure-hsm-signer@be113f27 models/watermark.js, tests/data/op-block.json",
    from: "lattejed",
    content: lattejed("01", "lattejed/op-block.json"),
    marks: [[{ ...BLOCK_KEY, chainId: "NetXgtSLGNJvNye" }, { ...UNKNOWN }]],
  },
  {
    what: "the guide's signer's watermarks.json with a request of today: its bytes tell all",
    source: "lattejed/tezos-azure-hsm-signer@be113f27 models/watermark.js",
    from: "lattejed",
    content: { [`${SOURCE}_13`]: { tz: SOURCE, op: vote.toString("hex") } },
    marks: [[KEY, { level: 100, round: 3, digest: Buffer.from(blake2b256(vote)).toString("hex") }]],
  },
];

function lattejed(magic: string, name: string) {
  const { hex } = (vectors.payloads as { name: string; hex: string }[]).find((each) => each.name === name) ?? {};
  return { [`${SOURCE}_${magic}`]: { tz: SOURCE, op: hex } };
}

describe("the record of another signer", () => {
  let commands: WatermarkCommands;
  beforeEach(() => {
    commands = new WatermarkCommands();
  });
  afterEach(() => commands[Symbol.dispose]());

  const imported = (from: string, file: string, ...args: readonly string[]) =>
    commands.run(["import", "--from", from, file, ...args, ...HEAD]);

  for (const { what, source, from, file = "record", content, args = [], marks } of RECORDS) {
    it(`is taken over from ${what} (${source})`, async () => {
      const { code, stderr } = await imported(from, commands.file(file, content), ...args);
      expect(code, stderr).to.equal(0);
      for (const [key, row] of marks) {
        const found = await commands.rowOf(key);
        expect(found).to.include(row);
        if (!("digest" in row)) expect(found).not.to.have.property("digest");
      }
    });

    it(`never lowers a mark: ${what}`, async () => {
      await commands.stored(...marks.map(([key]): [RowKey, Row] => [key, rowAt(190_000, { round: 7 })]));
      expect((await imported(from, commands.file(file, content), ...args)).code).to.equal(0);
      for (const [key] of marks) expect(await commands.rowOf(key)).to.include({ level: 190_000, round: 7 });
    });
  }

  for (const { what, from, file = "record", content, args = [] } of RECORDS.filter((each) => each.from !== "tezio")) {
    const text = JSON.stringify(content);
    const broken = [
      ["cut", text.slice(0, -2)],
      ["a level that no chain reaches", text.replace(LEVEL, `$1${2 ** 31}`)],
      ["a level below none", text.replace(LEVEL, "$1-1")],
      ["a kind of a version to come", text.replace(KIND, "aggregate")],
    ].filter(([, changed]) => changed !== text);
    it(`is not taken over in part: ${broken.map(([how]) => how).join(", ")} (${what})`, async () => {
      for (const [how, changed = ""] of broken) {
        const { code, stderr } = await imported(from, commands.file(file, changed), ...args);
        expect(code, `${how}: ${stderr}`).to.equal(4);
        expect(said(stderr), how).to.include("Nothing was changed.");
      }
      expect(existsSync(commands.path)).to.equal(false);
    });
  }

  it("says of each mark whose bytes are not known that nothing at its position is signed again", async () => {
    const { stderr } = await imported("tacoinfra", commands.file("scan.json", scan(ratchet("Endorsement", 100, 2))));
    expect(said(stderr)).to.include("Which bytes were signed there is not known");
    expect(said(stderr)).to.include(`not even the same: attestation of ${SOURCE} on ${MAINNET}`);
  });

  for (const [from, content, args, sentence] of [
    ["lattejed", { [`${SOURCE}_13`]: { tz: SOURCE, op: vote.toString("hex") } }, [], "not the highest"],
    ["lattejed", { [`${SOURCE}_13`]: { tz: SOURCE, op: vote.toString("hex") } }, [], "client.js empties the folder"],
    ["tezio", TEZIO, ["--chain", MAINNET], "has only those that it was started with"],
    ["tezzigator", [cosmos("block", 90)], PLACE, "Name every key of that vault"],
  ] as const) {
    it(`says what ${from}'s record cannot tell: ${sentence}`, async () => {
      const { code, stderr } = await imported(from, commands.file("record", content), ...args);
      expect(code).to.equal(0);
      expect(said(stderr)).to.include(sentence);
    });
  }

  for (const [what, from, content, args, ...sentences] of [
    [
      "a scan that goes on",
      "tacoinfra",
      { ...scan(ratchet("Baking", 9, 0)), NextToken: "x" },
      [],
      "says that more follows",
    ],
    [
      "a scan with a filter",
      "tacoinfra",
      { ...scan(ratchet("Baking", 9, 0)), ScannedCount: 3 },
      [],
      "1 items of the 3 that were looked at",
    ],
    [
      "two marks of one name",
      "tacoinfra",
      JSON.stringify(scan(ratchet("Baking", 90, 0))).replace('"lastblock"', '"lastblock":{"N":"91"},"lastblock"'),
      [],
      "has the same name twice",
    ],
    ["a scan that goes on, of Signatory's", "signatory-dynamodb", { Items: [], LastEvaluatedKey: {} }, [], "Fetch all"],
    ["a query that failed", "signatory-firestore", [{ error: FAILED }], [], "0.error: says that Firestore failed"],
    [
      "a query that failed after it had begun",
      "signatory-firestore",
      [{ document: firestore("attestation", "100", BYTES) }, { error: FAILED }],
      [],
      "1.error: says that Firestore failed",
    ],
    ["a listing that failed", "signatory-firestore", { error: FAILED }, [], "error: says that Firestore failed"],
    ["a listing that goes on", "signatory-firestore", { documents: [], nextPageToken: "x" }, [], "says that more"],
    [
      "a document elsewhere",
      "signatory-firestore",
      { documents: [{ ...firestore("block", "1", {}), name: "a/b" }] },
      [],
      "a/b is not named COLLECTION/CHAIN/KIND/ADDRESS",
    ],
    [
      "an item of no kind",
      "tacoinfra",
      scan({ ...ratchet("Baking", 9, 0), sig_type: { S: "baking" } }),
      [],
      '"baking" is not named KIND_CHAIN_ADDRESS',
    ],
    [
      "a number that is none",
      "tacoinfra",
      scan({ ...ratchet("Baking", 9, 0), lastblock: { N: "-1" } }),
      [],
      "Items.0.lastblock.N: must be a number in digits",
    ],
    ["a kind that is none", "tezzigator", [cosmos("transfer", 9)], PLACE, "0.itemtype: must be block or endorse"],
    ["an item without a kind", "tezzigator", [{ blocklevel: 9 }], PLACE, "0: has neither itemtype nor optype"],
    [
      "a request that is none",
      "lattejed",
      { a: { tz: SOURCE, op: "0x01" } },
      [],
      "a.op: must be a request's bytes in hex",
    ],
    ["a request that is cut", "lattejed", { a: { tz: SOURCE, op: "13" } }, [], "a.op: "],
    [
      "an operation",
      "lattejed",
      { a: { tz: SOURCE, op: transfer().toString("hex") } },
      [],
      "neither a block nor a vote",
    ],
    ["a file that is no YAML", "tezio", "a: [", ["--chain", MAINNET], "It is no YAML", "line 1"],
    [
      "a config without marks",
      "tezio",
      "policy: { signing_keys: {} }",
      ["--chain", MAINNET],
      "high_water_marks: is missing",
    ],
    [
      "a config whose marks are 0",
      "tezio",
      TEZIO.replaceAll(/(0x1\d): \d+/g, "$1: 0"),
      ["--chain", MAINNET],
      "There is no mark",
    ],
    [
      "a mistyped address",
      "signatory-dynamodb",
      { Items: [{ idx: { S: `${MAINNET}/${SOURCE}x` }, request: { S: "block" }, lvl: { N: "1" }, round: { N: "0" } }] },
      [],
      "cannot be used",
    ],
  ] as const) {
    it(`is refused with its place: ${what}`, async () => {
      const { code, stderr } = await imported(from, commands.file("record", content), ...args);
      expect(code).to.equal(4);
      for (const sentence of sentences) expect(said(stderr)).to.include(sentence);
    });
  }

  it("is read whole however long a text in it is", async () => {
    const text = `a "quoted: text" with \\\\`.repeat(1_000_000);
    const file = commands.file("record", JSON.stringify({ ...scan(ratchet("Baking", 90, 0)), text }));
    const { code, stderr } = await imported("tacoinfra", file);
    expect(code, stderr).to.equal(0);
  });

  it("asks for chain and keys where it names none, and takes none where it names them", async () => {
    const items = commands.file("items.json", [cosmos("block", 90)]);
    for (const [from, args, sentence] of [
      ["tezzigator", ["--pkh", SOURCE], "say which with --chain NetX…"],
      ["tezzigator", ["--chain", MAINNET], "say which with --pkh tz3…"],
      ["tacoinfra", ["--chain", MAINNET], "names the chain itself: leave --chain"],
      ["tezio", PLACE, "names the keys itself: leave --pkh"],
    ] as const) {
      const { code, stderr } = await imported(from, items, ...args);
      expect(code).to.equal(2);
      expect(said(stderr)).to.include(sentence);
    }
  });
});
