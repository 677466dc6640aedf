import { createApp } from "../../signer/http/app.ts";
import { listen } from "../../signer/http/server.ts";
import { openAzureKeyVaultKeyring } from "../../signer/keys/azure-key-vault.ts";
import { Metrics } from "../../signer/metrics.ts";
import { Pipeline } from "../../signer/pipeline.ts";
import { Guard } from "../../signer/watermark/guard.ts";
import { SqliteStore } from "../../signer/watermark/sqlite-store.ts";
import { TrustedStore } from "../../signer/watermark/trusted-store.ts";
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
  await using parts = new AsyncDisposableStack();
  const { log } = logLines();
  const deadline = 4_000;
  const keyring = await openAzureKeyVaultKeyring({
    vault,
    include: "all",
    credential: "managed-identity",
    clientId,
    logger: log,
  });
  parts.defer(() => keyring.close());
  const backend = new SqliteStore(watermarks.path);
  parts.defer(() => backend.close());
  const store = new TrustedStore({
    store: backend,
    storeId: watermarks.storeId,
    initialise: "always",
    clock: Date.now,
  });
  const guard = new Guard({ store, maxStep: "off", deadline, clock: Date.now });
  const policy = { default: { allow: ["attestation"] }, keys: new Map() } as const;
  const signer = new Pipeline({
    keyring,
    guard,
    policy: () => policy,
    logger: log,
    metrics: new Metrics(),
    deadline,
  });
  const access = { allowedAddresses: undefined, authorizedKeys: undefined, listKnownKeys: false };
  const server = await listen({
    host: "127.0.0.1",
    port: 0,
    handler: createApp({ signer, access: () => access, log }).callback(),
    log,
  });
  parts.defer(() => server.stop());
  const running = parts.move();
  return { url: `http://127.0.0.1:${server.address.port}`, [Symbol.asyncDispose]: () => running.disposeAsync() };
}
