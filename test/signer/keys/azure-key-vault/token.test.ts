import { syncBuiltinESMExports } from "node:module";
import timers from "node:timers/promises";
import { expect } from "chai";
import { FreshToken } from "../../../../signer/keys/azure-key-vault/token.ts";

/** What one attempt at a token may take, in milliseconds. */
const ATTEMPT = 2_000;
const HEALED_WITHIN = 5_000;

/** The pauses, in milliseconds, that begin while this is in scope. None of them lasts. */
function passingPauses(): number[] & Disposable {
  const { setTimeout: real } = timers;
  const pauses: number[] = [];
  timers.setTimeout = (milliseconds, value) => {
    pauses.push(milliseconds ?? 0);
    return real(0, value);
  };
  syncBuiltinESMExports();
  return Object.assign(pauses, {
    [Symbol.dispose]: () => {
      timers.setTimeout = real;
      syncBuiltinESMExports();
    },
  });
}

describe("a vault's access token", () => {
  it("is asked for so often that it is there five seconds after who gives it is back, however long that was away", async () => {
    using pauses = passingPauses();
    let attempts = 0;
    const getToken = async () => {
      attempts += 1;
      if (attempts <= 30) throw new Error("away");
      return { token: "good", expiresOnTimestamp: Date.now() + 3_600_000 };
    };
    const token = new FreshToken({ getToken }, "scope", () => undefined);
    expect(await token.current(AbortSignal.timeout(20_000))).to.equal("good");
    token.close();
    expect(pauses.slice(0, 30).every((pause) => ATTEMPT + pause < HEALED_WITHIN)).to.equal(true);
  });
});
