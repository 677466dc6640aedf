import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { stringify } from "yaml";
import { temporaryFolder } from "../../emulators/signer-process.ts";
import { LEAST } from "../../fixtures/stack-configs.ts";
import type { World } from "./world.ts";

const root = resolve(import.meta.dirname, "../../..");
const PRELOADED = [
  resolve(root, "test/emulators/azure-resource-manager/management-endpoint.ts"),
  resolve(import.meta.dirname, "from-here.ts"),
];

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly errors: string;
}

/** A computer with a stack's file, az and pulumi, from which commands of the checkout are run. */
export class Desk implements AsyncDisposable {
  readonly #world: World;
  readonly #folder: Awaited<ReturnType<typeof temporaryFolder>>;

  private constructor(world: World, folder: Awaited<ReturnType<typeof temporaryFolder>>) {
    this.#world = world;
    this.#folder = folder;
    mkdirSync(join(folder.path, "bin"));
    const config = Object.entries(LEAST).map(([key, value]) => [`tezos-signer:${key}`, value]);
    mkdirSync(join(folder.path, "stacks"));
    writeFileSync(join(folder.path, "stacks/Pulumi.dev.yaml"), stringify({ config: Object.fromEntries(config) }));
    const { cloud } = world;
    const login = { accessToken: cloud.managementToken, subscription: cloud.subscription.split("/")[2] };
    this.#program("az", `echo '${JSON.stringify(login)}'`);
    this.remembers(true);
  }

  static async start(world: World): Promise<Desk> {
    return new Desk(world, await temporaryFolder());
  }

  /** Whether Pulumi knows of a stack that is up. */
  remembers(isUp: boolean): void {
    const resources = isUp ? this.#world.remembered : [];
    const refresh = JSON.stringify({
      steps: this.#world.changed.map((name) => ({ op: "update", urn: `a::b::c::${name}` })),
    });
    const state = JSON.stringify({ version: 3, deployment: { resources } });
    this.#program(
      "pulumi",
      `case "$*" in *show-name*) echo dev;; refresh*) echo '${refresh}';; *) echo '${state}';; esac`,
    );
  }

  file(name: string): string {
    return readFileSync(join(this.#folder.path, name), "utf8");
  }

  start(command: "preflight" | "verify", ...args: string[]): ChildProcess {
    const { path } = this.#folder;
    const env = {
      PATH: `${join(path, "bin")}:/usr/bin:/bin`,
      HOME: path,
      NODE_OPTIONS: PRELOADED.map((file) => `--import=${pathToFileURL(file).href}`).join(" "),
      PLAYED_NETWORK: String(this.#world.network.port),
    };
    const script = join(root, "infra", command, "main.ts");
    return spawn(process.execPath, [script, ...args], { cwd: path, env, stdio: ["ignore", "pipe", "pipe"] });
  }

  /** Runs a command to its end. */
  run(command: "preflight" | "verify", ...args: string[]): Promise<Ended> {
    return ended(this.start(command, ...args));
  }

  #program(name: string, text: string): void {
    const file = join(this.#folder.path, "bin", name);
    writeFileSync(file, `#!/bin/sh\n${text}\n`);
    chmodSync(file, 0o755);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folder[Symbol.asyncDispose]();
  }
}

/** Waits for the end of a process. */
export async function ended(child: ChildProcess): Promise<Ended> {
  let out = "";
  let errors = "";
  child.stdout?.on("data", (chunk) => (out += chunk));
  child.stderr?.on("data", (chunk) => (errors += chunk));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, out, errors };
}
