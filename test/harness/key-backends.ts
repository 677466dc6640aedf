import { join } from "node:path";
import type { Context } from "mocha";
import type { Curve } from "../../signer/tezos/crypto/curve.ts";
import { Imds } from "../emulators/imds/imds.ts";
import { KeyVaultEmulator } from "../emulators/key-vault/emulator.ts";
import { requiresBoard, startBoard } from "./board.ts";
import { writeLocalKey } from "./local-key.ts";
import { requiresToken, SoftToken } from "./soft-token.ts";

/** What a backend can be made to do wrong: all that any of them can look like from a signer. */
export type KeyFault = "away" | "hangs" | "wrong-signature";

/** Where one key lives that may sign, and what a signer is told of it. */
export interface KeyPlace extends AsyncDisposable {
  /** `keys` of a signer's settings. */
  readonly settings: { readonly kind: string; readonly [name: string]: unknown };
  /** What a signer's process needs in its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** The emulated vault, where that is what it is. */
  readonly vault?: KeyVaultEmulator | undefined;
  /** Misbehaves from now on, or does not any more. Only where the backend misbehaves. */
  fault?(fault: KeyFault | undefined): void;
}

export interface KeyBackend {
  readonly name: "local" | "azure-key-vault" | "pkcs11" | "tezio";
  /** Whether it can be made to misbehave; files cannot. */
  readonly misbehaves: boolean;
  /** Skips the running test where this backend cannot be had. */
  requires(context: Context): void;
  /** @param folder where it may leave files */
  place(folder: string, curve: Curve): Promise<KeyPlace>;
}

/** Every backend of keys there is: the tests of a signer pass on each of them, unchanged. docs/extending.md says how another one comes in. */
export const KEY_BACKENDS: readonly KeyBackend[] = [
  {
    name: "local",
    misbehaves: false,
    requires: () => undefined,
    async place(folder, curve) {
      const path = join(folder, "keys");
      await writeLocalKey(path, curve);
      return { settings: { kind: "local", path }, env: {}, [Symbol.asyncDispose]: async () => undefined };
    },
  },
  { name: "azure-key-vault", misbehaves: true, requires: () => undefined, place: (_, curve) => vaultPlace(curve) },
  { name: "pkcs11", misbehaves: true, requires: requiresToken, place: (_, curve) => tokenPlace(curve) },
  { name: "tezio", misbehaves: true, requires: requiresBoard, place: boardPlace },
];

/** One backend by its name. */
export function keyBackend(name: KeyBackend["name"]): KeyBackend {
  const found = KEY_BACKENDS.find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no key backend ${name}`);
  return found;
}

const MACHINE = {
  clientId: "0b4dd1f2-6f3a-4bd5-9b5c-2f8f3f0f6f01",
  objectId: "7a0c1f0e-3f57-4a55-8a39-51d0b1f0aa02",
};

/** An emulated IMDS with the machine's identity, and how a signer is told of it. */
export async function machineIdentity() {
  const imds = await Imds.start({ identities: [MACHINE] });
  const env = {
    AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.url,
    AZURE_TOKEN_CREDENTIALS: "ManagedIdentityCredential",
    AZURE_CLIENT_ID: MACHINE.clientId,
  };
  return { env, tokens: imds.tokens, stop: () => imds.stop() };
}

async function vaultPlace(curve: Curve): Promise<KeyPlace> {
  const machine = await machineIdentity();
  const policies = { [MACHINE.objectId]: ["get", "list", "sign"] as const };
  const vault = await KeyVaultEmulator.start({ tokens: machine.tokens, policies });
  vault.createKey("baker", { crv: curve });
  const faults = {
    away: { kind: "status", status: 503, rate: 1 },
    hangs: { kind: "stall-headers", rate: 1 },
    "wrong-signature": { kind: "wrong-signature", on: "sign", rate: 1 },
  } as const satisfies Record<KeyFault, Parameters<typeof vault.faults.rate>[0][number]>;
  return {
    vault,
    settings: { kind: "azure-key-vault", vault: vault.url, clientId: MACHINE.clientId },
    env: machine.env,
    fault: (fault) => vault.faults.rate(fault === undefined ? [] : [faults[fault]]),
    [Symbol.asyncDispose]: async () => {
      await vault.stop();
      await machine.stop();
    },
  };
}

async function tokenPlace(curve: Curve): Promise<KeyPlace> {
  const token = SoftToken.make("faulty");
  token.tell();
  await token.generate("baker", curve);
  const faults: Readonly<Record<KeyFault, string>> = {
    away: "C_SignInit 50\nC_GetSlotList 50",
    hangs: "C_Sign hang",
    "wrong-signature": "C_Sign flip",
  };
  return {
    settings: token.settings,
    // Its tokens and its module's faults are found by this process' own environment.
    env: {},
    fault: (fault) => token.tell(fault && faults[fault]),
    [Symbol.asyncDispose]: async () => token[Symbol.dispose](),
  };
}

async function boardPlace(folder: string, curve: Curve): Promise<KeyPlace> {
  const path = join(folder, "board");
  // The suites ask for several chains with one key, which a board's own marks do not tell apart (docs/tezio.md).
  const board = await startBoard(path, { curves: [curve], hasMarks: false });
  return {
    settings: { kind: "tezio", device: path },
    env: {},
    fault(fault) {
      board.faults.always(
        fault === "hangs"
          ? { kind: "held", on: "sign" }
          : fault === "away"
            ? undefined
            : fault && { kind: fault, on: "sign" },
      );
      board.release();
      if (fault === "away") board.unplug();
      else void board.plugIn();
    },
    [Symbol.asyncDispose]: () => board[Symbol.asyncDispose](),
  };
}
