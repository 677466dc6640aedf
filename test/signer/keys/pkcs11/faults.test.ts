import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { SignerError } from "../../../../signer/errors.ts";
import { verifySignature } from "../../../../signer/tezos/crypto/signature.ts";
import { rejection } from "../../../harness/rejection.ts";
import { PIN, requiresToken, SoftToken } from "../../../harness/soft-token.ts";
import { DIGEST, openToken } from "./open-token.ts";

/** Times that let a fault be over soon. */
const TIMES = { startup: 20_000, interval: 200, refresh: 0, look: 20_000, patience: 20_000 };
/** A test that waits for no look of its own. */
const RARELY = { ...TIMES, interval: 3_600_000, refresh: 3_600_000 };

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(20);
}

/** What a device, its library or the way to it does, once: as docs/hsm.md lists them. */
const LOST: readonly (readonly [what: string, fault: string, kind: string])[] = [
  ["a session that the token dropped", "C_SignInit 179 once", "session"],
  ["a session that the token closed", "C_SignInit 176 once", "session"],
  ["a login that the token forgot", "C_SignInit 257 once", "session"],
  ["a key's handle that is another one now", "C_SignInit 96 once", "session"],
  ["a device that was unplugged", "C_Sign 50 once", "removed"],
  ["a token that is not present", "C_Sign 224 once", "removed"],
  ["a device's error", "C_Sign 48 once", "device"],
  ["a code that only the vendor knows", "C_Sign 2147483653 once", "device"],
  ["a library that crashes", "C_Sign crash once", "process"],
];

describe("faults of a PKCS#11 token", function () {
  this.timeout(120_000);
  let token: SoftToken;

  before(async function () {
    requiresToken(this);
    token = SoftToken.make("faulty");
    token.tell();
    await token.generate("baker", "P-256");
  });
  beforeEach(() => token.tell());
  after(() => token?.[Symbol.dispose]());

  for (const [what, fault, kind] of LOST) {
    it(`costs no signature: ${what}`, async () => {
      await using opened = await openToken(token, { times: RARELY });
      token.tell(fault);
      expect(verifySignature(opened.key.publicKey, DIGEST, await opened.sign())).to.equal(true);
      const told = opened.lines.filter(({ severity }) => severity === "warn");
      expect(told.map(({ fault }) => fault)).to.deep.equal([kind]);
      expect(token.calls("C_Login")).to.equal(1);
      expect(opened.keyring.problem?.()).to.equal(undefined);
    });
  }

  it("end a library that hangs, answer 502 meanwhile, and sign again with another process", async () => {
    await using opened = await openToken(token, { times: { ...RARELY, patience: 5_000 } });
    token.tell("C_Sign hang once");
    const late = await rejection(opened.sign(DIGEST, 100), SignerError);
    expect(late.code).to.equal("vault-unavailable");
    await opened.sign();
    token.tell("C_Sign hang once");
    await opened.sign();
    expect(opened.lines.map((line) => line.fault)).to.include("timeout");
  });

  it("are told by readiness while a token is away, and are over when it is back, without a restart", async () => {
    await using opened = await openToken(token, { times: TIMES });
    const { key } = opened;
    token.tell("C_SignInit 224\nC_GetSlotList 224");
    const away = await rejection(opened.sign(DIGEST, 3_000), SignerError);
    expect(away.code).to.equal("vault-unavailable");
    expect(opened.keyring.problem?.()).to.include("CKR_TOKEN_NOT_PRESENT");
    expect(key.refusal).to.include("Put the device back");
    token.tell();
    await until(() => opened.keyring.problem?.() === undefined);
    expect(key.refusal).to.equal(undefined);
    await opened.sign();
  });

  it("bring about a look at the token, which ends them where they are over", async () => {
    await using opened = await openToken(token, { times: { ...RARELY, refresh: 0 } });
    token.tell("C_Sign 48");
    await rejection(opened.sign(), SignerError);
    expect(opened.keyring.problem?.()).to.include("CKR_DEVICE_ERROR");
    token.tell();
    await until(() => opened.keyring.problem?.() === undefined);
  });

  it("let no signature out that a device got wrong", async () => {
    await using opened = await openToken(token, { times: RARELY });
    token.tell("C_Sign flip");
    expect((await rejection(opened.sign(), SignerError)).code).to.equal("signature-invalid");
    token.tell();
    await opened.sign();
  });

  it("do not include a point without its DER header: the same key is read from it", async () => {
    const addresses = await Promise.all(
      [undefined, "C_GetAttributeValue bare"].map(async (fault, at) => {
        await sleep(at);
        token.tell(fault);
        await using opened = await openToken(token, { times: RARELY });
        return opened.key.publicKey.address;
      }),
    );
    expect(addresses[0]).to.equal(addresses[1]);
  });

  it("answer 500 for a key that may not sign so, and say what it must be", async () => {
    await using opened = await openToken(token, { times: RARELY });
    token.tell("C_SignInit 112");
    const refused = await rejection(opened.sign(), SignerError);
    expect(refused.code).to.equal("internal-error");
    expect(opened.key.refusal).to.include("CKR_MECHANISM_INVALID").and.include("CKM_ECDSA");
    expect(token.calls("C_SignInit")).to.equal(1);
  });

  describe("of the PIN", () => {
    afterEach(() => token.writePin(PIN));

    it("is tried once where it is wrong, however often it is asked for, and anew when its file is another", async () => {
      token.writePin("wrong-wrong-wrong");
      token.tell();
      await using opened = await openToken(token, { times: { ...TIMES, interval: 20 } });
      expect(opened.keyring.problem?.()).to.include("CKR_PIN_INCORRECT").and.include("It is not tried again");
      await sleep(1_500);
      expect(token.calls("C_Login")).to.equal(1);
      expect(JSON.stringify(opened.lines)).not.to.include("wrong-wrong");
      token.writePin(PIN);
      await until(() => opened.keyring.problem?.() === undefined);
      expect(token.calls("C_Login")).to.equal(2);
      await opened.sign();
      expect(JSON.stringify(opened.lines)).not.to.include(PIN);
    });

    it("is not tried again after a login is lost where it became wrong meanwhile", async () => {
      await using opened = await openToken(token, { times: { ...TIMES, interval: 20 } });
      token.writePin("wrong-wrong-wrong");
      token.tell("C_SignInit 257 once");
      const refused = await rejection(opened.sign(DIGEST, 20_000), SignerError);
      expect(refused.message).to.include("CKR_PIN_INCORRECT");
      for (let tries = 0; tries < 5; tries += 1) await rejection(opened.sign(DIGEST, 20_000), SignerError);
      expect(token.calls("C_Login")).to.equal(1);
      expect(opened.key.refusal).to.include("It is not tried again");
    });
  });
});
