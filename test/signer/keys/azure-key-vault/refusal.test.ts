import { setTimeout as sleep } from "node:timers/promises";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { expect } from "chai";
import { VAULT_FAULTS, type VaultFaultKind } from "../../../../signer/keys/azure-key-vault/fault.ts";
import { keyProblem } from "../../../../signer/keys/key-problem.ts";
import type { SigningKey } from "../../../../signer/keys/keyring.ts";
import { signVerified } from "../../../../signer/keys/verified-signature.ts";
import type { Fault } from "../../../emulators/key-vault/faults.ts";
import { breakDns, closeRig, type Rig, type RigOptions, SIGNER, startRig, until } from "./vault-rig.ts";

const digest = Buffer.alloc(32, 7);

interface Scenario {
  readonly options?: RigOptions;
  readonly arrange: (rig: Rig) => unknown;
  readonly heal: (rig: Rig) => unknown;
}

const always = (fault: Fault): Scenario => ({
  arrange: ({ vault }) => vault.faults.rate([{ ...fault, on: "sign", rate: 1 }]),
  heal: ({ vault }) => vault.faults.clear(),
});
const keyChange = (before: Parameters<Rig["vault"]["updateKey"]>[1], after: typeof before): Scenario => ({
  arrange: ({ vault }) => vault.updateKey("baker", before),
  heal: ({ vault }) => vault.updateKey("baker", after),
});

/** How each kind of fault is brought about for a signature, as long as nobody heals it. */
const SCENARIOS: Record<VaultFaultKind, Scenario> = {
  connection: always({ kind: "reset" }),
  dns: {
    arrange: (rig) => {
      rig.restore = breakDns();
      rig.vault.connections.cutAll();
    },
    heal: (rig) => rig.restore(),
  },
  tls: {
    options: { tls: true },
    arrange: ({ vault }) => vault.presentCertificate("untrusted"),
    heal: ({ vault }) => vault.presentCertificate("good"),
  },
  timeout: always({ kind: "stall-headers" }),
  throttled: always({ kind: "status", status: 429 }),
  service: always({ kind: "status", status: 503 }),
  answer: always({ kind: "foreign-body" }),
  token: {
    options: { tokenLifetime: 2.2 },
    arrange: async ({ imds }) => {
      await imds.goAway();
      await sleep(2_300);
    },
    heal: ({ imds }) => imds.comeBack(),
  },
  unauthorized: always({ kind: "unauthorized" }),
  permission: {
    arrange: ({ vault }) => vault.policies.grant(SIGNER.objectId, ["get", "list"]),
    heal: ({ vault }) => vault.policies.grant(SIGNER.objectId, ["get", "list", "sign"]),
  },
  firewall: {
    arrange: ({ vault }) => vault.firewall.allow(["203.0.113.7/32"]),
    heal: ({ vault }) => vault.firewall.open(),
  },
  "key-disabled": keyChange({ enabled: false }, { enabled: true }),
  "key-unusable": keyChange({ exp: 1_700_000_000 }, { exp: 4_000_000_000 }),
  "key-missing": {
    arrange: ({ vault }) => vault.deleteKey("baker"),
    heal: async ({ vault }) => {
      await sleep(60); // the emulator's deletion takes 50 ms
      vault.recoverKey("baker");
    },
  },
  refused: always({ kind: "status", status: 400 }),
};

const sign = (key: SigningKey, deadline = 700) => signVerified(key, digest, AbortSignal.timeout(deadline));

describe("a vault's refusal that stands", () => {
  let rig: Rig;
  let usual: string[];

  before(() => {
    usual = getCACertificates("default");
  });
  afterEach(async () => {
    rig.restore();
    setDefaultCACertificates(usual);
    await closeRig(rig);
  });

  /** Waits until the vault was looked at from beginning to end. */
  async function looked(): Promise<void> {
    const before = rig.vault.calls.list;
    await until(() => {
      rig.keyring.refresh?.();
      return rig.vault.calls.list >= before + 2; // the first of two may have begun before
    });
  }
  /** As when it is asked for: a look brings back a key that was gone. */
  const served = (address: string) =>
    until(() => {
      const isHere = rig.keyring.keys.has(address);
      if (!isHere) rig.keyring.refresh?.();
      return isHere;
    });
  /** As octez does: asks until there is a signature. */
  async function signed(address: string): Promise<void> {
    for (let tries = 0; tries < 100; tries += 1) {
      await served(address);
      const signature = await sign(rig.keyring.keys.get(address) as SigningKey, 5_000).catch(() => undefined);
      if (signature !== undefined) return;
      await sleep(20);
    }
    throw new Error("no signature after the fault was over");
  }
  const problem = (key: SigningKey | undefined) => key && keyProblem(key, "any store");

  for (const [kind, { options, arrange, heal }] of Object.entries(SCENARIOS)) {
    const { standsUntil, remedy } = VAULT_FAULTS[kind as VaultFaultKind];
    const rule =
      standsUntil === undefined
        ? "is none, for it heals by itself"
        : standsUntil === "look"
          ? "is told until a look finds the key fit, or it signs"
          : "is told until the key signs, whatever a look finds";

    it(`${kind}: ${rule}`, async () => {
      rig = await startRig({ ...options, rediscover: 60_000 });
      const key = rig.key();
      const { address } = key.publicKey;
      await sign(key, 5_000);
      await arrange(rig);
      expect(problem(key)).to.equal(undefined);
      expect(await sign(key).catch((error: Error) => error)).to.be.instanceOf(Error);
      if (standsUntil === undefined) {
        expect(problem(key)).to.equal(undefined);
        return;
      }
      expect(problem(key) ?? "nothing")
        .to.contain(key.location)
        .and.to.contain(remedy);
      await heal(rig);
      rig.vault.resetCalls();
      await looked();
      if (standsUntil === "look") {
        await served(address);
        await until(() => problem(rig.keyring.keys.get(address)) === undefined);
        expect(rig.vault.calls.sign).to.equal(0);
      }
      // Brought about once more, for the other way out.
      await arrange(rig);
      const again = rig.keyring.keys.get(address) ?? key;
      await sign(again).catch(() => undefined);
      await heal(rig);
      if (standsUntil === "signature") expect(problem(again) ?? "nothing").to.contain(remedy);
      await signed(address);
      expect(problem(rig.keyring.keys.get(address))).to.equal(undefined);
    });
  }

  it("stays told through an outage, and is one key's and no other's", async () => {
    rig = await startRig({ before: ({ vault }) => vault.createKey("other"), rediscover: 60_000 });
    const [key, other] = rig.keyring.keys.values();
    if (key === undefined || other === undefined) throw new Error("two keys were expected");
    rig.vault.faults.rate([{ kind: "status", status: 400, on: "sign", key: "baker", rate: 1 }]);
    await sign(key).catch(() => undefined);
    rig.vault.faults.rate([{ kind: "status", status: 503, on: "sign", key: "baker", rate: 1 }]);
    await sign(key).catch(() => undefined);
    await sign(other, 5_000);
    expect([problem(key)?.includes("It answered 400"), problem(other)]).to.deep.equal([true, undefined]);
  });

  it("is not lifted by a look that had begun before it came", async () => {
    rig = await startRig({ rediscover: 60_000 });
    const { vault, keyring } = rig;
    const key = rig.key();
    await sign(key, 5_000);
    // The vault lets this look wait until the signature beside it was refused.
    vault.faults.script([{ kind: "delay", ms: 1_000, on: "list" }]);
    await until(() => {
      keyring.refresh?.();
      return vault.faults.pending === 0;
    });
    vault.faults.script([{ kind: "status", status: 404, on: "sign" }]);
    await sign(key).catch(() => undefined);
    const looks = vault.calls.list;
    // Another look begins when that one is over, and not sooner.
    await until(() => {
      if (vault.calls.list === looks) expect(problem(key) ?? "nothing").to.contain("404");
      keyring.refresh?.();
      return vault.calls.list > looks;
    });
    await until(() => problem(key) === undefined);
  });
});
