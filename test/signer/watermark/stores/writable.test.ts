import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { StoreError } from "../../../../signer/watermark/stores/store.ts";
import { WatchedStore } from "../../../../signer/watermark/stores/watched.ts";
import { KEY, rowAt } from "../../../fixtures/watermark-rows.ts";
import { FaultyStore } from "../../../harness/faulty-store.ts";
import { MemoryStore } from "../../../harness/memory-store.ts";
import { requires } from "../../../harness/requires.ts";
import { STORE_KINDS } from "../../../harness/watermark-stores.ts";

/** No test waits longer for one answer, in milliseconds. */
const soon = () => AbortSignal.timeout(20_000);

for (const { name, place } of STORE_KINDS) {
  describe(`the ${name} store, asked whether it would take a write`, () => {
    it("says so without a change, before and after its first row", async () => {
      await using made = await place();
      const store = await made.open();
      await store.establish("store-1", soon());
      await store.proveWritable?.(soon());
      const version = await store.insert(KEY, rowAt(5), soon());
      await store.proveWritable?.(soon());
      expect(await store.read(KEY, soon())).to.deep.equal({ row: rowAt(5), version });
      expect(await store.identity(soon())).to.equal("store-1");
      await store.close();
    });
  });
}

describe("a table without its identity", () => {
  it("is no store that takes writes, and is not made by the question", async () => {
    const [, table] = STORE_KINDS;
    await using made = await table?.place();
    const store = await made?.open();
    const error: unknown = await store?.proveWritable?.(soon()).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(StoreError);
    expect(await store?.identity(soon())).to.equal(undefined);
  });
});

describe("a SQLite file's disk", () => {
  it("has room or is told to be full, and is told to be read-only, without a write", function () {
    const { status } = spawnSync("unshare", ["--map-root-user", "--mount", "true"]);
    requires(this, status === 0, "no file system may be mounted here (unshare)");
    const folder = mkdtempSync(join(tmpdir(), "writable-"));
    const script = `
      import { execFileSync } from "node:child_process";
      import { writeFileSync } from "node:fs";
      import { SqliteFile } from ${JSON.stringify(resolve("signer/watermark/stores/sqlite-file.ts"))};
      const disk = ${JSON.stringify(join(folder, "disk"))};
      const file = new SqliteFile(disk + "/w.sqlite");
      const say = () => { try { file.requireRoom(); console.log("room"); } catch (error) { console.log(error.fault, error.message); } };
      writeFileSync(disk + "/w.sqlite", "");
      say();
      writeFileSync(disk + "/other", Buffer.alloc(220 * 1024));
      say();
      execFileSync("mount", ["-o", "remount,ro", disk]);
      say();`;
    mkdirSync(join(folder, "disk"));
    writeFileSync(join(folder, "ask.ts"), script);
    const mount = 'mount -t tmpfs -o size=256k none "$0"; exec "$@"';
    const args = ["sh", "-ec", mount, join(folder, "disk"), process.execPath, join(folder, "ask.ts")];
    const { stdout, stderr } = spawnSync("unshare", ["--map-root-user", "--mount", ...args], { encoding: "utf8" });
    rmSync(folder, { recursive: true });
    expect(stderr).to.equal("");
    const [first, second, third] = stdout.split("\n");
    expect(first).to.equal("room");
    expect(second).to.match(/^unavailable .*w\.sqlite takes no write now \(the disk is full\)\.$/);
    expect(third).to.match(/^unavailable .*w\.sqlite takes no write now \(the disk is read-only\)\.$/);
  });
});

describe("a watched store", () => {
  it("knows when it was answered, what failed and how often, and that another writer's win is an answer", async () => {
    const faulty = new FaultyStore(new MemoryStore("store-1"));
    const store = new WatchedStore(faulty);
    const ask = () => store.identity(soon()).catch(() => undefined);
    expect(store.answeredAt).to.equal(undefined);
    await ask();
    expect(store.answeredAt).to.be.closeTo(Date.now(), 20_000);
    faulty.next("identity", "unavailable", "unavailable", "conflict");
    await ask();
    expect(store.outage).to.be.a("string");
    await ask();
    await ask();
    expect(store.outage).to.equal(undefined);
    expect(Object.fromEntries(store.faults)).to.deep.equal({ connection: 2, conflict: 1 });
  });

  it("names the cause by what the service answered", async () => {
    const causes = [
      [{ statusCode: 403 }, "permission"],
      [{ statusCode: 503 }, "throttled"],
      [{ statusCode: 500 }, "service"],
      [{ name: "AbortError" }, "timeout"],
      [new Error("ECONNRESET"), "connection"],
    ] as const;
    for (const [cause, expected] of causes) {
      const inner = new MemoryStore("store-1");
      inner.identity = () => Promise.reject(new StoreError("unavailable", "It did not answer.", { cause }));
      const store = new WatchedStore(inner);
      await store.identity(soon()).catch(() => undefined);
      expect([...store.faults.keys()]).to.deep.equal([expected]);
    }
  });
});
