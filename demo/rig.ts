import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generateLocalKey, localPassphrase } from "../signer/keys/local/keyring.ts";
import { Imds } from "../test/emulators/imds/imds.ts";
import { KeyVaultEmulator } from "../test/emulators/key-vault/emulator.ts";
import { startSignerProcess, temporaryFolder } from "../test/emulators/signer-process.ts";

/** A signer that runs, with a key for baking (tz3) and one for transfers (tz2). */
export interface Rig {
  readonly title: string;
  readonly url: string;
  readonly baker: string;
  readonly manager: string;
  /** Takes the vault away until what it returns is called; absent where there is none. */
  readonly breakVault?: () => () => void;
  close(): Promise<void>;
}

const SIGNER = { clientId: "0b4dd1f2-6f3a-4bd5-9b5c-2f8f3f0f6f01", objectId: "7a0c1f0e-3f57-4a55-8a39-51d0b1f0aa02" };

/** Rigs a signer with keys in encrypted files. */
export async function localRig(): Promise<Rig> {
  const folder = await temporaryFolder();
  const path = join(folder.path, "keys");
  await mkdir(path, { mode: 0o700 });
  const passphrase = await localPassphrase(path);
  await generateLocalKey("P-256", join(path, "baker.pem"), passphrase);
  await generateLocalKey("P-256K", join(path, "manager.pem"), passphrase);
  const started = await start(folder.path, { kind: "local", path });
  const close = async () => {
    await started.stop();
    await folder[Symbol.asyncDispose]();
  };
  return { title: "A signer with local test keys", ...started, close };
}

/** Rigs a signer with keys in an emulated Azure Key Vault, asked in the name of an emulated managed identity. */
export async function vaultRig(): Promise<Rig> {
  const folder = await temporaryFolder();
  const imds = await Imds.start({ identities: [SIGNER] });
  const policies = { [SIGNER.objectId]: ["get", "list", "sign"] as const };
  const vault = await KeyVaultEmulator.start({ tokens: imds.tokens, policies });
  vault.createKey("baker", { crv: "P-256" });
  vault.createKey("manager", { crv: "P-256K" });
  const keys = { kind: "azure-key-vault", vault: vault.url, clientId: SIGNER.clientId };
  const started = await start(folder.path, keys, { AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.url });
  const breakVault = () => {
    vault.faults.rate([{ kind: "status", status: 503, rate: 1 }]);
    return () => vault.faults.rate([]);
  };
  const close = async () => {
    await started.stop();
    await Promise.all([vault.stop(), imds.stop(), folder[Symbol.asyncDispose]()]);
  };
  return { title: "A signer with keys in an emulated Azure Key Vault", ...started, breakVault, close };
}

async function start(folder: string, keys: object, env = {}) {
  const baking = { allow: ["block", "preattestation", "attestation"] };
  const settings = {
    listen: { port: 0 },
    admin: { port: 0 },
    keys,
    watermarks: { kind: "sqlite", path: "watermarks.sqlite", initialise: "always" },
    policy: { default: baking },
    listKnownKeys: true,
  };
  const file = join(folder, "settings.yaml");
  await writeFile(file, JSON.stringify(settings));
  const first = await startSignerProcess(folder, ["--config", file], env);
  const manager = first.addresses.find((address) => address.startsWith("tz2")) ?? "";
  const baker = first.addresses.find((address) => address.startsWith("tz3")) ?? "";
  await first.end("SIGTERM");
  // The manager's rule stands under its address, which is known only now.
  await writeFile(
    file,
    JSON.stringify({ ...settings, policy: { default: baking, [manager]: { allow: ["transaction"] } } }),
  );
  const signer = await startSignerProcess(folder, ["--config", file], env);
  return { url: signer.url, baker, manager, stop: () => signer[Symbol.asyncDispose]() };
}
