import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SqliteStore } from "../../signer/watermark/stores/sqlite.ts";
import { KEY } from "../fixtures/watermark-rows.ts";
import { GuardedSigner } from "../harness/guarded-signer.ts";

const SIGNER = join(import.meta.dirname, "one-signer.ts");

/** Whatever changes a file, opens one, or makes it durable. */
const CALLS = ["openat", "pwrite64", "write", "ftruncate", "fsync", "rename", "unlink"] as const;

export interface KillCounts {
  /** By the system call that was not done any more. */
  readonly kills: Readonly<Record<string, number>>;
  /** Signatures that had left before, each of which the next start knew. */
  readonly answers: number;
}

/**
 * Kills a signer on SQLite at each system call that it makes on its files, from opening them to closing them, and looks
 * after each kill whether a start finds everything that was answered.
 * @param step 1 kills at each call, 3 at each third one of its name
 * @throws Error naming the first call after which something was forgotten
 */
export async function killAtCalls(step: number): Promise<KillCounts> {
  const folder = mkdtempSync(join(tmpdir(), "kills-at-calls-"));
  const path = join(folder, "watermarks.sqlite");
  const kills: Record<string, number> = {};
  let answers = 0;
  let level = 0;
  try {
    for (const name of CALLS) {
      for (let nth = 1, isKilled = true; isKilled; nth += step) {
        level += 1;
        const run = signUntilKilled(path, level, name, nth);
        isKilled = run.isKilled;
        if (isKilled) kills[name] = (kills[name] ?? 0) + 1;
        await requireRemembered(path, level, run.answered, `killed at ${name} ${nth}`);
        answers += run.answered.size;
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return { kills, answers };
}

/**
 * Signs a block and an attestation, on a store without its witness: so that is written whole at the start, and in its parts
 * afterwards. @returns the signatures that left
 */
function signUntilKilled(path: string, level: number, name: string, nth: number) {
  rmSync(`${path}.seen`, { force: true });
  const files = [path, `${path}-wal`, `${path}.seen`, `${path}.seen.new`].flatMap((file) => ["-P", file]);
  const options = ["-f", "-o", "/dev/null", "-e", `trace=${name}`, "-e", `inject=${name}:signal=KILL:when=${nth}`];
  const command = [...files, ...options, process.execPath, SIGNER, path, String(level), "1"];
  const { stdout, stderr, signal, error } = spawnSync("strace", command, { encoding: "utf8" });
  if (error !== undefined || stderr !== "") throw error ?? new Error(stderr);
  const lines = [...stdout.matchAll(/^(block|attestation) \d+ ([0-9a-f]{128})$/gm)];
  const answered = new Map(lines.map(([, kind, signature]) => [kind as "block" | "attestation", signature]));
  return { isKilled: signal === "SIGKILL", answered };
}

async function requireRemembered(
  path: string,
  level: number,
  answered: ReadonlyMap<"block" | "attestation", string | undefined>,
  when: string,
): Promise<void> {
  const store = new SqliteStore(path);
  try {
    const signer = new GuardedSigner(store);
    for (const [kind, signature] of answered) {
      const other = await signer.outcome({ kind, level, bytes: "other" });
      if (other !== "position-already-signed") throw new Error(`${when}: other bytes of the ${kind} got ${other}`);
      const row = (await store.read({ ...KEY, kind }))?.row;
      if (kind === "block" && row?.signature !== signature) throw new Error(`${when}: the block's signature is lost`);
    }
  } finally {
    await store.close();
  }
}
