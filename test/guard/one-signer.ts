import { writeSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { SqliteStore } from "../../signer/watermark/stores/sqlite.ts";
import { GuardedSigner } from "../harness/guarded-signer.ts";

/**
 * The real guard on a SQLite file, in a process of its own that can be watched: signs at each level and writes what came
 * out, one line each, in a way that a trace of its system calls shows. Each request comes in a turn of the event loop of its
 * own, as from a socket, and begins with a write of nothing.
 */
const [path = "", first = "1", count = "5"] = process.argv.slice(2);
const store = new SqliteStore(path);
const signer = new GuardedSigner(store);
for (let level = Number(first); level < Number(first) + Number(count); level++) {
  for (const kind of ["block", "attestation"] as const) {
    await nextTurn();
    writeSync(1, "");
    const outcome = await signer.outcome({ kind, level });
    writeSync(1, `${kind} ${level} ${outcome}\n`);
  }
}
for (const reason of signer.trusted.stops.values()) writeSync(1, `stop: ${reason}\n`);
await store.close();
