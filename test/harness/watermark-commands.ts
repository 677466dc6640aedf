import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { watermarksCommand } from "../../signer/cli/watermarks/index.ts";
import { SqliteStore } from "../../signer/watermark/stores/sqlite.ts";
import type { Row, RowKey } from "../../signer/watermark/stores/store.ts";
import { MAINNET, SOURCE } from "../fixtures/payloads.ts";
import { digestOf } from "../fixtures/watermark-rows.ts";
import { atTerminal, type Outcome } from "./fake-terminal.ts";

/** `tezos-signer watermarks …` in this process, on a SQLite store in a folder of its own. */
export class WatermarkCommands implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "watermarks-cli-"));
  readonly path = join(this.folder, "watermarks.sqlite");
  readonly config = join(this.folder, "settings.yaml");

  constructor() {
    this.settings({});
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Writes the settings. @param watermarks what they say of the store besides where it is */
  settings(watermarks: object): void {
    const keys = { kind: "local", path: "keys" };
    writeFileSync(
      this.config,
      JSON.stringify({ keys, watermarks: { kind: "sqlite", path: this.path, ...watermarks } }),
    );
  }

  /** @param answers as at a pseudo-terminal; `null`: there is none @param input through a pipe */
  run(
    args: readonly string[],
    answers: Parameters<typeof atTerminal>[2] = null,
    input: string | undefined = undefined,
  ): Promise<Outcome> {
    return atTerminal(watermarksCommand, [...args, "--config", this.config], answers, input);
  }

  /** Makes the store with these rows, closed. */
  async stored(...rows: readonly [RowKey, Row][]): Promise<void> {
    const store = new SqliteStore(this.path);
    await store.establish("store-1");
    for (const [key, row] of rows) await store.insert(key, row);
    await store.close();
  }

  /** Opens the store for a while, as a signer does. */
  async open<T>(work: (store: SqliteStore) => Promise<T>): Promise<T> {
    const store = new SqliteStore(this.path);
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  }

  async rowOf(key: RowKey): Promise<Row | undefined> {
    return (await this.open((store) => store.read(key)))?.row;
  }

  /** Writes a file into the folder. @returns its path */
  file(name: string, content: unknown): string {
    const target = join(this.folder, name);
    writeFileSync(target, typeof content === "string" ? content : JSON.stringify(content));
    return target;
  }
}

/** A mark in our own format; any part may be changed. */
export const MARK = {
  chainId: MAINNET,
  publicKeyHash: SOURCE,
  kind: "attestation",
  level: 100,
  round: 0,
  digest: digestOf("aa"),
};

/** A file of our own format. */
export function interchange(watermarks: readonly object[], more: object = {}): object {
  return { format: "tezos-signer-watermarks", version: 1, ...more, watermarks };
}
