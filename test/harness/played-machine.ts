import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What a machine says from a moment on; what is left out it does not say. */
export interface Moment {
  /** Seconds since the script began. */
  readonly at: number;
  /** What /status answers. */
  readonly status?: object;
  /** The updater's state. */
  readonly state?: object;
  /** What the bootstrap has said last. */
  readonly said?: string;
}

/** How a script ended. */
export interface Ended {
  readonly status: number | null;
  readonly output: string;
  readonly error: string;
  /** Seconds of the machine's clock that it took. */
  readonly seconds: number;
}

/**
 * A machine on which a script runs as Azure's agent runs it, with a clock of its own: whoever sleeps there wakes at the
 * machine's next moment, and past the last one after two minutes.
 */
export class PlayedMachine implements Disposable {
  readonly #root = mkdtempSync(join(tmpdir(), "played-machine-"));

  constructor() {
    mkdirSync(join(this.#root, "bin"));
    const { stdout: python } = spawnSync("python3", ["-c", "import sys; print(sys.executable)"], { encoding: "utf8" });
    symlinkSync(python.trim(), this.#file("bin/python3"));
    this.#program("date", `read -r now <${this.#file("now")} && echo "$now"`);
    // The moment that holds is the last one that has come.
    const moment = `read -r now <${this.#file("now")}; for at in $(cat ${this.#file("moments")}); do [ "$at" -gt "$now" ] || holds=$at; done`;
    this.#program("curl", `${moment}; cat ${this.#root}/$holds.status 2>/dev/null`);
    this.#program("journalctl", `${moment}; cat ${this.#root}/$holds.said 2>/dev/null`);
    this.#program("state", `${moment}; cat ${this.#root}/$holds.state 2>/dev/null`);
    this.#program(
      "sleep",
      `read -r now <${this.#file("now")}; next=$((now + 120))
       for at in $(cat ${this.#file("moments")}); do [ "$at" -le "$now" ] || [ "$at" -ge "$next" ] || next=$at; done
       [ "$next" -ge $((now + $1)) ] || next=$((now + $1))
       echo "$next" >${this.#file("now")}`,
    );
  }

  /** Runs a script. @param env what Azure's agent puts there: the parameters of a run command that have names */
  run(script: string, env: Readonly<Record<string, string>>, moments: readonly Moment[]): Ended {
    writeFileSync(this.#file("now"), "0\n");
    writeFileSync(this.#file("moments"), moments.map(({ at }) => at).join(" "));
    for (const { at, status, state, said } of moments) {
      this.#says(`${at}.status`, status && JSON.stringify(status));
      this.#says(`${at}.state`, state && JSON.stringify(state));
      this.#says(`${at}.said`, said && `Started the bootstrap.\ntezos-signer-bootstrap: ${said}\n`);
    }
    const played = script.replaceAll("cat /var/lib/tezos-signer-updater/state.json", "state");
    writeFileSync(this.#file("script"), played);
    const { status, stdout, stderr } = spawnSync("bash", [this.#file("script")], {
      env: { PATH: `${this.#file("bin")}:${process.env.PATH}`, ...env },
      encoding: "utf8",
      timeout: 60_000,
    });
    const { stdout: now } = spawnSync("cat", [this.#file("now")], { encoding: "utf8" });
    return { status, output: stdout, error: stderr, seconds: Number(now) };
  }

  [Symbol.dispose](): void {
    rmSync(this.#root, { recursive: true, force: true });
  }

  #says(name: string, text: string | undefined): void {
    if (text === undefined) rmSync(this.#file(name), { force: true });
    else writeFileSync(this.#file(name), text);
  }

  #program(name: string, text: string): void {
    writeFileSync(this.#file(`bin/${name}`), `#!/bin/sh\n${text}\n`);
    chmodSync(this.#file(`bin/${name}`), 0o755);
  }

  #file(name: string): string {
    return join(this.#root, name);
  }
}

const VAULT = "https://tezos-0123456789abcdef.vault.azure.net";

/** The signer's words where its vault has no key. */
export const NO_KEY = `${VAULT} has no key that can sign`;

/** An address of the HSM's, and its public key. */
export const KEY = {
  address: "tz3fYtKV7WUDpZHjphnM2ARKEJrE3RkzCVRT",
  publicKey: "p2pk66yhjnN8xQ2CFk8xq2Q5NJsFqYyBzYwRr9hkHgqSPzF8u5TJWmG",
};

/** /status, as far as it is read, of a signer that is ready. */
export function statusOf(sha256: string, settings: string, changes: object = {}): object {
  return {
    ready: true,
    reasons: [],
    release: { version: "0.2.0", sha256 },
    settings: { version: settings, refused: null },
    vault: { problem: null },
    keys: [KEY],
    ...changes,
  };
}

/** The updater's state once it has done what it had to. */
export function stateOf(sha256: string, changes: object = {}): object {
  const release = { version: "0.2.0", sha256 };
  return { wanted: release, running: release, step: "done", problem: null, refused: null, ...changes };
}
