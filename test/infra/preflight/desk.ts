import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import { stringify } from "yaml";
import { Cloud } from "../../emulators/azure-resource-manager/cloud.ts";
import { Management } from "../../emulators/azure-resource-manager/management.ts";
import { temporaryFolder } from "../../emulators/signer-process.ts";
import { LEAST } from "../../fixtures/stack-configs.ts";
import { finished } from "../../harness/command-place.ts";

const root = resolve(import.meta.dirname, "../../..");
const ENDPOINT = pathToFileURL(resolve(root, "test/emulators/azure-resource-manager/management-endpoint.ts")).href;

/** A computer without a network, as far as this process asks. */
export const NO_NETWORK = `data:text/javascript,${encodeURIComponent(
  'globalThis.fetch = async () => { throw new TypeError("fetch failed", { cause: new Error("getaddrinfo ENOTFOUND management.azure.com") }); };',
)}`;

/** What no command says. */
export const SECRET = "s3cret~of.the-service-principal";

/** A subscription, and a computer with a stack, az and pulumi. */
export class Desk implements AsyncDisposable {
  readonly cloud: Cloud;
  readonly #management: Management;
  readonly #folder: Awaited<ReturnType<typeof temporaryFolder>>;

  private constructor(cloud: Cloud, management: Management, folder: Awaited<ReturnType<typeof temporaryFolder>>) {
    this.cloud = cloud;
    this.#management = management;
    this.#folder = folder;
    mkdirSync(join(folder.path, "bin"));
    const tezosSigner = Object.entries(LEAST).map(([key, value]) => [`tezos-signer:${key}`, value]);
    mkdirSync(join(folder.path, "stacks"));
    writeFileSync(join(folder.path, "stacks/Pulumi.dev.yaml"), stringify({ config: Object.fromEntries(tezosSigner) }));
    const login = { accessToken: cloud.managementToken, subscription: this.subscription, tenant: cloud.tenant };
    this.program("az", `echo '${JSON.stringify(login)}'`);
    this.program("pulumi", `case "$*" in *show-name*) echo dev;; *) echo '{"version":3,"deployment":{}}';; esac`);
  }

  static async start(): Promise<Desk> {
    const cloud = new Cloud();
    return new Desk(cloud, await Management.start(cloud), await temporaryFolder());
  }

  get subscription(): string {
    return this.cloud.subscription.split("/")[2] ?? "";
  }

  program(name: string, text: string): void {
    const file = join(this.#folder.path, "bin", name);
    writeFileSync(file, `#!/bin/sh\n${text}\n`);
    chmodSync(file, 0o755);
  }

  /** Writes the stack's file. */
  configure(text: string): void {
    writeFileSync(join(this.#folder.path, "stacks/Pulumi.dev.yaml"), text);
  }

  take(name: string): void {
    rmSync(join(this.#folder.path, "bin", name));
  }

  /** Runs the preflight, and expects no token and no secret in what it says. */
  run(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}, load = ENDPOINT) {
    return this.runCommand("preflight", args, env, load);
  }

  /** Runs a command of infra/, and expects the same. */
  async runCommand(
    command: "preflight" | "test-alert",
    args: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
    load = ENDPOINT,
  ) {
    const path = join(this.#folder.path, "bin");
    const ended = await finished(
      [process.execPath, join(root, "infra", command, "main.ts"), ...args],
      this.#folder.path,
      {
        env: { PATH: `${path}:/usr/bin:/bin`, HOME: this.#folder.path, NODE_OPTIONS: `--import=${load}`, ...env },
      },
    );
    for (const hidden of [this.cloud.managementToken ?? "", SECRET])
      expect(ended.out + ended.errors).not.to.contain(hidden);
    return ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#management.close();
    await this.#folder[Symbol.asyncDispose]();
  }
}
