import type { Logger } from "pino";
import { azureCredential } from "./azure/credential.ts";
import type { Keyring, StandInBackend } from "./keys/keyring.ts";
import type { MachineNotes } from "./pair/machine-notes.ts";
import type { LiveSettings } from "./settings/live-settings.ts";
import type { Settings } from "./settings/schema.ts";
import type { WatermarkStore } from "./watermark/stores/store.ts";
import { UnwrittenStore } from "./watermark/stores/unwritten.ts";

/**
 * The backends of keys and of watermarks, by the kind that settings name. Each is loaded where it is wanted: Azure's SDK
 * takes a third of a second that local keys need not wait for.
 * @module
 */

/**
 * Opens the keyring that the settings name.
 * @throws Error in a sentence, for what waiting would not mend
 */
export async function openKeyring(live: LiveSettings, logger: Logger): Promise<Keyring> {
  const { keys } = live.current;
  switch (keys.kind) {
    case "azure-key-vault": {
      const { openAzureKeyVaultKeyring } = await import("./keys/azure-key-vault/keyring.ts");
      // The newest list of keys; the kind is the same as long as the process lives.
      const include = () => (live.current.keys.kind === keys.kind ? live.current.keys.include : keys.include);
      return openAzureKeyVaultKeyring({ ...keys, include, logger });
    }
    case "pkcs11": {
      const { openPkcs11Keyring } = await import("./keys/pkcs11/keyring.ts");
      const include = () => (live.current.keys.kind === keys.kind ? live.current.keys.include : keys.include);
      return openPkcs11Keyring({ ...keys, include, logger });
    }
    case "tezio": {
      const { openTezioKeyring } = await import("./keys/tezio/keyring.ts");
      return openTezioKeyring({ ...keys, logger });
    }
    case "local": {
      const { LOCAL_KEYS_WARNING, openLocalKeyring, readLocalPassphrase } = await import("./keys/local/keyring.ts");
      logger.warn({ path: keys.path }, LOCAL_KEYS_WARNING);
      return openLocalKeyring({ path: keys.path, passphrase: await readLocalPassphrase(keys.path) });
    }
  }
}

/** Opens a stand-in of the keys' backend, where its own code is worth a rehearsal: of others a key that has its answer will do. */
export async function openStandIn({ keys }: Settings, logger: Logger): Promise<StandInBackend | undefined> {
  if (keys.kind !== "azure-key-vault") return undefined;
  const { standInVault } = await import("./keys/azure-key-vault/stand-in.ts");
  return standInVault(logger);
}

/**
 * Opens the watermark store that the settings name, not yet asked anything. The table is asked in the same name as the
 * vault; beside local keys, in the operator's own.
 * @param warn told what a store does without, and an operator should know
 * @throws StoreError `untrusted` for a local path that can be no store's
 */
export async function openWatermarkStore(
  { keys, watermarks }: Settings,
  warn: (message: string) => void,
): Promise<WatermarkStore> {
  switch (watermarks.kind) {
    case "azure-table": {
      const { endpoint, table } = watermarks;
      const { AzureTableStore } = await import("./watermark/stores/azure-table.ts");
      return new AzureTableStore({ endpoint, table, credential: await tableCredential(keys) });
    }
    case "sqlite": {
      const { SqliteStore } = await import("./watermark/stores/sqlite.ts");
      const { requireUsablePath } = await import("./watermark/stores/sqlite-path.ts");
      requireUsablePath(watermarks.path);
      return new SqliteStore(watermarks.path, warn);
    }
  }
}

/** Opens the place where the machines that share the watermark store leave notes; undefined where no other computer has it. */
export async function openMachineNotes({ keys, watermarks }: Settings): Promise<MachineNotes | undefined> {
  if (watermarks.kind !== "azure-table") return undefined;
  const { TableNotes } = await import("./pair/machine-notes.ts");
  return new TableNotes({ ...watermarks, credential: await tableCredential(keys) });
}

function tableCredential(keys: Settings["keys"]) {
  return azureCredential(keys.kind === "azure-key-vault" ? keys : { credential: "default" });
}

/**
 * Opens the watermark store that the settings name for a trial beside the signer that runs: nothing is written, and a file
 * that the other one has locked is read all the same.
 * @param warn as for {@link openWatermarkStore}
 * @throws StoreError `untrusted` for a local path that can be no store's
 */
export async function openStoreForTrial(settings: Settings, warn: (message: string) => void): Promise<WatermarkStore> {
  const { watermarks } = settings;
  if (watermarks.kind !== "sqlite") return new UnwrittenStore(await openWatermarkStore(settings, warn));
  const { SqliteSnapshot } = await import("./watermark/stores/sqlite-snapshot.ts");
  const { requireUsablePath } = await import("./watermark/stores/sqlite-path.ts");
  requireUsablePath(watermarks.path);
  return new UnwrittenStore(new SqliteSnapshot(watermarks.path));
}
