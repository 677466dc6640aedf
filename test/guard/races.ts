import { fork } from "node:child_process";
import { once } from "node:events";
import { AzureTableStore } from "../../signer/watermark/stores/azure-table.ts";
import { azurite, tableCredential } from "../emulators/azurite.ts";
import { tableProxy } from "../emulators/table-proxy.ts";
import { NEVER } from "../fixtures/watermark-rows.ts";
import { GuardedSigner } from "../harness/guarded-signer.ts";
import { tableName } from "../harness/watermark-stores.ts";

interface Round {
  readonly kind: "block" | "attestation";
  readonly level: number;
  readonly requests: number;
}

export interface RaceCounts {
  readonly rounds: number;
  readonly requests: number;
  readonly released: number;
  /** Answers by what they were. */
  readonly refusals: Readonly<Record<string, number>>;
  readonly faults: number;
}

const SIGNATURE = /^[0-9a-f]{128}$/;

/**
 * Requests with different bytes for one position, all at once, to two processes on one table behind a network that resets,
 * delays and loses answers; repeated at the next position.
 * @throws Error where a position got two releases
 */
export async function race(rounds: number, requests: number): Promise<RaceCounts> {
  const server = await azurite();
  await using proxy = await tableProxy(server);
  const table = tableName();
  await new AzureTableStore({ endpoint: server.endpoint, table, credential: tableCredential }).establish("id", NEVER);
  let faults = 0;
  proxy.fault = () => {
    const dice = Math.random();
    if (dice > 0.1) return undefined;
    faults += 1;
    if (dice < 0.03) return "lost-answer";
    if (dice < 0.05) return "reset";
    return dice < 0.06 ? "busy" : { delay: 100 * Math.random() };
  };
  const children = [0, 1].map(() =>
    fork(import.meta.filename, [proxy.endpoint, table], { env: { ...process.env, RACER_CA: server.ca } }),
  );
  const counts = { rounds, requests: 0, released: 0, refusals: {} as Record<string, number> };
  try {
    await Promise.all(children.map((child) => once(child, "message")));
    for (let index = 0; index < rounds; index++) {
      const round: Round = {
        kind: index % 2 === 0 ? "block" : "attestation",
        level: 10 + index,
        requests: requests / 2,
      };
      const answers = children.map((child) => once(child, "message") as Promise<[string[]]>);
      for (const child of children) child.send(round);
      const outcomes = (await Promise.all(answers)).flatMap(([message]) => message);
      counts.requests += outcomes.length;
      const released = outcomes.filter((outcome) => SIGNATURE.test(outcome));
      if (released.length > 1) throw new Error(`${released.length} releases for the ${round.kind} at ${round.level}`);
      counts.released += released.length;
      for (const outcome of outcomes) {
        if (!SIGNATURE.test(outcome)) counts.refusals[outcome] = (counts.refusals[outcome] ?? 0) + 1;
      }
    }
  } finally {
    for (const child of children) child.kill("SIGKILL");
  }
  return { ...counts, faults };
}

/** In a process of its own: a signer that is asked for as many bytes at once as it is told. */
async function racer(endpoint: string, table: string): Promise<void> {
  const { getCACertificates, setDefaultCACertificates } = await import("node:tls");
  setDefaultCACertificates([...getCACertificates("default"), process.env.RACER_CA ?? ""]);
  const signer = new GuardedSigner(new AzureTableStore({ endpoint, table, credential: tableCredential }));
  process.on("message", async ({ kind, level, requests }: Round) => {
    const asks = Array.from({ length: requests }, (_, index) =>
      signer.outcome({ kind, level, bytes: `${process.pid}.${index}` }),
    );
    process.send?.(await Promise.all(asks));
  });
  process.send?.("ready");
}

if (import.meta.main) await racer(process.argv[2] ?? "", process.argv[3] ?? "");
