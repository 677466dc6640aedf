import { setTimeout as sleep } from "node:timers/promises";
import { sign } from "../../emulators/octez-client.ts";
import { attestation, block, hash, preattestation } from "../../fixtures/payloads.ts";

/**
 * An octez-shaped client in a process of its own, at the baker's place: one loop for each key, two connections a signature,
 * the next one after the answer to the one before. Says each answer on a line.
 */
export interface Asked {
  readonly key: string;
  /** Of the request: one form, level and payload. */
  readonly form: Form;
  readonly level: number;
  readonly bytes: number;
  /** Milliseconds since 1970, and how long it waited. */
  readonly at: number;
  readonly wait: number;
  /** 0 where there was none. */
  readonly status: number;
  readonly signature?: string;
  readonly message?: string;
  /** It waited as long as the client does. */
  readonly hung: boolean;
}

/** One key, and how it is asked for. */
export interface Loop {
  readonly key: string;
  /** Between the beginnings of two rounds, milliseconds. */
  readonly pace: number;
  /** What a round asks for, one after the other. */
  readonly forms: readonly Form[];
  /** After so long the client gives a request up, milliseconds. */
  readonly patience: number;
  /** Every so many rounds the same positions are asked for with other bytes as well, at once; 0: never. */
  readonly rivals: number;
}

const FORMS = { block, preattestation, attestation } as const;
export type Form = keyof typeof FORMS;

async function once(url: string, loop: Loop, form: Form, level: number, bytes: number): Promise<void> {
  const { key, patience } = loop;
  const at = Date.now();
  const signal = AbortSignal.timeout(patience);
  const payload = FORMS[form]({ level, payloadHash: hash(bytes) }).toString("hex");
  const answer = await sign(url, key, payload, { signal }).catch((error: Error) => {
    return { status: 0, attempts: 1, message: error.message, signature: undefined };
  });
  const { status, signature, message } = answer;
  const asked: Asked = {
    ...{ key, form, level, bytes, at, wait: Date.now() - at, status, hung: signal.aborted },
    ...(signature === undefined ? {} : { signature }),
    ...(message === undefined ? {} : { message }),
  };
  console.log(JSON.stringify(asked));
}

async function follow(url: string, loop: Loop): Promise<never> {
  for (let level = 1_000; ; level += 1) {
    const next = Date.now() + loop.pace;
    const rival = loop.rivals > 0 && level % loop.rivals === 0;
    for (const form of loop.forms) {
      await Promise.all([once(url, loop, form, level, 1), ...(rival ? [once(url, loop, form, level, 2)] : [])]);
    }
    await sleep(Math.max(0, next - Date.now()));
  }
}

if (import.meta.main) {
  const [url = "", loops = "[]"] = process.argv.slice(2);
  await Promise.all((JSON.parse(loops) as Loop[]).map((loop) => follow(url, loop)));
}
