import { type Runtime, Session } from "node:inspector/promises";
import type { Guard } from "../../../signer/watermark/guard.ts";
import type { TrustedStore } from "../../../signer/watermark/trusted-store.ts";

/** The private fields in which a signer keeps what it knows between two requests. */
const FIELDS = `JSON.stringify([
  explored.trusted.#id,
  explored.trusted.#isListed,
  [...explored.trusted.#stops].sort(),
  [...explored.trusted.#named].sort(),
  [...explored.trusted.#making.values()].map((key) => JSON.stringify(key)).sort(),
  [...explored.trusted.#memory.#known].sort(),
  [...explored.trusted.#memory.#highest].sort(),
  [...explored.guard.#attempts.keys()].sort(),
  [...explored.guard.#released].sort(),
])`;

/** Only the debugger's REPL may read private fields. */
const QUESTION = { expression: FIELDS, replMode: true };

const session = new Session();
session.connect();

/**
 * All that a signer remembers between two calls, as text.
 * @throws Error where a field was renamed
 */
export async function memoryOf(trusted: TrustedStore, guard: Pick<Guard, "sign">): Promise<string> {
  Object.assign(globalThis, { explored: { trusted, guard } });
  // The types' first overload fits every method and answers with nothing.
  const answer = (await session.post("Runtime.evaluate", QUESTION)) as unknown as Runtime.EvaluateReturnType;
  const { result, exceptionDetails } = answer;
  if (typeof result.value !== "string")
    throw new Error(`the signer's memory could not be read: ${exceptionDetails?.exception?.description}`);
  return result.value;
}
