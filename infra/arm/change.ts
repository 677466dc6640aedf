/**
 * Has Azure's resource manager do something, and waits for the end of what goes on after its answer.
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { ArmRefusal, type Asker, ENDPOINT, type Exchange, exchange, NoAnswer } from "./client.ts";

/** Where Azure does not say how long to wait before the next look. */
const PAUSE_S = 5;

/**
 * Sends a request that changes something or has something run (async-operations: 202 with an address to look at).
 * @param body undefined for none
 * @returns what came at the end; undefined where that has no body
 * @throws ArmRefusal, also where it is the end that is a failure; NoAnswer
 */
export async function change<Body>(
  method: "PUT" | "POST" | "DELETE",
  path: string,
  body: object | undefined,
  asker: Asker,
): Promise<Body | undefined> {
  const sent =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
  let answer = await exchange(path, asker, { method, ...sent });
  while (answer.status === 202) answer = await look(path, answer, asker);
  return answer.body as Body | undefined;
}

/** So many looks in a row may come to nothing: what was begun goes on all the while. */
const LOOKS = 6;

/** Looks once more, where the last answer says. */
async function look(path: string, { headers }: Exchange, asker: Asker): Promise<Exchange> {
  const at = headers.get("location") ?? headers.get("azure-asyncoperation") ?? "";
  // The token goes to no other host.
  if (!at.startsWith(`${ENDPOINT}/`))
    throw new Error(`${path.split("?")[0]}: Azure does not say where its end is told`);
  const seconds = Number(headers.get("retry-after") ?? PAUSE_S);
  const options = asker.signal === undefined ? {} : { signal: asker.signal };
  const pause = () => sleep(1_000 * (Number.isFinite(seconds) ? seconds : PAUSE_S), undefined, options);
  await pause();
  const answer = await patiently(() => exchange(at.slice(ENDPOINT.length), asker, {}), pause);
  const status = (answer.body as { status?: unknown } | undefined)?.status;
  if (headers.has("location") || typeof status !== "string") return answer;
  if (/^(?:failed|canceled)$/i.test(status)) {
    const { error } = answer.body as { error?: { code?: string } };
    throw new ArmRefusal(path, answer.status, error?.code ?? status);
  }
  // What this address answers is 200 all the while.
  return /^succeeded$/i.test(status) ? answer : { ...answer, status: 202, headers };
}

/** Asks again where the network was away, or Azure was asked too often or was not well. @throws what the last look came to */
async function patiently(ask: () => Promise<Exchange>, pause: () => Promise<unknown>): Promise<Exchange> {
  for (let looks = 1; ; looks++) {
    try {
      return await ask();
    } catch (error) {
      const passes =
        error instanceof ArmRefusal ? error.status === 429 || error.status >= 500 : error instanceof NoAnswer;
      if (!passes || looks === LOOKS) throw error;
      await pause();
    }
  }
}
