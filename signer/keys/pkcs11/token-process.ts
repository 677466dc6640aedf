/**
 * The process that has a vendor's library in it, and does what the signer asks. The library may hang or crash without the
 * signer; the signer then ends this process and starts another. It ends with the signer.
 * @module
 */
import { Worker } from "node:worker_threads";
import { messageOf } from "../../errors.ts";
import { faultOf, perform } from "./calls.ts";
import { FLAGS } from "./codes.ts";
import { type Cryptoki, loadDriver } from "./driver.ts";
import { TokenFault } from "./fault.ts";
import { type Answer, FAREWELL, type Question, type Questions } from "./messages.ts";
import { generateKey, importKey } from "./new-key.ts";
import { Token } from "./token.ts";

let cryptoki: Cryptoki | undefined;
let token: Token | undefined;

function open(ask: Questions["open"]["ask"]): null {
  try {
    cryptoki = loadDriver(ask.module);
  } catch (error) {
    throw new TokenFault("library", messageOf(error), { cause: error });
  }
  const loaded = cryptoki;
  perform("C_Initialize", () => loaded.C_Initialize({ flags: FLAGS.OS_LOCKING_OK }));
  token = Token.open(loaded, ask, ask.pin);
  return null;
}

function current(): { cryptoki: Cryptoki; token: Token } {
  if (cryptoki === undefined || token === undefined) throw new TokenFault("session", "The token is not open.");
  return { cryptoki, token };
}

/** Makes a key in a session that may write. */
function make(work: (cryptoki: Cryptoki, session: Buffer) => void): null {
  const open = current();
  open.token.inWritableSession((session) => work(open.cryptoki, session));
  return null;
}

function answer({ name, ask }: Question): unknown {
  switch (name) {
    case "open":
      return open(ask as Questions["open"]["ask"]);
    case "find":
      return current().token.find();
    case "sign": {
      const { point, digest } = ask as Questions["sign"]["ask"];
      return current().token.sign(point, digest);
    }
    case "generate":
      return make((loaded, session) => generateKey(loaded, session, ask as Questions["generate"]["ask"]));
    case "import":
      return make((loaded, session) => importKey(loaded, session, ask as Questions["import"]["ask"]));
  }
}

function send(message: Answer): void {
  // Where the signer is gone there is nobody to tell, and `disconnect` follows.
  process.send?.(message, () => undefined);
}

process.on("message", async (question: Question) => {
  const { number } = question;
  try {
    send({ number, answer: await answer(question) });
  } catch (error) {
    const { kind, message } = faultOf("A call", error);
    send({ number, fault: { kind, message } });
  }
});

// systemd and a terminal send these to the signer's children as well; the signer still finishes what was asked of it.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"] as const) process.on(signal, () => undefined);

process.on("disconnect", () => {
  // A library that hangs in C_Finalize keeps this thread, and no signer may be there any more that ends the process.
  new Worker(`setTimeout(() => process.kill(process.pid, "SIGKILL"), ${FAREWELL})`, { eval: true });
  try {
    cryptoki?.C_Finalize();
  } finally {
    // exit() would wait for threads in which the library hangs.
    process.kill(process.pid, "SIGKILL");
  }
});
