import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { Imds } from "../../emulators/imds/imds.ts";
import type { Identity, TokenAuthority } from "../../emulators/key-vault/tokens.ts";
import { atEnd } from "./at-end.ts";
import { ended } from "./children.ts";
import { namespace, PLACES, power } from "./network.ts";

const ENTRY = resolve(import.meta.dirname, "../../../signer/tezos-signer.js");

/** What of /status is looked at. */
interface Status {
  readonly balancer: { readonly left: boolean } | null;
  readonly otherMachines:
    | readonly { readonly machine: string; readonly ready: boolean; readonly seenAt: string }[]
    | null;
}

/** What a machine is made of. */
export interface Parts {
  readonly place: "first" | "second";
  readonly tokens: TokenAuthority;
  readonly identity: Identity;
  /** File with the authorities of vault and table. */
  readonly authorities: string;
  /** The signer's settings. */
  readonly settings: object;
}

/** A machine with the real program on it, which takes its settings from its own metadata service. */
export class Machine implements AsyncDisposable {
  readonly place: "first" | "second";
  readonly imds: Imds;
  readonly #folder = mkdtempSync(join(tmpdir(), "pair-"));
  readonly #authorities: string;
  /** Ends the program and takes its folder away. */
  readonly #away: Disposable;
  #child: ChildProcess | undefined;

  static async make({ place, tokens, identity, authorities, settings }: Parts): Promise<Machine> {
    const imds = await Imds.start({ host: PLACES.services, machine: place, identities: [identity], tokens });
    imds.userData = JSON.stringify({ settings });
    return new Machine(place, imds, authorities);
  }

  private constructor(place: "first" | "second", imds: Imds, authorities: string) {
    this.place = place;
    this.imds = imds;
    this.#authorities = authorities;
    this.#away = atEnd(() => {
      this.signal("SIGKILL");
      rmSync(this.#folder, { recursive: true, force: true });
    });
  }

  /** Starts the signer. @returns once it listens */
  async start(): Promise<void> {
    const serve = [process.execPath, ENTRY, "serve", "--user-data"];
    // Each becomes the next: a computer of its own, with a name of its own, and the program on it.
    const named = ["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', this.place];
    const args = ["netns", "exec", namespace(this.place), ...named, ...serve];
    const { PATH, NODE_COMPILE_CACHE } = process.env;
    const env = {
      ...{ PATH, NODE_COMPILE_CACHE, HOME: this.#folder, STATE_DIRECTORY: this.#folder },
      AZURE_POD_IDENTITY_AUTHORITY_HOST: this.imds.url,
      NODE_EXTRA_CA_CERTS: this.#authorities,
    };
    const child = spawn("ip", args, { cwd: this.#folder, env, stdio: ["ignore", "ignore", "pipe"] });
    this.#child = child;
    const said: string[] = [];
    const listening = new Promise<void>((found) => {
      createInterface({ input: child.stderr as NodeJS.ReadableStream }).on("line", (line) => {
        said.push(line);
        if (line.includes('"msg":"listening"')) found();
      });
    });
    const early = once(child, "exit").then(() => {
      throw new Error(`the signer on ${this.place} ended: ${said.slice(-5).join("\n")}`);
    });
    early.catch(() => undefined);
    await Promise.race([listening, early]);
  }

  /** What was started becomes the program, so a signal reaches it. */
  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  /** Ends the signer. */
  async end(name: NodeJS.Signals): Promise<void> {
    if (this.#child !== undefined) await ended(this.#child, name);
  }

  /**
   * What its admin port says, on the machine itself; undefined where it says nothing. Nothing waits for it meanwhile: vault and
   * table are in this process.
   */
  async status(): Promise<Status | undefined> {
    const curl = ["curl", "--silent", "--max-time", "3", "http://127.0.0.1:9583/status"];
    try {
      const { stdout } = await promisify(execFile)("ip", ["netns", "exec", namespace(this.place), ...curl]);
      return JSON.parse(stdout);
    } catch {
      return undefined;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGCONT");
    power(this.place, true);
    await this.end("SIGKILL");
    await this.imds.stop();
    this.#away[Symbol.dispose]();
  }
}
