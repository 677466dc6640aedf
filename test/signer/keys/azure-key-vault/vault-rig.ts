import dns from "node:dns";
import { setTimeout as sleep } from "node:timers/promises";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { openAzureKeyVaultKeyring } from "../../../../signer/keys/azure-key-vault/keyring.ts";
import type { Keyring, SigningKey } from "../../../../signer/keys/keyring.ts";
import { Imds } from "../../../emulators/imds/imds.ts";
import { KeyVaultEmulator } from "../../../emulators/key-vault/emulator.ts";
import type { Crv } from "../../../emulators/key-vault/software-key.ts";
import { logLines } from "../../../harness/log-lines.ts";

/** The signer's managed identity. */
export const SIGNER = {
  clientId: "11111111-2222-4333-8444-555555555555",
  objectId: "66666666-7777-4888-8999-aaaaaaaaaaaa",
};

export interface RigOptions {
  readonly tls?: boolean;
  readonly crv?: Crv;
  /** Seconds. */
  readonly tokenLifetime?: number;
  readonly include?: "all" | readonly string[] | (() => readonly string[]);
  /** Milliseconds between two looks at the vault's keys; default 250. */
  readonly rediscover?: number;
  /** Milliseconds that one look may take, retries included; default 10,000. */
  readonly discovery?: number;
  /** Milliseconds that opening waits for the vault; default 10,000. */
  readonly startupTimeout?: number;
  /** Milliseconds for one try at the vault; default 20,000, for a computer that is busy. */
  readonly try?: number;
  /** Called when vault and IMDS are there and the keyring is not. */
  readonly before?: (parts: Pick<Rig, "vault" | "imds">) => unknown;
}

/** An emulated vault with one key "baker", an emulated IMDS, and the signer's keyring on both. */
export interface Rig {
  readonly vault: KeyVaultEmulator;
  readonly imds: Imds;
  readonly keyring: Keyring;
  readonly lines: Record<string, unknown>[];
  /** Lines of one kind of fault. */
  logged(kind: string): Record<string, unknown>[];
  /** The first key. */
  key(): SigningKey;
  /** Undoes what a test did to this process. */
  restore: () => void;
}

export async function startRig(options: RigOptions = {}): Promise<Rig> {
  const { tls = false, crv = "P-256", tokenLifetime = 3_600, include = "all" } = options;
  const imds = await Imds.start({ identities: [SIGNER], lifetime: tokenLifetime });
  const policies = { [SIGNER.objectId]: ["get", "list", "sign"] as const };
  const vault = await KeyVaultEmulator.start({ tls, hostname: "localhost", tokens: imds.tokens, policies });
  if (vault.authority !== undefined) {
    setDefaultCACertificates([...getCACertificates("default"), vault.authority.certificate]);
  }
  vault.createKey("baker", { crv });
  const { log, lines } = logLines();
  await options.before?.({ vault, imds });
  process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST = imds.url;
  const keyring = await openAzureKeyVaultKeyring({
    vault: vault.url,
    include: () => (typeof include === "function" ? include() : include),
    credential: "managed-identity",
    clientId: SIGNER.clientId,
    logger: log,
    times: {
      try: options.try ?? 20_000,
      rediscover: options.rediscover ?? 250,
      refresh: 100,
      discovery: options.discovery ?? 10_000,
      startupTimeout: options.startupTimeout ?? 10_000,
    },
  });
  return {
    vault,
    imds,
    keyring,
    lines,
    logged: (kind) => lines.filter(({ fault, severity }) => fault === kind && severity === "warn"),
    key() {
      const key = [...keyring.keys.values()][0];
      if (key === undefined) throw new Error(`there is no key: ${keyring.problem?.()}`);
      return key;
    },
    restore: () => {},
  };
}

export async function closeRig(rig: Rig): Promise<void> {
  delete process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST;
  await rig.keyring.close();
  await Promise.all([rig.vault.stop(), rig.imds.stop()]);
}

/** Waits until something has come to pass: nearly for as long as a test may take, on a computer that is busy too. */
export async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries += 1) {
    if (tries > 4_500) throw new Error("it did not come to pass within 90 s");
    await sleep(20);
  }
}

/** Makes names unknown to this process. @returns the way back */
export function breakDns(): () => void {
  const { lookup } = dns;
  const broken = (name: string, _options: unknown, done: (error: Error) => void) =>
    process.nextTick(done, Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: "ENOTFOUND" }));
  dns.lookup = broken as typeof dns.lookup;
  return () => {
    dns.lookup = lookup;
  };
}
