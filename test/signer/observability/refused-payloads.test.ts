import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { RefusedPayloads } from "../../../signer/observability/refused-payloads.ts";
import { blake2b256 } from "../../../signer/tezos/crypto/digest.ts";
import { MAX_PAYLOAD, parsePayload } from "../../../signer/tezos/payload/payload.ts";
import { temporaryFolder } from "../../emulators/signer-process.ts";
import { attestation, block, SOURCE, transfer } from "../../fixtures/payloads.ts";
import { logLines } from "../../harness/log-lines.ts";
import { requires } from "../../harness/requires.ts";

/** What is closed has been written, however busy the computer is. */
const TIMES = { pause: 1, patience: 60_000 };

interface Line {
  readonly count: number;
  readonly client: string;
  readonly code: string;
  readonly message: string;
  readonly bytes: string;
  readonly decoded: Record<string, unknown> | string | null;
}

/** A refusal of these bytes. */
function refusal(payload: Buffer, own: { client?: string; code?: string } = {}) {
  let request: object | undefined;
  try {
    request = parsePayload(payload);
  } catch {}
  const digest = Buffer.from(blake2b256(payload)).toString("hex");
  const known = { client: "203.0.113.7", key: SOURCE, code: "request-not-allowed", message: "No." };
  return { ...known, ...own, digest, request, payload };
}

describe("the file of refused requests", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let file = "";
  const { log, lines } = logLines();
  beforeEach(async () => {
    folder = await temporaryFolder();
    file = join(folder.path, "refused.jsonl");
    lines.length = 0;
  });
  afterEach(() => folder[Symbol.asyncDispose]());

  /** Notes these with a file of its own or the one that is there, and ends. */
  async function note(refusals: readonly ReturnType<typeof refusal>[], most = 20) {
    const kept = new RefusedPayloads({ file, most }, log, TIMES);
    for (const each of refusals) kept.note(each);
    await kept.close();
  }
  const read = (): Line[] =>
    readFileSync(file, "utf8")
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  const fromMany = (count: number, first = 0) =>
    Array.from({ length: count }, (_, at) =>
      refusal(attestation({ level: first + at + 1 }), { client: `10.0.${first}.${at}` }),
    );

  it("has the bytes of each, and what was read of them", async () => {
    const cut = block().subarray(0, 40);
    await note([refusal(transfer({ amount: 500_000n })), refusal(attestation({ level: 7 })), refusal(cut)]);
    const [first, second, third] = read();
    expect(first?.bytes).to.equal(transfer({ amount: 500_000n }).toString("hex"));
    expect(first?.decoded).to.have.nested.include({
      "operations[0].kind": "transaction",
      "operations[0].amount": "500000",
    });
    expect(second?.decoded).to.include({ kind: "attestation", level: 7 });
    expect(third).to.include({ decoded: null, bytes: cut.toString("hex") });
  });

  it("is its owner's alone, also where one that others can read was there", async () => {
    for (const before of [undefined, ""]) {
      if (before !== undefined) writeFileSync(file, before, { mode: 0o666 });
      await note([refusal(block())]);
      expect(statSync(file).mode & 0o777).to.equal(0o600);
    }
    expect(readdirSync(folder.path)).to.deep.equal(["refused.jsonl"]);
  });

  it("keeps so many, the newest last, and half of them of one client; equal ones are one", async () => {
    await note(fromMany(30), 10);
    expect(read().map(({ client }) => client)).to.deep.equal(
      Array.from({ length: 10 }, (_, at) => `10.0.0.${at + 20}`),
    );
    const flood = Array.from({ length: 50 }, (_, at) => refusal(block({ level: at + 1 })));
    await note([...flood, ...flood.slice(-1), ...flood.slice(-1)], 10);
    const clients = read().map(({ client }) => client);
    expect(clients.filter((client) => client === "203.0.113.7")).to.have.length(5);
    expect(clients).to.have.length(10);
    expect(read().at(-1)?.count).to.equal(3);
  });

  it("goes on after a restart with what it had, within the bound of the newest settings", async () => {
    await note(fromMany(10), 10);
    await note(fromMany(3, 100), 10);
    expect(read().map(({ client }) => client.split(".")[2])).to.deep.equal([
      ...Array(7).fill("0"),
      ...Array(3).fill("100"),
    ]);
    await note([], 4);
    expect(read().map(({ client }) => client.split(".")[2])).to.deep.equal(["0", "100", "100", "100"]);
  });

  it("is bounded in each entry: the longest payload, and no more that was read of it than of bytes", async () => {
    const long = Buffer.alloc(MAX_PAYLOAD, 1);
    const told = { message: "x".repeat(100_000), request: { text: "x".repeat(70_000) } };
    await note(
      Array.from({ length: 100 }, (_, at) => ({ ...refusal(long), ...told, client: `10.0.0.${at}`, digest: `${at}` })),
      100,
    );
    expect(statSync(file).size).to.be.below(100 * (2 * MAX_PAYLOAD + 2_000));
    expect(read()[0]).to.include({ decoded: "too long: see bytes" });
    await note([refusal(block())], 100);
    expect(read(), "and is read again by the next one").to.have.length(100);
    expect(lines).to.deep.equal([]);
  });

  it("shows what nobody would see", async () => {
    await note([{ ...refusal(block()), message: "\u202egnp.yek\u2028" }]);
    expect(readFileSync(file, "utf8")).to.include("\\u202egnp.yek\\u2028");
  });

  it("leaves alone what is not its own, and says so once", async () => {
    const others: readonly [string, () => void, RegExp][] = [
      ["settings", () => writeFileSync(file, "keys: {}\n"), /something else is in it/],
      ["JSON of another form", () => writeFileSync(file, '{"level":5}\n'), /something else is in it/],
      ["a binary file", () => writeFileSync(file, Buffer.from([0, 255, 10, 7])), /something else is in it/],
    ];
    for (const [what, make, reason] of others) {
      make();
      const before = readFileSync(file);
      lines.length = 0;
      const kept = new RefusedPayloads({ file, most: 5 }, log, TIMES);
      kept.note(refusal(block()));
      await kept.close();
      expect(readFileSync(file).equals(before), what).to.equal(true);
      expect(
        lines.map(({ msg }) => msg),
        what,
      ).to.have.length(1);
      expect(lines[0]?.msg)
        .to.match(reason)
        .and.match(/Signing goes on\.$/);
    }
  });

  it("says of a path that can be no file what is wrong with it, as soon as the signer starts", async () => {
    const target = join(folder.path, "target");
    writeFileSync(target, "");
    symlinkSync(target, join(folder.path, "link"));
    mkdirSync(join(folder.path, "folder"));
    for (const [path, reason] of [
      [join(folder.path, "missing/refused"), /no such file or directory/],
      [join(folder.path, "folder"), /it is no plain file/],
      [join(folder.path, "link"), /it is no plain file/],
      [join(target, "refused"), /a part of the path is no directory/],
    ] as const) {
      lines.length = 0;
      await new RefusedPayloads({ file: path, most: 5 }, log, TIMES).close();
      expect(lines.map(({ msg }) => msg).join()).to.match(reason);
    }
  });

  it("stays as it was on a disk that is full, and nothing else is left there", function () {
    const { status } = spawnSync("unshare", ["--map-root-user", "--mount", "true"]);
    requires(this, status === 0, "no file system may be mounted here (unshare)");
    const disk = join(folder.path, "disk");
    mkdirSync(disk);
    const script = `
      import { readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
      import { RefusedPayloads } from ${JSON.stringify(resolve("signer/observability/refused-payloads.ts"))};
      const file = ${JSON.stringify(join(disk, "refused"))};
      const log = { warn: (_, message) => console.log(message) };
      const refused = (client) => ({ client, key: "", code: "", message: "", digest: client, payload: Buffer.alloc(10_000) });
      const kept = new RefusedPayloads({ file, most: 5 }, log, { pause: 1, patience: 60_000 });
      kept.note(refused("10.0.0.1"));
      await kept.close();
      const { size } = statSync(file);
      writeFileSync(file + ".other", Buffer.alloc(220_000));
      for (const client of ["10.0.0.2", "10.0.0.3"]) {
        kept.note(refused(client));
        await kept.close();
      }
      console.log(statSync(file).size === size, readdirSync(${JSON.stringify(disk)}).join());
      rmSync(file + ".other");
      kept.note(refused("10.0.0.4"));
      await kept.close();
      console.log(statSync(file).size > 2 * size);`;
    writeFileSync(join(folder.path, "ask.ts"), script);
    const mount = 'mount -t tmpfs -o size=256k none "$0"; exec "$@"';
    const args = ["sh", "-ec", mount, disk, process.execPath, join(folder.path, "ask.ts")];
    const { stdout, stderr } = spawnSync("unshare", ["--map-root-user", "--mount", ...args], { encoding: "utf8" });
    expect(stderr).to.equal("");
    expect(stdout.trim().split("\n")).to.deep.equal([
      "Refused requests cannot be kept: the disk is full. Signing goes on.",
      "true refused,refused.other",
      "true",
    ]);
  });
});
