import { Option } from "commander";
import { openWatermarkStore } from "../backends.ts";
import { STATE_FOLDER } from "../contract.ts";
import { USER_DATA } from "../settings/live-settings.ts";
import type { Settings } from "../settings/schema.ts";
import type { SettingsCache } from "../settings/settings-cache.ts";
import {
  newStoreId,
  type Row,
  type RowKey,
  StoreError,
  type Versioned,
  type WatermarkStore,
} from "../watermark/stores/store.ts";
import { Failure } from "./failure.ts";
import { openUserData, parseLive, readSettingsFile, settingsCache, settingsForThisRelease } from "./settings-source.ts";

/** Options of every command on the store. */
export interface StoreOptions {
  readonly config?: string;
  readonly userData?: true;
}

/** How long a command waits for one answer of the store, in milliseconds. */
const TIMEOUT = 15_000;

/** Defines `--config FILE`, with the settings that name the store. */
export function configOption(): Option {
  return new Option("--config <file>", "the signer's settings, which name the store");
}

/** Defines `--user-data`, for the settings of the VM. */
export function userDataOption(): Option {
  return new Option("--user-data", "settings from the Azure VM's userData").conflicts("config");
}

/** A store that a command has open. */
export interface OpenedStore {
  readonly store: WatermarkStore;
  readonly settings: Settings;
  /** A deadline for the next call, from now: a person may have taken minutes to answer a question. */
  deadline(): AbortSignal;
}

/**
 * Opens the store, lets `work` use it and closes it again.
 * @throws Failure for whatever goes wrong with it
 */
export async function withStore<T>(options: StoreOptions, work: (opened: OpenedStore) => Promise<T>): Promise<T> {
  const settings = await readSettings(options);
  const store = await openWatermarkStore(settings, (message) => process.emitWarning(message));
  try {
    return await work({ store, settings, deadline: () => AbortSignal.timeout(TIMEOUT) });
  } catch (error) {
    throw error instanceof StoreError ? failureOf(error, settings) : error;
  } finally {
    await store.close();
  }
}

/**
 * Asks a store for its id, which must be there.
 * @throws Failure `not-found` where nothing was ever stored, `mismatch` where it is another signer's store
 */
export async function requireIdentity({ store, settings, deadline }: OpenedStore): Promise<string> {
  const id = await store.identity(deadline());
  if (id === undefined) {
    const advice =
      "If its keys have signed before, bring their record back: `watermarks import`, or docs/recover.md. " +
      "If they never have, `watermarks init` makes it.";
    throw new Failure("not-found", `There is no watermark store at ${placeOf(settings)}. ${advice}`);
  }
  requireOwn(id, settings);
  return id;
}

/** Returns the store's id; the store is made where there is none. */
export async function ensureIdentity(opened: OpenedStore): Promise<string> {
  const { store, settings, deadline } = opened;
  const found = await store.identity(deadline());
  if (found !== undefined) return requireIdentity(opened);
  const id = newStoreId(store, settings.watermarks.storeId);
  await store.establish(id, deadline());
  return id;
}

function requireOwn(id: string, { watermarks: { storeId } }: Settings): void {
  if (storeId === undefined || storeId === id) return;
  throw new Failure("mismatch", `The store's id is ${id}, and the settings name ${storeId}: another signer's memory.`);
}

/**
 * Writes what `change` makes of a row, over the very state that it has seen.
 * @param change gives the row that should be there, or undefined to leave it
 * @returns what it was and what it is
 */
export async function update(
  { store, deadline }: OpenedStore,
  key: RowKey,
  change: (before: Row | undefined) => Row | undefined,
): Promise<{ before: Row | undefined; after: Row | undefined }> {
  for (let tries = 1; ; tries++) {
    const before = await store.read(key, deadline());
    const after = change(before?.row);
    if (after === undefined) return { before: before?.row, after: before?.row };
    try {
      await write(store, key, after, before, deadline());
      return { before: before?.row, after };
    } catch (error) {
      // A signer that is running may have been first; what it wrote counts.
      if (!(error instanceof StoreError && error.fault === "conflict" && tries < 10)) throw error;
    }
  }
}

function write(store: WatermarkStore, key: RowKey, row: Row, over: Versioned | undefined, signal: AbortSignal) {
  return over === undefined ? store.insert(key, row, signal) : store.replace(key, row, over.version, signal);
}

/** @throws Failure `usage` where no settings are named, `unusable` where they are wrong, `unavailable` without an answer */
async function readSettings({ config, userData }: StoreOptions): Promise<Settings> {
  if (config !== undefined) return (await readSettingsFile(config)).current;
  if (userData === undefined) {
    throw new Failure("usage", "Name the signer's settings: --config FILE, or --user-data on the machine in Azure.");
  }
  const text = await openUserData()
    .read()
    .catch((error: Error) => {
      throw new Failure("unavailable", `${error.message}.`, { cause: error });
    });
  // A command is run beside the service, without its environment.
  const cache = settingsCache(process.env.STATE_DIRECTORY ?? STATE_FOLDER);
  try {
    const { current } = parseLive(settingsForThisRelease(text, cache), USER_DATA);
    warnOfAnotherStore(current, cache);
    return current;
  } catch (error) {
    if (!(error instanceof Failure) || cache?.read() === undefined) throw error;
    const advice = `A signer that has gone back to the last good settings goes by ${cache.path}: name that file by --config.`;
    throw new Failure(error.exit, `${error.message}\n${advice}`, { cause: error });
  }
}

/**
 * Tells where userData names another store than the last settings that a signer was ready with: a signer that has gone back
 * to those works on that one, and this command does not.
 */
function warnOfAnotherStore(current: Settings, cache: SettingsCache | undefined): void {
  const good = cache?.read();
  if (cache === undefined || good === undefined) return;
  const [here, there] = [placeOf(current), placeOf(parseLive(good, cache.path).current)];
  if (here === there) return;
  process.emitWarning(
    `This command works on ${here}, which ${USER_DATA} names. The last settings that a signer was ready with name ${there}: ` +
      `a signer that has gone back to them works on that one. To do the same there: --config ${cache.path}`,
  );
}

function placeOf({ watermarks }: Settings): string {
  return watermarks.kind === "sqlite" ? watermarks.path : `${watermarks.endpoint}/${watermarks.table}`;
}

function failureOf(error: StoreError, settings: Settings): Failure {
  if (error.fault === "in-use") {
    const advice = "It is mostly the signer itself: stop it, run this command, then start it again.";
    return new Failure("in-use", `${error.message} ${advice}`, { cause: error });
  }
  if (error.fault === "untrusted") return new Failure("unusable", error.message, { cause: error });
  const place = placeOf(settings);
  return new Failure("unavailable", `${error.message} Nothing is known to have changed in ${place}.`, { cause: error });
}
