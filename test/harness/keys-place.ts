import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connect } from "../../signer/cli/ceremony/vault-access.ts";
import { EXIT_CODES } from "../../signer/cli/exit-codes.ts";
import { keysCommand } from "../../signer/cli/keys/index.ts";
import { parseKek, wrapKey } from "../../signer/key-files/byok.ts";
import { PrivateKey } from "../../signer/key-files/private-key.ts";
import type { KeyVaultEmulator } from "../emulators/key-vault/emulator.ts";
import type { TokenAuthority } from "../emulators/key-vault/tokens.ts";
import { atTerminal, type Outcome } from "./fake-terminal.ts";
import { connectAs, OPERATOR, startOperatorVault } from "./operator-vault.ts";
import type { Answer } from "./pseudo-terminal.ts";

/** The watermark store that keys are bound to. */
export const STORE = "5f0c2a9e17d34b68";

export type Answers = readonly (readonly [RegExp, Answer])[];

/** The number that a command ends with. */
export const exitCode = (name: keyof typeof EXIT_CODES) => EXIT_CODES[name].code;

/** Prose without its line breaks. */
export const prose = (text: string) => text.replaceAll(/\s+/g, " ");

/** What `keys import` is told of a key. */
export function importAnswers(history: "new" | "elsewhere" = "new"): Answers {
  return [
    [/on the paper\? \[y\/N\] $/, "y"],
    [/"elsewhere" if it did: $/, history],
  ];
}

/** A vault, and the computer of whoever imports keys: a folder with a key that was wrapped for the vault. */
export class KeysPlace implements AsyncDisposable {
  readonly vault: KeyVaultEmulator;
  readonly tokens: TokenAuthority;
  readonly key = PrivateKey.generate("P-256");
  readonly asOperator: Connect;
  readonly #folder = mkdtempSync(join(tmpdir(), "tezos-signer-vault-"));

  private constructor(vault: KeyVaultEmulator, tokens: TokenAuthority) {
    this.vault = vault;
    this.tokens = tokens;
    this.asOperator = connectAs(OPERATOR, tokens);
  }

  static async start(): Promise<KeysPlace> {
    const { vault, tokens } = await startOperatorVault();
    const place = new KeysPlace(vault, tokens);
    vault.createKey("import-kek", { kty: "RSA-HSM", ops: ["import"] });
    await place.run(["kek", "show", "--vault", vault.url, "--out", place.at("kek.json")]);
    writeFileSync(place.blob, wrapKey(place.key, parseKek(readFileSync(place.at("kek.json"), "utf8"))));
    return place;
  }

  /** The wrapped key's file. */
  get blob(): string {
    return this.at("key.byok");
  }

  at(name: string): string {
    return join(this.#folder, name);
  }

  /** Runs a command of `tezos-signer keys` at a terminal. */
  run(args: readonly string[], answers: Answers = [], connect = this.asOperator): Promise<Outcome> {
    return atTerminal((io) => keysCommand(io, connect), args, answers);
  }

  /** The words that import the wrapped key. */
  importing(...more: string[]): string[] {
    return ["import", this.blob, "--vault", this.vault.url, "--name", "baker", ...more];
  }

  /** The names that the vault lists, with the tag of each. */
  async content(): Promise<Record<string, string | undefined>> {
    const found: Record<string, string | undefined> = {};
    for await (const { name, tags } of (await this.asOperator(this.vault.url)).listPropertiesOfKeys()) {
      found[name] = tags?.["tezos-signer-watermarks"] ?? "";
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.vault.stop();
    rmSync(this.#folder, { recursive: true });
  }
}
