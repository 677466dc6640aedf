import { compare } from "../../../signer/watermark/decision.ts";
import type { SignerMachine, SignerState } from "./machine.ts";
import { type Answer, BrokenPromise, type Event, type Request } from "./messages.ts";
import { perform, type Store } from "./outside.ts";
import type { View } from "./views.ts";

/**
 * Once faults have stopped: the bytes that were reserved and everything above are signed, by either signer.
 * @throws BrokenPromise
 */
export async function checkLiveness(
  machine: SignerMachine,
  requests: readonly Request[],
  store: Store,
  views: readonly [View, View],
): Promise<void> {
  let now = store;
  const states: SignerState[] = views.map(({ state }) => state);
  const ask = async (signer: number, request: Request): Promise<void> => {
    const { kind, level, round, bytes } = request;
    const recorded = now.rows[kind]?.row;
    const order = recorded === undefined ? 1 : compare(request, recorded);
    const { says, state, store } = await answer(machine, states[signer] as SignerState, request, now);
    now = store;
    states[signer] = state;
    const mustSign = order > 0 || (order === 0 && recorded?.digest === bytes);
    if (mustSign && !("signature" in says)) {
      const what = `${kind} ${bytes} at ${level}/${round}`;
      throw new BrokenPromise(`${what} is not signed by signer ${signer} after the faults: ${JSON.stringify(says)}`);
    }
  };
  for (const kind of new Set(requests.map(({ kind }) => kind))) {
    for (const { level, round, bytes } of requests.filter((request) => request.kind === kind)) {
      for (const signer of [0, 1]) await ask(signer, { kind, level, round, bytes });
    }
    for (const signer of [0, 1]) {
      const level = (now.rows[kind]?.row.level ?? 0) + 1;
      // The level too, since these bytes stand for one request: a state of a signer is told by them.
      await ask(signer, { kind, level, round: 0, bytes: `next${kind}${signer}at${level}` });
    }
  }
}

/** Asks one signer alone; every call is done and answered at once. */
async function answer(machine: SignerMachine, from: SignerState, request: Request, store: Store) {
  let state = from;
  let now = store;
  let says: Answer["says"] | undefined;
  const tell = async (event: Event) => {
    const transition = await machine.tell(state, event);
    state = transition.state;
    says ??= transition.answers[0]?.says;
  };
  await tell({ tells: "request", attempt: "after", request });
  for (let [call] = state.calls; call !== undefined; [call] = state.calls) {
    const { name, operation } = call;
    if (operation.does === "sign") {
      await tell({ tells: "outcome", call: name, outcome: { value: `safterof${request.bytes}` } });
    } else {
      const done = perform(now, operation);
      now = done.store;
      await tell({ tells: "outcome", call: name, outcome: done.outcome });
    }
  }
  if (says === undefined) throw new BrokenPromise(`${request.kind} ${request.bytes} is never answered`);
  return { says, state, store: now };
}
