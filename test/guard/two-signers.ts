import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { generateLocalKey } from "../../signer/keys/local/keyring.ts";
import { AzureTableStore } from "../../signer/watermark/stores/azure-table.ts";
import { azurite, tableCredential } from "../emulators/azurite.ts";
import { type SignResult, sign } from "../emulators/octez-client.ts";
import { temporaryFolder } from "../emulators/signer-process.ts";
import { type TableProxy, tableProxy } from "../emulators/table-proxy.ts";
import { attestation, block, hash, preattestation } from "../fixtures/payloads.ts";
import { NEVER } from "../fixtures/watermark-rows.ts";
import { tableName } from "../harness/watermark-stores.ts";
import { PASSPHRASE } from "./table-signer.ts";

const FORMS = { block, preattestation, attestation } as const;
type Form = keyof typeof FORMS;

export interface TwoSignerCounts {
  readonly positions: number;
  readonly requests: number;
  readonly released: number;
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly kills: number;
  readonly partitions: number;
  readonly pauses: number;
}

interface Signer {
  readonly proxy: TableProxy;
  child: ChildProcess;
  url: string;
  address: string;
  /** Why it cannot answer just now. */
  trouble: "none" | "killed" | "partitioned" | "paused";
}

/**
 * Two signer processes with one key on one table, each behind a network of its own, and octez-shaped clients sprayed over
 * both: two bakers that ask for the same bytes, and a third that asks for others. Meanwhile one signer is killed and started
 * again, cut off from the table, or stopped (SIGSTOP) for longer than every deadline and continued.
 * @throws Error where a position has two digests or a block two signatures, or a healthy signer leaves a client without answer
 */
export async function twoSigners(seconds: number): Promise<TwoSignerCounts> {
  const server = await azurite();
  await using folder = await temporaryFolder();
  await generateLocalKey("P-256", join(folder.path, "key.pem"), PASSPHRASE);
  const table = tableName();
  await new AzureTableStore({ endpoint: server.endpoint, table, credential: tableCredential }).establish("id", NEVER);
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
  };
  const digests = new Map<string, string>();
  const signatures = new Map<string, string>();
  const faults: string[] = [];

  const ask = async (signer: Signer, form: Form, level: number, bytes: number) => {
    const payload = FORMS[form]({ level, payloadHash: hash(bytes) }).toString("hex");
    const troubled = signer.trouble !== "none";
    const result = await sign(signer.url, signer.address, payload).catch(
      (): SignResult => ({ status: 0, attempts: 1 }),
    );
    counts.requests += 1;
    counts.statuses[result.status] = (counts.statuses[result.status] ?? 0) + 1;
    const isHealthy = !troubled && signer.trouble === "none";
    if (isHealthy && result.status !== 200 && result.status !== 409) {
      faults.push(`a healthy signer left the ${form} at ${level} with ${result.status} ${result.message}`);
    }
    if (result.signature === undefined) return;
    counts.released += 1;
    const place = `${form} at ${level}`;
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
    const end = performance.now() + seconds * 1_000;
    for (let turn = 0; performance.now() < end; turn++) {
      await sleep(500);
      const signer = turn % 2 === 0 ? one : two;
      await trouble(signer, turn % 3, counts, start);
    }
    isOver = true;
    await clients;
    await Promise.all(pending);
    if (faults.length > 0) throw new Error(`${faults.length} broken promises, first: ${faults[0]}`);
    return counts;
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
  counts: { kills: number; partitions: number; pauses: number },
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
