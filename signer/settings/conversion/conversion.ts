import { isIP } from "node:net";
import { stringify } from "yaml";
import { ADMIN_PORT, CONFIRMATION_SOCKET, SIGNER_PORT, STATE_FOLDER } from "../../contract.ts";
import { ownCommand } from "../../own-command.ts";
import type { KeyPolicy } from "../../policy/policy.ts";
import { parseSettings, SettingsError } from "../parse.ts";
import { unlessSecret } from "../secrets.ts";

/**
 * What the converters of other signers' settings share: the settings that are being made, and the report of what became of
 * each part. No value of the other file gets into the report, but for what is public.
 * @module
 */

/** What became of a part that could not be taken over as it is. */
export type NoteKind = "by-hand" | "laxer" | "stricter" | "lost";

/** One line of the report. */
export interface Note {
  readonly kind: NoteKind;
  /** Where in the other signer's file. */
  readonly place: string;
  readonly text: string;
}

/** A file of another signer that cannot be converted: where, and why. */
export class ConversionError extends Error {
  override readonly name = "ConversionError";
}

/** Settings as they are written: our schema's input. */
export interface SettingsDraft {
  listen: { host: string; port: number; tls?: { cert: string; key: string } };
  admin: { host: string; port: number };
  keys: Record<string, unknown>;
  watermarks: { kind: "sqlite"; path: string };
  policy: Record<string, KeyPolicy>;
  confirmation?: { socket: string };
  authentication?: { keys: string[] };
  allowedAddresses?: string[];
  listKnownKeys?: boolean;
  head?: Record<string, unknown>;
}

/** What a conversion made. */
export interface Converted {
  /** YAML, which our schema takes. */
  readonly settings: string;
  readonly notes: readonly Note[];
}

const RECORD = `${STATE_FOLDER}/watermarks.sqlite`;

/** The settings of one conversion, and its report. */
export class Conversion {
  readonly settings: SettingsDraft = {
    listen: { host: "127.0.0.1", port: SIGNER_PORT },
    admin: { host: "127.0.0.1", port: ADMIN_PORT },
    keys: { kind: "local", path: "keys" },
    watermarks: { kind: "sqlite", path: RECORD },
    policy: {},
  };
  readonly #notes: Note[] = [];
  readonly #lostGuards: string[] = [];

  note(kind: NoteKind, place: string, text: string): void {
    this.#notes.push({ kind, place: unlessSecret(place), text });
  }

  /** Notes what kept somebody out and has no equivalent: the signer then listens to its own computer alone. */
  lostGuard(place: string, text: string): void {
    this.note("lost", place, text);
    this.#lostGuards.push(unlessSecret(place));
  }

  /** Sets where requests are taken. @param host as the other signer wrote it; empty: every address */
  listenAt(host: string, port: number, place: string): void {
    const every = ["", "*", "::", "[::]", "0.0.0.0"].includes(host);
    const address = every ? "0.0.0.0" : host === "localhost" ? "127.0.0.1" : host.replace(/^\[(.*)\]$/, "$1");
    this.settings.listen.port = port;
    if (isIP(address) !== 0) {
      this.settings.listen.host = address;
      return;
    }
    this.note("by-hand", place, "is a name, and listen.host is an IP address: put in the one that it stands for.");
  }

  /** Lets a rule wait for a person's yes. */
  confirmBySocket(place: string, text: string): void {
    this.settings.confirmation = { socket: CONFIRMATION_SOCKET };
    this.note("stricter", place, `${text} A person says yes at \`${ownCommand("confirm")}\`, and sees what is signed.`);
  }

  /**
   * Ends the conversion.
   * @throws ConversionError where our schema does not take what the other file says
   */
  done(): Converted {
    const { listen } = this.settings;
    if (this.#lostGuards.length > 0 && listen.host !== "127.0.0.1") {
      const instead = `nothing stands in for ${this.#lostGuards.join(" and ")}. See to it (authentication.keys, allowedAddresses, a firewall), then set listen.host to ${listen.host}.`;
      this.note("stricter", "listen.host", `listens to this computer alone, since ${instead}`);
      listen.host = "127.0.0.1";
    }
    const settings = stringify(this.settings, { lineWidth: 0 });
    try {
      parseSettings(settings, "The settings that this file would become");
    } catch (error) {
      if (error instanceof SettingsError) throw new ConversionError(error.message, { cause: error });
      throw error;
    }
    return { settings, notes: this.#notes };
  }
}
