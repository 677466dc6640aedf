import type { QuestionName, Questions } from "./messages.ts";
import { readPin } from "./pin.ts";
import { type TokenSettings, tokenPlace } from "./place.ts";
import { TokenWorker } from "./worker.ts";

/** How long a token may take to make a key, in milliseconds. */
const PATIENCE = 60_000;

/** Asks a token that is open. @throws TokenFault */
export type TokenAsk = <Name extends QuestionName>(
  name: Name,
  ask: Questions[Name]["ask"],
) => Promise<Questions[Name]["answer"]>;

/**
 * Opens a token, asks it, and closes it: for a person's command. Nothing is tried twice.
 * @throws StartError as tokenPlace does, TokenFault
 */
export async function askToken<T>(settings: TokenSettings, work: (ask: TokenAsk) => Promise<T>): Promise<T> {
  const place = await tokenPlace(settings);
  const { text } = await readPin(settings.pin.file);
  const worker = new TokenWorker(PATIENCE);
  try {
    await worker.ask("open", { ...place, pin: text });
    return await work((name, ask) => worker.ask(name, ask));
  } finally {
    await worker.close();
  }
}
