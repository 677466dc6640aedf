import { startSigner } from "../../signer/main.ts";
import { LiveSettings } from "../../signer/settings/live-settings.ts";
import { SqliteStore } from "../../signer/watermark/stores/sqlite.ts";
import { logLines } from "./log-lines.ts";

/** A whole signer whose keys are those of an emulated vault; it may sign attestations. */
export interface VaultSigner extends AsyncDisposable {
  readonly url: string;
}

/**
 * @param clientId the machine's managed identity
 * @param watermarks path and id of the store to make
 */
export async function startVaultSigner(
  vault: string,
  clientId: string,
  watermarks: { readonly path: string; readonly storeId: string },
): Promise<VaultSigner> {
  // Its own id, as settings give a local store none.
  const made = new SqliteStore(watermarks.path);
  await made.establish(watermarks.storeId);
  await made.close();
  const settings = {
    listen: { port: 0 },
    admin: { port: 0 },
    keys: { kind: "azure-key-vault", vault, clientId },
    watermarks: { kind: "sqlite", ...watermarks, initialise: "always", maxStep: "off" },
    policy: { default: { allow: ["attestation"] } },
  };
  const signer = await startSigner(new LiveSettings(JSON.stringify(settings), "the test's settings"), logLines().log);
  return { url: signer.url, [Symbol.asyncDispose]: () => signer.stop() };
}
