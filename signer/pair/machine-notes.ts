import type { TableClient } from "@azure/data-tables";
import type { TokenCredential } from "@azure/identity";
import { z } from "zod";
import { tablesSdk } from "../azure/sdk.ts";
import { sentByOwnAgents } from "../azure/sdk-requests.ts";

/** What a machine tells of itself to those that share its table. */
export interface MachineNote {
  /** Its name. */
  readonly machine: string;
  /** Whether it takes what is new: a signature can be had there, and the balancer knows it and is to hear nothing else. */
  readonly ready: boolean;
  /** SHA-256 of the release that runs there; of a checkout its version. */
  readonly release: string;
  /** Tells its settings from others, but for what only names the machine. */
  readonly settings: string;
  /** When it last signed, ISO 8601; null where it has not since its start. */
  readonly signedAt: string | null;
  /** Requests that wait there for a person. */
  readonly waiting: number;
}

/** A note that was found. */
export interface SeenNote extends MachineNote {
  /** When it was written, by the table's clock, milliseconds since 1970. */
  readonly at: number;
}

/** Where machines leave notes for each other. */
export interface MachineNotes {
  /** Leaves a note over the machine's last one. */
  write(note: MachineNote, signal: AbortSignal): Promise<void>;
  /** Reads every machine's, the reader's own among them. */
  read(signal: AbortSignal): Promise<SeenNote[]>;
}

/** Beside the watermarks, in a partition that no address has: docs/reference/formats.md. */
const PARTITION = "machines";

/** What is shown of a note goes to a page and to a terminal: it is what a signer writes, or it is nothing. */
const entity = z.object({
  rowKey: z.string().regex(/^[\w.-]{1,64}$/),
  timestamp: z.iso.datetime(),
  ready: z.boolean(),
  release: z.string().max(80),
  settings: z.string().max(80),
  signedAt: z.iso.datetime().or(z.literal("")),
  waiting: z.int().nonnegative(),
});

/** Notes in the table that has the watermarks. Nothing that is signed depends on them. */
export class TableNotes implements MachineNotes {
  readonly #client: TableClient;

  constructor({ endpoint, table, credential }: { endpoint: string; table: string; credential: TokenCredential }) {
    const { TableClient } = tablesSdk();
    this.#client = new TableClient(endpoint, table, credential, sentByOwnAgents());
  }

  async write({ machine, signedAt, ...note }: MachineNote, abortSignal: AbortSignal): Promise<void> {
    const columns = { ...note, signedAt: signedAt ?? "" };
    await this.#client.upsertEntity({ partitionKey: PARTITION, rowKey: machine, ...columns }, "Replace", {
      abortSignal,
    });
  }

  async read(abortSignal: AbortSignal): Promise<SeenNote[]> {
    const queryOptions = { filter: `PartitionKey eq '${PARTITION}'` };
    const notes: SeenNote[] = [];
    for await (const found of this.#client.listEntities({ queryOptions, abortSignal })) {
      const { data } = entity.safeParse(found);
      if (data === undefined) continue; // another version's, whose form is not known here, or nobody's
      const { rowKey: machine, timestamp, signedAt, ...note } = data;
      notes.push({ machine, ...note, signedAt: signedAt || null, at: Date.parse(timestamp) });
    }
    return notes;
  }
}
