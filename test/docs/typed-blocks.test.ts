import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { hasProgram } from "../emulators/has-program.ts";
import { temporaryFolder } from "../emulators/signer-process.ts";
import { attestation, MAINNET } from "../fixtures/payloads.ts";
import { ENTRY } from "../harness/command-place.ts";
import { writeLocalKey } from "../harness/local-key.ts";
import { compiled, inTerminal } from "../harness/pseudo-terminal.ts";
import { requires } from "../harness/requires.ts";
import { BLOCKS } from "./shell-blocks.ts";

/** The chain's level, and the last that other signers have signed. */
const HEAD = 9_123_456;
const LAST = HEAD - 1;

/** A mark that another signer has, in no signer's own form. */
const MARK = { level: LAST, round: 0, hash: null };

/** What lies in a reader's folder: records of other signers, each by the name that its page has. */
function records(address: string): Readonly<Record<string, unknown>> {
  const kinds = { block: MARK, preattestation: MARK, attestation: MARK };
  const octez = { [MAINNET]: { [address]: { level: LAST, round: 0, hash: "aa".repeat(32), signature: "sig" } } };
  return {
    [`BASE_DIR/watermark_v2/${MAINNET}.json`]: { [address]: kinds },
    [`watermark_v2/${MAINNET}.json`]: { [address]: kinds },
    ...Object.fromEntries(Object.keys(kinds).map((kind) => [`BASE_DIR/${kind}_high_watermarks`, octez])),
    "watermarks.json": { [`${address}_13`]: { tz: address, op: attestation({ level: LAST }).toString("hex") } },
    "ratchet.json": {
      Items: [
        { sig_type: { S: `Endorsement_${MAINNET}_${address}` }, lastblock: { N: `${LAST}` }, lastround: { N: "0" } },
      ],
      Count: 1,
      ScannedCount: 1,
    },
    "items.json": [{ itemtype: "block", blocklevel: LAST, sigtype: "Tezos block", status: "signed" }],
    "config.yaml": `high_water_marks:
    level: { 0x11: ${LAST}, 0x12: ${LAST}, 0x13: ${LAST} }
    round: { 0x11: 0, 0x12: 0, 0x13: 0 }
policy:
    signing_keys: { "${address}": { curve_alias: 3, allowed_ops: [0x11, 0x12, 0x13] } }
`,
  };
}

describe("a page's blocks of shell, typed at a terminal in their order", function () {
  this.timeout(600_000); // a dozen programs, one after the other

  for (const [page, blocks] of Map.groupBy(
    BLOCKS.filter(({ elsewhere }) => elsewhere.length === 0),
    (block) => block.page,
  )) {
    it(`end well, all ${blocks.length} that can run here of ${page}`, async function () {
      requires(
        this,
        hasProgram("script") && hasProgram("sqlite3"),
        "script(1) makes the terminal, the page has sqlite3",
      );
      await using folder = await temporaryFolder();
      const at = (name: string) => join(folder.path, name);
      const address = await writeLocalKey(at("keys"));
      for (const name of ["bin", "BASE_DIR/watermark_v2", "watermark_v2"]) mkdirSync(at(name), { recursive: true });
      for (const [name, record] of Object.entries(records(address)))
        writeFileSync(at(name), typeof record === "string" ? record : JSON.stringify(record));
      writeFileSync(
        at("settings.yaml"),
        JSON.stringify({
          keys: { kind: "local", path: "keys" },
          watermarks: { kind: "sqlite", path: "watermarks.sqlite" },
        }),
      );
      writeFileSync(at("bin/tezos-signer"), `#!/bin/sh\nexec ${process.execPath} ${ENTRY} "$@"\n`, { mode: 0o755 });
      const env = { ...compiled(), PATH: `${at("bin")}:${process.env.PATH}` };
      for (const { at: number, code } of blocks) {
        const filled = code
          .replaceAll("tz3…", address)
          .replaceAll(/\bLEVEL\b/g, `${HEAD + 20}`)
          .replaceAll(/\bNEXT\b/g, `${HEAD + 1}`)
          .replaceAll(/\bHEAD\b/g, `${HEAD}`)
          .replace("'ID'", () => `'${idOf(at("watermarks.sqlite.seen"))}'`);
        const { code: exit, screen } = await inTerminal(
          ["bash", "-ec", filled],
          [[/last six characters of the address: $/, address.slice(-6)]],
          {
            cwd: folder.path,
            env,
          },
        );
        expect(exit, `${page}, block ${number}: ${screen}`).to.equal(0);
      }
    });
  }
});

/** The id of a store, as its witness has it. */
function idOf(witness: string): string {
  return (JSON.parse(readFileSync(witness, "utf8")) as { storeId: string }).storeId;
}
