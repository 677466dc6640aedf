import { readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where Pulumi ends: at a request about a resource, before Azure has done it, or after it and before the answer. */
export interface Kill {
  readonly when: "before" | "after";
  readonly method: "create" | "update" | "delete" | "read";
  /** The resource's name in the program. */
  readonly name: string;
}

/** Thrown where there is nobody left to answer. */
export class Killed extends Error {
  constructor({ when, method, name }: Kill) {
    super(`Pulumi was killed ${when} Azure's answer to ${method} ${name}`);
  }
}

/**
 * Ends Pulumi in the middle of a request, as power cuts, laptops that go to sleep and a second Ctrl-C do: the process is
 * gone (SIGKILL), its lock stays, and what Azure was asked for is done or not.
 */
export class Kills {
  readonly #next: Kill[] = [];
  /** Ends the process that asks; an engine sets it. */
  end: () => void = () => undefined;

  /** Ends Pulumi at the first request that matches. */
  at(kill: Kill): void {
    this.#next.push(kill);
  }

  /** How many are still to come. */
  get pending(): number {
    return this.#next.length;
  }

  /** @throws Killed where this request is the one */
  strike(when: Kill["when"], method: Kill["method"], name: string): void {
    const at = this.#next.findIndex((kill) => kill.when === when && kill.method === method && kill.name === name);
    const [kill] = at < 0 ? [] : this.#next.splice(at, 1);
    if (kill === undefined) return;
    this.end();
    throw new Killed(kill);
  }
}

/**
 * Puts a `pulumi` into a folder that notes which process it is.
 * @param program the real one
 * @returns ends the last one that was started, at once
 */
export function killablePulumi(program: string, bin: string): () => void {
  const file = join(bin, "pulumi");
  const pid = join(bin, "pulumi.pid");
  const real = join(bin, "pulumi-itself");
  symlinkSync(program, real);
  rmSync(pid, { force: true });
  writeFileSync(file, `#!/bin/sh\necho $$ >'${pid}'\nexec '${real}' "$@"\n`, { mode: 0o755 });
  return () => process.kill(Number(readFileSync(pid, "utf8")), "SIGKILL");
}
