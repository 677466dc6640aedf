import type { TableClient, TableEntityResult } from "@azure/data-tables";
import type { TokenCredential } from "@azure/identity";
import { tablesSdk } from "../../azure/sdk.ts";
import { sentByOwnAgents } from "../../azure/sdk-requests.ts";
import { messageOf } from "../../errors.ts";
import { askedTwice } from "./asked-twice.ts";
import { questionsSent } from "./questions-sent.ts";
import { type Row, type RowKey, rowName, StoreError, type Versioned, type WatermarkStore } from "./store.ts";
import { keyFrom, rowFrom, STORE_ID_CURE, UnreadableRow } from "./stored-row.ts";
import { errorCode, isConflict, isToken, statusOf } from "./table-answers.ts";
import { entityOf, IDENTITY, rowKeyOf } from "./table-entity.ts";

export interface AzureTableOptions {
  /** `https://ACCOUNT.table.core.windows.net`; never the account's `-secondary`, which lags behind. */
  readonly endpoint: string;
  readonly table: string;
  readonly credential: TokenCredential;
  /** When a question is asked a second time, in milliseconds; for tests. */
  readonly late?: number;
}

/** An ETag as the service writes them, of a time before there was any table: a write that wants it is judged, and never done. */
const NO_VERSION = "W/\"datetime'2000-01-01T00%3A00%3A00.0000000Z'\"";

/** One call, its retries included: a table in the same region answers in milliseconds, a request has seconds. */
const CALL_TIMEOUT = 1_500;
/** A question whose answer takes longer is asked once more, on another connection; a vote has less than two seconds. */
const LATE = 300;
/** Between two tokens, in milliseconds: the machine's metadata service answers a few requests a second. */
const RENEWAL_INTERVAL = 1_000;
/**
 * A write that was done and whose answer was lost, or is late, comes back as a conflict when it is sent again; the guard then
 * reads its own digest, so sending again is safe. One that arrives after its second has another version to be written over.
 */
const RETRIES = { maxRetries: 2, retryDelayInMs: 20, maxRetryDelayInMs: 100 };

/**
 * Watermarks in an Azure table: one partition an address, one row a chain and kind, every write conditional on the row's
 * ETag, so any number of signers may share it. Entities are strongly consistent in the primary region, and only that is asked.
 */
export class AzureTableStore implements WatermarkStore {
  readonly isShared = true;
  readonly #connect: () => TableClient;
  readonly #name: string;
  readonly #late: number;
  #client: TableClient;
  /** Monotonic, milliseconds. */
  #connectedAt = performance.now();

  constructor({ endpoint, table, credential, late = LATE }: AzureTableOptions) {
    const sent = sentByOwnAgents();
    const { TableClient } = tablesSdk();
    this.#connect = () => new TableClient(endpoint, table, credential, { retryOptions: RETRIES, ...sent });
    this.#client = this.#connect();
    this.#name = `${endpoint}/${table}`;
    this.#late = late;
  }

  async identity(signal: AbortSignal): Promise<string | undefined> {
    const found = await this.#get(IDENTITY.partitionKey, IDENTITY.rowKey, signal);
    if (found === undefined) return undefined;
    if (typeof found.id === "string" && found.id !== "") return found.id;
    throw new StoreError("untrusted", `${this.#name} holds a store id that cannot be read. ${STORE_ID_CURE}`);
  }

  async establish(id: string, signal: AbortSignal): Promise<void> {
    await this.#call(signal, async (options) => {
      await this.#client.createTable(options);
      await this.#client.createEntity({ ...IDENTITY, id }, options);
    });
  }

  async now(signal: AbortSignal): Promise<number> {
    let date: string | undefined;
    await this.#get(IDENTITY.partitionKey, IDENTITY.rowKey, signal, (headers) => {
      date = headers.get("date");
    });
    const now = Date.parse(date ?? "");
    if (Number.isNaN(now)) throw new StoreError("unavailable", `${this.#name} answered without its time.`);
    return now;
  }

  async read(key: RowKey, signal: AbortSignal): Promise<Versioned | undefined> {
    const found = await this.#get(key.address, rowKeyOf(key), signal);
    if (found === undefined) return undefined;
    const version = this.#tokenOf(found.etag, rowName(key));
    return { row: this.#rowOf(found, key, version), version };
  }

  async insert(key: RowKey, row: Row, signal: AbortSignal): Promise<string> {
    await questionsSent();
    const { etag } = await this.#callSoon(signal, (options) => this.#client.createEntity(entityOf(key, row), options));
    return this.#etag(etag);
  }

  async replace(key: RowKey, row: Row, version: string, signal: AbortSignal): Promise<string> {
    // Without an explicit ETag the SDK sends `If-Match: *`, which overwrites whatever is there.
    this.#tokenOf(version, rowName(key));
    await questionsSent();
    const { etag } = await this.#callSoon(signal, (options) =>
      this.#client.updateEntity(entityOf(key, row), "Replace", { ...options, etag: version }),
    );
    return this.#etag(etag);
  }

  async proveWritable(signal: AbortSignal): Promise<void> {
    try {
      await this.#call(signal, (options) =>
        this.#client.updateEntity({ ...IDENTITY }, "Merge", { ...options, etag: NO_VERSION }),
      );
    } catch (error) {
      // Of another version: it was judged. A row that is not there is no answer of the store that it was.
      if (!(error instanceof StoreError && statusOf(error.cause) === 412)) throw error;
    }
  }

  async list(signal: AbortSignal): Promise<{ key: RowKey; row: Row }[]> {
    const rows: { key: RowKey; row: Row }[] = [];
    let from: string | undefined;
    do {
      const page = await this.#page(from, signal);
      rows.push(...page.flatMap((found) => this.#namedRowOf(found) ?? []));
      from = page.continuationToken;
    } while (from !== undefined);
    return rows;
  }

  async close(): Promise<void> {}

  /** Reads a thousand entities at most, in a call of its own: one for all would be too short for a table of many pages. */
  #page(continuationToken: string | undefined, signal: AbortSignal) {
    const settings = continuationToken === undefined ? {} : { continuationToken };
    return this.#call(signal, async (options) => {
      const pages = this.#client.listEntities<Record<string, unknown>>(options).byPage(settings);
      for await (const page of pages) return page;
      throw new StoreError("unavailable", `${this.#name} answered without a page.`);
    });
  }

  async #get(partition: string, row: string, signal: AbortSignal, onHeaders?: (headers: Headers) => void) {
    return this.#callSoon(signal, async (options) => {
      const onResponse = (response: { headers: Headers }) => onHeaders?.(response.headers);
      try {
        return await this.#client.getEntity<Record<string, unknown>>(partition, row, { ...options, onResponse });
      } catch (error) {
        if (statusOf(error) === 404) return undefined;
        throw error;
      }
    });
  }

  async #call<T>(signal: AbortSignal, work: (options: { abortSignal: AbortSignal }) => Promise<T>): Promise<T> {
    try {
      return await work({ abortSignal: AbortSignal.any([signal, AbortSignal.timeout(CALL_TIMEOUT)]) });
    } catch (error) {
      throw error instanceof StoreError ? error : this.#faultOf(error);
    }
  }

  /** Makes a call for which a signature waits: where it is late, once more. */
  #callSoon<T>(signal: AbortSignal, work: (options: { abortSignal: AbortSignal }) => Promise<T>): Promise<T> {
    return this.#call(signal, async ({ abortSignal }) => {
      // A conflict is an answer: whoever reads again learns whether the other question has made it.
      const ask = (over: AbortSignal) =>
        work({ abortSignal: AbortSignal.any([abortSignal, over]) }).then(
          (value) => () => value,
          (error: unknown) => {
            if (!isConflict(error)) throw error;
            return () => {
              throw error;
            };
          },
        );
      return (await askedTwice(this.#late, ask))();
    });
  }

  #faultOf(error: unknown): StoreError {
    const status = statusOf(error);
    const code = errorCode(error);
    if (isConflict(error)) {
      return new StoreError("conflict", `${this.#name} has changed (${status} ${code}).`, { cause: error });
    }
    if (status === 401) this.#renewToken();
    if (status === 401 || status === 403) {
      const advice = "A new role assignment takes minutes to work; else check the role and the account's firewall.";
      return new StoreError("unavailable", `${this.#name} refused (${status} ${code}). ${advice}`, { cause: error });
    }
    const what = status === undefined ? messageOf(error) : `${status} ${code}`;
    return new StoreError("unavailable", `${this.#name} did not answer (${what}).`, { cause: error });
  }

  /** A client keeps its token for hours, also one that was revoked: another client asks for another. */
  #renewToken(): void {
    const now = performance.now();
    if (now < this.#connectedAt + RENEWAL_INTERVAL) return;
    this.#connectedAt = now;
    this.#client = this.#connect();
  }

  /** Whatever else lies in the table (the store's own identity, a note of somebody's) is no key's: undefined. */
  #namedRowOf(found: TableEntityResult<Record<string, unknown>>): { key: RowKey; row: Row } | undefined {
    const [chainId = "", kind = ""] = found.rowKey?.split("_") ?? [];
    const key = keyFrom(chainId, found.partitionKey ?? "", kind);
    if (key === undefined || found.rowKey !== rowKeyOf(key)) return undefined;
    return { key, row: this.#rowOf(found, key, found.etag) };
  }

  #rowOf(found: TableEntityResult<Record<string, unknown>>, key: RowKey, version: string): Row {
    const { level, round, digest, signature, anchorLevel, anchorAt } = found;
    const at = anchorAt instanceof Date ? anchorAt.getTime() : undefined;
    const row = rowFrom({ level, round, digest, signature, anchorLevel, anchorAt: at });
    if (row !== undefined) return row;
    const { etag: _, "odata.metadata": __, partitionKey, rowKey, timestamp, ...columns } = found;
    throw new UnreadableRow(this.#name, key, { partitionKey, rowKey, timestamp, ...columns }, version);
  }

  /** The version that a write has made; without it the next request reads what is there. */
  #etag(etag: string | undefined): string {
    if (!isToken(etag)) throw new StoreError("unavailable", `${this.#name} answered a write without an ETag.`);
    return etag;
  }

  /** The version of a row that was read: a row without one can never be written by compare-and-set. */
  #tokenOf(etag: string | undefined, name: string): string {
    if (isToken(etag)) return etag;
    const cure = "Something between the signer and the table takes it out of the answers: mend that, then restart.";
    throw new StoreError("untrusted", `${this.#name} gave the ${name} without an ETag. ${cure}`);
  }
}

/** What the SDK's answers carry; its own type is not exported. */
interface Headers {
  get(name: string): string | undefined;
}
