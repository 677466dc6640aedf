import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "chai";
import { blake2b256 } from "../../signer/tezos/crypto/digest.ts";
import { CONSENSUS_KINDS } from "../../signer/tezos/payload/consensus-kind.ts";
import { HIGHEST_ROUND } from "../../signer/watermark/decision.ts";
import { OTHER, SOURCE } from "../fixtures/payloads.ts";
import { REQUESTS } from "../fixtures/policy-requests.ts";
import { SIGNATORY_TABLES, signatoryConfig } from "../fixtures/signatory-tables.ts";
import { vectors } from "../fixtures/vectors.ts";
import { KEY } from "../fixtures/watermark-rows.ts";
import { requires } from "../harness/requires.ts";
import { WatermarkCommands } from "../harness/watermark-commands.ts";

/**
 * `npm run test:signatory`: Signatory itself, asked what the tables of its decisions say. By hand: it is built from Go modules,
 * which takes minutes.
 * @module
 */

const root = resolve(import.meta.dirname, "../..");
const program = find();

function find(): string | undefined {
  try {
    return execFileSync(join(root, ".ci/signatory"), ["--find"], { encoding: "utf8", stdio: "pipe" }).trim();
  } catch {
    return undefined;
  }
}

/** A port that nobody has now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Signatory with a rule for one key, its two keys in a file. */
class Signatory implements AsyncDisposable {
  readonly #folder: string;
  readonly #child: ChildProcess;
  readonly #url: string;

  private constructor(folder: string, child: ChildProcess, url: string) {
    this.#folder = folder;
    this.#child = child;
    this.#url = url;
  }

  static async start(rule: string): Promise<Signatory> {
    const folder = mkdtempSync(join(tmpdir(), "signatory-"));
    const [port, utility] = [await freePort(), await freePort()];
    const secrets = [SOURCE, OTHER].map((address) => ({ name: address, value: `unencrypted:${secretOf(address)}` }));
    writeFileSync(join(folder, "secret.json"), JSON.stringify(secrets));
    const access = `base_dir: ${folder}
server: { address: "127.0.0.1:${port}", utility_address: "127.0.0.1:${utility}" }
vaults: { local: { driver: file, config: { file: ${folder}/secret.json } } }`;
    writeFileSync(join(folder, "signatory.yaml"), signatoryConfig(rule, access));
    const child = spawn(program as string, ["serve", "-c", join(folder, "signatory.yaml"), "--log", "error"], {
      stdio: ["ignore", "ignore", "ignore"],
    });
    const signatory = new Signatory(folder, child, `http://127.0.0.1:${port}`);
    while (!(await fetch(`${signatory.#url}/authorized_keys`).catch(() => undefined))?.ok) {
      if (child.exitCode !== null)
        throw new Error(`Signatory ended with ${child.exitCode}; its configuration: ${rule}`);
      await pause(50);
    }
    return signatory;
  }

  /** Its folder of marks. */
  get record(): string {
    return join(this.#folder, "watermark_v2");
  }

  /** @returns whether it signed */
  async signs(address: string, payload: Buffer): Promise<boolean> {
    const body = JSON.stringify(payload.toString("hex"));
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${this.#url}/keys/${address}`, { method: "POST", body, headers });
    return answer.status === 200;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, "exit");
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function secretOf(address: string): string {
  return vectors.keys.find((key: { pkh: string }) => key.pkh === address).sk;
}

describe("Signatory v1.4.0", function () {
  this.timeout(60_000);

  for (const { what, rule, address = SOURCE, rows } of SIGNATORY_TABLES) {
    it(`decides as the table says: ${what}`, async function () {
      requires(this, program !== undefined, "no Signatory in the cache; .ci/signatory builds one");
      await using signatory = await Signatory.start(rule);
      for (const [request, original] of rows) {
        expect(await signatory.signs(address, REQUESTS[request]), request).to.equal(original === "sign");
      }
    });
  }

  it("writes a record that is taken over: each position of what it has signed, and the digest of its votes", async function () {
    requires(this, program !== undefined, "no Signatory in the cache; .ci/signatory builds one");
    using commands = new WatermarkCommands();
    await using signatory = await Signatory.start("");
    for (const kind of CONSENSUS_KINDS) expect(await signatory.signs(SOURCE, REQUESTS[kind]), kind).to.equal(true);
    const { code, stderr } = await commands.run(["import", "--from", "signatory", signatory.record]);
    expect(code, stderr).to.equal(0);
    for (const kind of CONSENSUS_KINDS) {
      const digest = Buffer.from(blake2b256(REQUESTS[kind])).toString("hex");
      const position = kind === "block" ? { level: 100, round: HIGHEST_ROUND } : { level: 100, round: 0, digest };
      expect(await commands.rowOf({ ...KEY, kind }), kind).to.include(position);
    }
  });
});
