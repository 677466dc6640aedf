import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { Az } from "../../emulators/azure-resource-manager/az.ts";
import type { Cloud } from "../../emulators/azure-resource-manager/cloud.ts";
import type { Engine } from "../../emulators/azure-resource-manager/engine.ts";
import { list, text, texts } from "../../emulators/azure-resource-manager/properties.ts";
import { azurite } from "../../emulators/azurite.ts";
import { Imds } from "../../emulators/imds/imds.ts";
import type { Permission } from "../../emulators/key-vault/access.ts";
import { KeyVaultEmulator } from "../../emulators/key-vault/emulator.ts";
import type { TokenAuthority } from "../../emulators/key-vault/tokens.ts";
import { type SignerProcess, startSignerProcess } from "../../emulators/signer-process.ts";
import { told, VAULT } from "../stack.ts";

const root = resolve(import.meta.dirname, "../../..");
const ENTRY = join(root, "signer/tezos-signer.js");

/** Whoever imports keys, as the stack's configuration names him. */
export const IMPORTER = {
  clientId: "aaaaaaaa-0000-4000-8000-000000000001",
  objectId: "aaaaaaaa-1111-4222-8333-444444444444",
};

/** An operator's checkout: the real `pulumi` on an engine, and an `az`, an `npm` and an `octez-client` that reach what is here. */
export class Checkout implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "disaster-"));
  readonly #env: Readonly<Record<string, string>>;
  readonly #server = createServer();
  /** What `az vm run-command` runs on: the machine of the site that was reached last. */
  machine: Readonly<Record<string, string>> = {};

  /**
   * @param head the level that `octez-client rpc get` tells
   * @param cloud what `az` reaches beside the machine
   */
  constructor(engine: Engine, head = 0, cloud?: Cloud) {
    engine.checkout(); // makes a language host where none is installed
    const project = ["Pulumi.yaml", "package.json", "infra", "release", "signer", "cloud-init", "node_modules"];
    for (const name of project) symlinkSync(join(root, name), join(this.folder, name));
    mkdirSync(join(this.folder, "stacks"));
    const bin = join(this.folder, "bin");
    mkdirSync(bin);
    this.#env = {
      ...engine.env,
      HOME: this.folder,
      USER: "operator",
      PATH: `${bin}:${dirname(process.execPath)}:${engine.env.PATH}`,
    };
    // Azure's own words, and what it cuts off.
    this.#program(
      "az",
      `case "$1 $2 $3" in
       "vm run-command invoke")
         while [ $# -gt 0 ]; do if [ "$1" = --scripts ]; then script=$2; fi; shift; done
         PATH=${bin}/machine:$PATH sh -c "$script" >${bin}/out 2>${bin}/err </dev/null
         printf 'Enable succeeded: \\n[stdout]\\n'; tail -c 4096 ${bin}/out; printf '\\n[stderr]\\n'; tail -c 4096 ${bin}/err;;
       "ad signed-in-user show") echo ${IMPORTER.objectId};;
       "account get-access-token"*|lock*|keyvault*|group*|"vm list"*|"vm deallocate"*|"vm start"*|"vm delete"*) printf '%s\n' "$@" | curl --silent --fail-with-body --unix-socket ${bin}/az.sock --data-binary @- http://az;;
       esac`,
    );
    if (cloud !== undefined) this.#serve(new Az(cloud), join(bin, "az.sock"));
    // What a person would confirm is confirmed; providers are attached, not fetched.
    this.#program(
      "pulumi",
      `case "$1" in
       up|refresh|destroy) set -- "$@" --yes --skip-preview;;
       import) set -- "$@" --yes;;
       esac
       case "$1" in up|preview|refresh|import) set -- "$@" --skip-plugin-pre-install;; esac
       exec ${(engine.env.PATH ?? "").split(":")[0]}/pulumi "$@" --non-interactive`,
    );
    this.#program("npm", 'if [ "$2" = destroy ]; then exec node infra/destroy.ts; fi\nexec pulumi "$2"');
    this.#program("octez-client", `case "$1" in rpc) echo '{"level":${head}}';; esac`);
    mkdirSync(join(bin, "machine"));
    this.#program("machine/tezos-signer", `exec ${process.execPath} ${ENTRY} "$@"`);
    this.#program("machine/systemctl", "true");
  }

  /** Runs lines of a page. @returns what their reader sees */
  run(script: string): Promise<{ readonly failed: boolean; readonly output: string }> {
    const env = { ...this.#env, ...this.machine };
    return new Promise((done) => {
      execFile("bash", ["-ec", script], { cwd: this.folder, env }, (error, stdout, stderr) => {
        done({ failed: error !== null, output: stdout + stderr });
      });
    });
  }

  [Symbol.dispose](): void {
    this.#server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #serve(az: Az, socket: string): void {
    this.#server.on("request", async (request, response) => {
      const words = Buffer.concat(await request.toArray())
        .toString()
        .trimEnd()
        .split("\n");
      try {
        response.end(az.run(words));
      } catch (error) {
        response.writeHead(400).end(`ERROR: ${(error as Error).message}\n`);
      }
    });
    this.#server.listen(socket).unref();
  }

  #program(name: string, script: string): void {
    const path = join(this.folder, "bin", name);
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
  }
}

/** What the stack of a fake Azure would be in Azure: its vault, its table, its machine with the userData that it was given. */
export class Site implements AsyncDisposable {
  readonly vault: KeyVaultEmulator;
  readonly storeId: string;
  /** The machine's environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly #imds: Imds;
  readonly #folder = mkdtempSync(join(tmpdir(), "site-"));

  private constructor(vault: KeyVaultEmulator, imds: Imds, storeId: string, ca: string) {
    this.vault = vault;
    this.#imds = imds;
    this.storeId = storeId;
    const trusted = join(this.#folder, "ca.pem");
    writeFileSync(trusted, ca);
    this.env = {
      AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.url,
      NODE_EXTRA_CA_CERTS: trusted,
      STATE_DIRECTORY: this.#folder,
    };
  }

  /**
   * Takes rights and settings from what the stack wrote; addresses and ports are those of the emulators.
   * @param table another name than the stack's own, for a table that is lost
   */
  static async of(cloud: Cloud, tokens: TokenAuthority, table?: string): Promise<Site> {
    const [home] = cloud.ofType(VAULT);
    const policies = Object.fromEntries(
      list(home?.inputs, "properties.accessPolicies").map((policy) => [
        text(policy, "objectId"),
        texts(policy, "permissions.keys") as Permission[],
      ]),
    );
    const { settings } = told(cloud);
    const { clientId } = settings.keys;
    const objectId = Object.keys(policies).find((id) => id !== IMPORTER.objectId) as string;
    const vault = await KeyVaultEmulator.start({ tokens, policies });
    const imds = await Imds.start({ tokens, identities: [{ clientId, objectId }] });
    const { endpoint, ca } = await azurite();
    const { storeId } = settings.watermarks;
    const reached = {
      ...settings,
      listen: { port: 0 },
      admin: { port: 0 },
      confirmation: undefined,
      keys: { ...settings.keys, vault: vault.url },
      watermarks: { ...settings.watermarks, endpoint, table: table ?? `t${storeId}` },
    };
    imds.userData = JSON.stringify({ settings: reached });
    return new Site(vault, imds, storeId, ca);
  }

  /** Starts the machine's signer. */
  start(): Promise<SignerProcess> {
    return startSignerProcess(this.#folder, ["--user-data"], this.env);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.vault.stop(), this.#imds.stop()]);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A stack's file with these keys, a line each, as Pulumi keeps it. */
export function stackFile(config: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(config).map(([key, value]) => `  tezos-signer:${key}: ${JSON.stringify(value)}\n`);
  return `config:\n${lines.join("")}`;
}
