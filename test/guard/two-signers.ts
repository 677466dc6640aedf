import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LIMITS } from "../../signer/http/limits.ts";
import { generateLocalKey } from "../../signer/keys/local/keyring.ts";
import { AzureTableStore } from "../../signer/watermark/stores/azure-table.ts";
import { azurite, tableCredential } from "../emulators/azurite.ts";
import { type SignResult, sign } from "../emulators/octez-client.ts";
import { temporaryFolder } from "../emulators/signer-process.ts";
import { type TableProxy, tableProxy } from "../emulators/table-proxy.ts";
import { attestation, block, hash, preattestation } from "../fixtures/payloads.ts";
import { KEY, NEVER } from "../fixtures/watermark-rows.ts";
import { tableName } from "../harness/watermark-stores.ts";
import { OtherWriters } from "./other-writers.ts";
import { PASSPHRASE } from "./table-signer.ts";

const FORMS = { block, preattestation, attestation } as const;
type Form = keyof typeof FORMS;
/** The payload hash of what an import names; clients ask for 1 and 2. */
const IMPORTED = 3;
/** A signature, or a conflict. */
const FAIR: readonly number[] = [200, 409];
/** Of a request of which this computer, busy with all of it, read no line for as long as a signer waits. */
const LATE = { status: 408, after: LIMITS.headersTimeout };
/** Requests under way, of all clients. */
const MOST_ASKING = 100;

export interface TwoSignerCounts {
  readonly positions: number;
  readonly requests: number;
  readonly released: number;
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly kills: number;
  readonly partitions: number;
  readonly pauses: number;
  /** Reads that were answered with an older state. */
  readonly stale: number;
  readonly exports: number;
  readonly imports: number;
}

interface Signer {
  readonly proxy: TableProxy;
  child: ChildProcess;
  url: string;
  address: string;
  /** Why it cannot answer just now. */
  trouble: "none" | "killed" | "partitioned" | "paused" | "misled";
}

/**
 * Two signer processes with one key on one table, each behind a network of its own, and octez-shaped clients sprayed over
 * both: two bakers that ask for the same bytes, and a third that asks for others. Meanwhile one signer is killed and started
 * again, cut off from the table, stopped (SIGSTOP) for longer than every deadline and continued, or started on reads that
 * are older than what was written; and an operator exports, imports older exports, and imports marks of other bytes.
 * @throws Error where a position has two digests or a block two signatures, a healthy signer leaves a client without answer,
 *   or a first signature leaves that was asked for after an import had named other bytes of its position
 */
export async function twoSigners(positions: number): Promise<TwoSignerCounts> {
  const server = await azurite();
  await using folder = await temporaryFolder();
  await generateLocalKey("P-256", join(folder.path, "key.pem"), PASSPHRASE);
  const table = tableName();
  const direct = new AzureTableStore({ endpoint: server.endpoint, table, credential: tableCredential });
  await direct.establish("id", NEVER);
  const operator = new OtherWriters(direct);
  const signers: Signer[] = [];
  const start = async (proxy: TableProxy) => {
    const child = fork(join(import.meta.dirname, "table-signer.ts"), [proxy.endpoint, table, folder.path], {
      env: { ...process.env, SIGNER_CA: server.ca },
    });
    const [{ url, address }] = (await once(child, "message")) as [{ url: string; address: string }];
    return { child, url, address };
  };
  const counts = {
    positions: 0,
    requests: 0,
    released: 0,
    statuses: {} as Record<string, number>,
    kills: 0,
    partitions: 0,
    pauses: 0,
    stale: 0,
  };
  const digests = new Map<string, string>();
  const signatures = new Map<string, string>();
  const faults: string[] = [];
  let asking = 0;

  const ask = async (signer: Signer, form: Form, level: number, bytes: number) => {
    const payload = FORMS[form]({ level, payloadHash: hash(bytes) }).toString("hex");
    const troubled = signer.trouble !== "none";
    const asked = performance.now();
    asking += 1;
    const result = await sign(signer.url, signer.address, payload).catch(
      (error: Error): SignResult => ({ status: 0, attempts: 1, message: error.message }),
    );
    asking -= 1;
    counts.requests += 1;
    counts.statuses[result.status] = (counts.statuses[result.status] ?? 0) + 1;
    const isHealthy = !troubled && signer.trouble === "none";
    const waited = Math.round(performance.now() - asked);
    const isLate = result.status === LATE.status && waited >= LATE.after;
    if (isHealthy && !isLate && !FAIR.includes(result.status)) {
      faults.push(
        `a healthy signer left the ${form} at ${level} with ${result.status} ${result.message}, in ${waited} ms`,
      );
    }
    if (result.signature === undefined) return;
    counts.released += 1;
    const place = `${form} at ${level}`;
    const other = operator.named.get(place);
    if (other !== undefined && other.over < asked && !digests.has(place) && bytes !== IMPORTED)
      faults.push(`a first signature for the ${place}, after an import had named other bytes`);
    if ((digests.get(place) ?? payload) !== payload) faults.push(`two digests released for the ${place}`);
    digests.set(place, payload);
    if (form !== "block") return;
    if ((signatures.get(payload) ?? result.signature) !== result.signature)
      faults.push(`two signatures of the ${place}`);
    signatures.set(payload, result.signature);
  };

  try {
    for (let index = 0; index < 2; index++) {
      const proxy = await tableProxy(server);
      signers.push({ proxy, ...(await start(proxy)), trouble: "none" });
    }
    const [one, two] = signers as [Signer, Signer];
    let isOver = false;
    let level = 100;
    const clients = Promise.all(
      Array.from({ length: 3 }, async () => {
        while (!isOver) {
          // A signer takes 256 connections; on a busy computer more would wait for it than that.
          while (asking > MOST_ASKING) await sleep(20);
          const at = ++level;
          counts.positions += 3;
          // A client whose signer is stopped waits for it; the others go on.
          const asked = (Object.keys(FORMS) as Form[]).flatMap((form) => [
            ask(one, form, at, 1),
            ask(two, form, at, 1),
            at % 3 === 0 ? ask(two, form, at, 2) : Promise.resolve(),
          ]);
          await Promise.race([Promise.all(asked), sleep(1_000)]);
          pending.push(...asked);
        }
      }),
    );
    const pending: Promise<void>[] = [];
    const beside = (async () => {
      for (let turn = 0; !isOver; turn++) {
        await sleep(300);
        const form = (Object.keys(FORMS) as Form[])[turn % 3] as Form;
        const at = level + 2;
        await [
          () => operator.export(),
          () => operator.importOld(),
          () =>
            operator.importOther(
              { ...KEY, address: one.address, kind: form },
              at,
              FORMS[form]({ level: at, payloadHash: hash(IMPORTED) }),
              `${form} at ${at}`,
            ),
        ][turn % 3]?.();
      }
    })();
    for (let turn = 0; counts.positions < positions; turn++) {
      await sleep(500);
      const signer = turn % 2 === 0 ? one : two;
      await trouble(signer, turn % 4, counts, start);
    }
    isOver = true;
    await beside;
    await clients;
    await Promise.all(pending);
    if (faults.length > 0) {
      throw new Error(`${faults.length} broken promises, the first of them:\n${faults.slice(0, 20).join("\n")}`);
    }
    return { ...counts, exports: operator.exported, imports: operator.imported };
  } finally {
    for (const { child, proxy } of signers) {
      child.kill("SIGKILL");
      await proxy[Symbol.asyncDispose]();
    }
  }
}

async function trouble(
  signer: Signer,
  kind: number,
  counts: { kills: number; partitions: number; pauses: number; stale: number },
  start: (proxy: TableProxy) => Promise<{ child: ChildProcess; url: string; address: string }>,
): Promise<void> {
  if (kind === 0) {
    counts.kills += 1;
    signer.trouble = "killed";
    signer.child.kill("SIGKILL");
    await once(signer.child, "exit");
    Object.assign(signer, await start(signer.proxy));
  } else if (kind === 1) {
    counts.partitions += 1;
    signer.trouble = "partitioned";
    signer.proxy.fault = () => (Math.random() < 0.5 ? "silence" : "lost-answer");
    await sleep(2_000);
    signer.proxy.fault = () => undefined;
  } else if (kind === 2) {
    signer.trouble = "misled";
    const before = signer.proxy.count;
    signer.proxy.fault = ({ method }) => (method === "GET" && Math.random() < 0.5 ? "stale" : undefined);
    await sleep(1_000);
    signer.child.kill("SIGKILL");
    await once(signer.child, "exit");
    Object.assign(signer, await start(signer.proxy));
    await sleep(1_000);
    signer.proxy.fault = () => undefined;
    counts.stale += signer.proxy.count - before;
    // It has noticed that what it had seen is gone, which it never forgives.
    signer.child.kill("SIGKILL");
    await once(signer.child, "exit");
    Object.assign(signer, await start(signer.proxy));
  } else {
    counts.pauses += 1;
    signer.trouble = "paused";
    signer.child.kill("SIGSTOP");
    await sleep(5_000); // longer than a request's deadline of 4 s
    signer.child.kill("SIGCONT");
  }
  // What it was asked meanwhile may still end badly.
  await sleep(500);
  signer.trouble = "none";
}
