import { Imds } from "../test/emulators/imds/imds.ts";
import { KeyVaultEmulator } from "../test/emulators/key-vault/emulator.ts";
import type { AimedFault } from "../test/emulators/key-vault/faults.ts";
import type { Latency } from "../test/emulators/key-vault/latency.ts";
import { AZURE_LIMITS } from "../test/emulators/key-vault/throttle.ts";
import { startLogin } from "./login.ts";

/**
 * An emulated vault with its HSM's keys, and who hands out tokens for it, in a process of its own: its work is neither the
 * client's nor the signers'.
 */

/** What the process tells once it can be asked. */
export interface VaultAddress {
  readonly vault: string;
  readonly imds: string;
  /** A proxy that answers in the place of Microsoft's login. */
  readonly login: string;
  readonly clientId: string;
  /** PEM of the authority of all certificates here. */
  readonly ca: string;
}

/** How the vault behaves from now on. */
export interface VaultMood {
  readonly latency: Latency;
  readonly faults: readonly (AimedFault & { readonly rate: number })[];
  /** Whether it refuses what is above Key Vault's own limits. */
  readonly isLimited: boolean;
}

const SIGNER = { clientId: "0b4dd1f2-6f3a-4bd5-9b5c-2f8f3f0f6f02", objectId: "7a0c1f0e-3f57-4a55-8a39-51d0b1f0aa03" };
const UNLIMITED = { hsmCreate: 1e9, softwareCreate: 1e9, hsm: 1e9, software: 1e9 };

const [curve = "P-256", keys = "1"] = process.argv.slice(2);
const imds = await Imds.start({ identities: [SIGNER] });
const vault = await KeyVaultEmulator.start({
  tls: true,
  hostname: "127.0.0.1",
  tokens: imds.tokens,
  policies: { [SIGNER.objectId]: ["get", "list", "sign"] },
  limits: UNLIMITED,
});
for (let key = 0; key < Number(keys); key += 1) vault.createKey(`baker-${key}`, { crv: curve as "P-256" | "P-256K" });
const { authority } = vault;
if (authority === undefined) throw new Error("a vault over TLS has an authority");
const login = await startLogin(authority, imds.tokens, SIGNER);

process.on("message", ({ latency, faults, isLimited }: VaultMood) => {
  vault.latency = latency;
  vault.faults.rate(faults);
  vault.throttle.limits = isLimited ? AZURE_LIMITS : UNLIMITED;
  process.send?.("set");
});
process.on("disconnect", () => {
  authority.close();
  process.exit();
});
const address: VaultAddress = {
  vault: vault.url,
  imds: imds.url,
  login,
  clientId: SIGNER.clientId,
  ca: authority.certificate,
};
process.send?.(address);
