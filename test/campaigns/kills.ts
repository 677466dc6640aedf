import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { commandLine, wholeNumberFrom } from "../emulators/command-line.ts";
import { type SignerProcess, startSignerProcess, temporaryFolder } from "../emulators/signer-process.ts";
import { attestation, block, hash, preattestation } from "../fixtures/payloads.ts";
import { writeLocalKey } from "../harness/local-key.ts";

const FORMS = { block, preattestation, attestation } as const;
type Form = keyof typeof FORMS;

export interface KillCounts {
  readonly kills: number;
  /** Signatures that reached a client. */
  readonly released: number;
  /** Requests whose answer the kill took away. */
  readonly lost: number;
  /** Blocks that were asked again after a restart, with the signature that was released before. */
  readonly sameSignature: number;
}

/**
 * SIGKILL at random moments under load: a real signer process on SQLite, clients that ask for rising positions of every
 * kind, some of them twice with other bytes. After each restart every released position must be known: other bytes at it and
 * whatever is below are refused, and a block's bytes get the signature that was released.
 * @throws Error naming the first promise that was broken
 */
export async function killCampaign(kills: number): Promise<KillCounts> {
  await using folder = await temporaryFolder();
  await prepare(folder.path);
  const counts = { kills: 0, released: 0, lost: 0, sameSignature: 0 };
  /** The last released of each kind: what a restart may have forgotten. */
  const last = new Map<Form, { readonly level: number; readonly signature: string }>();
  let level = 1_000;

  for (; counts.kills < kills; counts.kills++) {
    await using signer = await startSignerProcess(folder.path, ["--config", "settings.yaml"]);
    await checkRemembered(signer, last, counts);
    const clients = Array.from({ length: 6 }, async () => {
      for (;;) {
        const at = ++level;
        for (const form of Object.keys(FORMS) as Form[]) {
          const answers = await Promise.all([
            ask(signer, FORMS[form]({ level: at })),
            at % 5 === 0 ? ask(signer, FORMS[form]({ level: at, payloadHash: hash(9) })) : undefined,
          ]);
          const signatures = answers.filter((answer) => typeof answer === "string");
          if (signatures.length > 1) throw new Error(`two ${form}s released at level ${at}`);
          if (answers[0] === undefined) {
            counts.lost += 1;
            return;
          }
          if (typeof answers[0] !== "string") continue;
          counts.released += 1;
          const released = { level: at, signature: answers[0] };
          if ((last.get(form)?.level ?? 0) < at) last.set(form, released);
        }
      }
    });
    // Every second life ends at any moment, the others once something was released, however slow the computer is.
    const released = counts.released;
    while (counts.kills % 2 === 0 && counts.released === released) await sleep(5);
    await sleep(10 + Math.random() * 250);
    await signer.end("SIGKILL");
    await Promise.all(clients);
  }
  await using signer = await startSignerProcess(folder.path, ["--config", "settings.yaml"]);
  await checkRemembered(signer, last, counts);
  return counts;
}

async function checkRemembered(
  signer: SignerProcess,
  last: ReadonlyMap<Form, { readonly level: number; readonly signature: string }>,
  counts: { sameSignature: number },
): Promise<void> {
  for (const [form, { level, signature }] of last) {
    const other = await ask(signer, FORMS[form]({ level, payloadHash: hash(9) }));
    if (other !== 409) throw new Error(`after the restart other bytes for the ${form} at ${level} got ${other}`);
    const below = await ask(signer, FORMS[form]({ level: level - 1, round: 7, payloadHash: hash(9) }));
    if (below !== 409) throw new Error(`after the restart a ${form} below ${level} got ${below}`);
    if (form !== "block") continue;
    const same = await ask(signer, block({ level }));
    // Another block may have been reserved above it, by a request whose answer the kill took away.
    if (same === 409) continue;
    if (same !== signature) throw new Error(`after the restart the block at ${level} got another signature`);
    counts.sameSignature += 1;
  }
}

/** A signature, a status, or undefined where the process died under the request. */
async function ask(signer: SignerProcess, payload: Buffer): Promise<string | number | undefined> {
  try {
    const answer = await fetch(`${signer.url}/keys/${signer.addresses[0]}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(payload.toString("hex")),
    });
    const body = (await answer.json()) as { signature?: string };
    return answer.status === 200 ? body.signature : answer.status;
  } catch {
    return undefined;
  }
}

async function prepare(folder: string): Promise<void> {
  await writeLocalKey(join(folder, "keys"));
  const settings = {
    listen: { port: 0 },
    admin: { port: 0 },
    keys: { kind: "local", path: "keys" },
    watermarks: { kind: "sqlite", path: "watermarks.sqlite", initialise: "always", maxStep: "off" },
    policy: { default: { allow: Object.keys(FORMS) } },
  };
  writeFileSync(join(folder, "settings.yaml"), JSON.stringify(settings));
}

if (import.meta.main) {
  const started = performance.now();
  const { kills } = commandLine(
    "test:kills",
    "Kills signers at random moments under load, and looks what each remembers.",
  )
    .option("--kills <number>", "how many", wholeNumberFrom(1), 200)
    .parse()
    .opts<{ kills: number }>();
  const counts = await killCampaign(kills);
  console.log(JSON.stringify({ ...counts, seconds: Math.round((performance.now() - started) / 1_000) }));
}
