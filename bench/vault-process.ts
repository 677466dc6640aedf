import { Imds } from "../test/emulators/imds/imds.ts";
import { KeyVaultEmulator } from "../test/emulators/key-vault/emulator.ts";

/** An emulated vault with one key, in a process of its own, so that its work is not the client's. The delay is its HSM's. */
const SIGNER = { clientId: "0b4dd1f2-6f3a-4bd5-9b5c-2f8f3f0f6f02", objectId: "7a0c1f0e-3f57-4a55-8a39-51d0b1f0aa03" };
const [curve = "P-256", delay = "20"] = process.argv.slice(2);

const imds = await Imds.start({ identities: [SIGNER] });
const vault = await KeyVaultEmulator.start({
  tokens: imds.tokens,
  policies: { [SIGNER.objectId]: ["get", "list", "sign"] },
  latency: { median: Number(delay), p99: Number(delay) },
});
vault.createKey("baker", { crv: curve as "P-256" | "P-256K" });
process.on("disconnect", () => process.exit());
process.send?.({ vault: vault.url, imds: imds.url, clientId: SIGNER.clientId });
