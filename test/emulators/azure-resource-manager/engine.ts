import { execFile, execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import {
  type EngineEvent,
  LocalWorkspace,
  PulumiCommand,
  type Stack,
  type StepEventStateMetadata,
} from "@pulumi/pulumi/automation/index.js";
import * as runtime from "@pulumi/pulumi/runtime/settings.js";
import { hasProgram } from "../has-program.ts";
import type { Cloud } from "./cloud.ts";
import { killablePulumi } from "./kills.ts";
import { Management } from "./management.ts";
import "./management-endpoint.ts"; // a program that runs in this process asks too
import { type Provider, serveAzure, serveRandom } from "./provider.ts";
import "./undebugged.ts";

const root = resolve(import.meta.dirname, "../../..");

/** What Node.js has compiled, for all programs that are started here: each loads the same thousands of files. */
const compiled = mkdtempSync(join(tmpdir(), "tezos-signer-compiled-"));
process.on("exit", () => rmSync(compiled, { recursive: true, force: true }));

// Here one process runs the program many times, each with an engine on other ports. @grpc/grpc-js shares connections by
// address, so a port that an earlier engine had is taken for dead; and Pulumi's automation takes UNAVAILABLE for the end of a
// program without resources, so the engine would delete all of them. `pulumi up` has a process for each run.
export const { grpcClientOptions } = runtime as unknown as { readonly grpcClientOptions: object };
Object.assign(grpcClientOptions, { "grpc.use_local_subchannel_pool": 1 });

/** What one command of Pulumi did. */
export interface Outcome {
  /** What changed, one line an operation: `update firewall`; in the engine's order. What stayed the same is left out. */
  readonly operations: readonly string[];
  /** Errors and warnings as a person sees them. */
  readonly messages: string;
  readonly failed: boolean;
  readonly outputs: Readonly<Record<string, unknown>>;
}

/** Runs `pulumi` with arguments in a project of its own. */
export type PulumiCommandLine = (...args: string[]) => Promise<{ readonly failed: boolean; readonly output: string }>;

/** The folder of the `pulumi` program, or undefined where there is none and it would have to be built. */
export function pulumiFolder(): string | undefined {
  try {
    return execFileSync(join(root, ".ci/pulumi-cli"), ["--find"], { encoding: "utf8", stdio: "pipe" }).trim();
  } catch {
    return undefined;
  }
}

/** Pulumi's own engine with a fake Azure under it and its state in a folder of its own. */
export class Engine {
  readonly #home: string;
  readonly #providers: readonly Provider[];
  readonly #management: Management;
  readonly #command: PulumiCommand;
  readonly env: Readonly<Record<string, string>>;

  private constructor(
    command: PulumiCommand,
    providers: readonly Provider[],
    management: Management,
    home: string,
    env: Readonly<Record<string, string>>,
  ) {
    this.#command = command;
    this.#management = management;
    this.#providers = providers;
    this.#home = home;
    mkdirSync(join(home, "state"));
    mkdirSync(join(home, "home"));
    // Pulumi keeps a log of all that it does, encrypted: a quarter of its processor time. Here its folder cannot be made.
    writeFileSync(join(home, "home/logs"), "");
    this.env = {
      PATH: `${join(home, "bin")}:${process.env.PATH}`,
      PULUMI_HOME: join(home, "home"),
      PULUMI_BACKEND_URL: `file://${join(home, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "for tests",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      PULUMI_ERROR_OUTPUT_STRING: "true",
      // Each command is over before it needs a garbage collector.
      ...{ GOGC: "off", GOMEMLIMIT: "512MiB" },
      NODE_COMPILE_CACHE: compiled,
      NODE_OPTIONS: `--import=${import.meta.resolve("./management-endpoint.ts")}`,
      PULUMI_DEBUG_PROVIDERS: providers.map(({ name, port }) => `${name}:${port}`).join(","),
      ...env,
    };
  }

  /**
   * Starts providers and a home for Pulumi's files.
   * @param folder holds the `pulumi` program
   * @param env more variables for it
   */
  static async start(cloud: Cloud, folder: string, env: Readonly<Record<string, string>> = {}): Promise<Engine> {
    const home = mkdtempSync(join(tmpdir(), "tezos-signer-engine-"));
    mkdirSync(join(home, "bin"));
    cloud.kills.end = killablePulumi(join(folder, "pulumi"), join(home, "bin"));
    const providers = await Promise.all([
      serveAzure(cloud, versionOf("@pulumi/azure-native")),
      serveRandom(versionOf("@pulumi/random")),
    ]);
    const management = await Management.start(cloud);
    return new Engine(await PulumiCommand.get({ root: home }), providers, management, home, env);
  }

  /** A stack whose program runs in this process. */
  async stack(name: string, program: () => Promise<Record<string, unknown>>): Promise<TestStack> {
    const stack = await LocalWorkspace.createOrSelectStack(
      { stackName: name, projectName: "tezos-signer", program },
      {
        pulumiCommand: this.#command,
        workDir: mkdtempSync(join(this.#home, "work-")),
        envVars: { ...this.env },
        projectSettings: { name: "tezos-signer", runtime: "nodejs" },
      },
    );
    // After each command it would start `pulumi` two or three times more for what the command's own events tell.
    Object.assign(stack, { outputs: async () => ({}), info: async () => ({}) });
    return new TestStack(stack);
  }

  /** The checkout as a project, with a stack file that Pulumi may write to. @see project */
  checkout(): PulumiCommandLine {
    const files = ["Pulumi.yaml", "package.json", "infra", "release", "signer", "cloud-init"];
    return this.project(root, files, { "stacks/Pulumi.dev.yaml": "examples/stack.yaml" });
  }

  /**
   * A folder as a project of its own state: its files by links, so that what runs is what lies there.
   * @param copied files that Pulumi may write to, by where each goes
   * @returns a function that runs `pulumi` in it, with a language host found or stood in for
   */
  project(from: string, linked: readonly string[], copied: Readonly<Record<string, string>> = {}): PulumiCommandLine {
    const folder = mkdtempSync(join(this.#home, "project-"));
    for (const name of linked) {
      if (existsSync(join(from, name))) symlinkSync(join(from, name), join(folder, name));
    }
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    for (const [to, name] of Object.entries(copied)) {
      mkdirSync(dirname(join(folder, to)), { recursive: true });
      copyFileSync(join(from, name), join(folder, to));
    }
    if (!hasProgram("pulumi-language-nodejs")) {
      const script = `#!/bin/sh\nexec "${process.execPath}" "${join(import.meta.dirname, "language-host.ts")}" "$@"\n`;
      writeFileSync(join(this.#home, "bin", "pulumi-language-nodejs"), script, { mode: 0o755 });
    }
    const PATH = `${dirname(process.execPath)}:${this.env.PATH}`;
    const env = { HOME: this.#home, ...this.env, PATH };
    // Never waited for synchronously: the provider that it asks is in this process.
    return (...args) =>
      new Promise((resolve) => {
        execFile("pulumi", [...args, "--non-interactive"], { cwd: folder, env }, (error, stdout, stderr) => {
          resolve({ failed: error !== null, output: stdout + stderr });
        });
      });
  }

  /** Makes the locks on its stacks those of a process on another computer. */
  lockElsewhere(): void {
    for (const file of globSync(join(this.#home, "state/.pulumi/locks/**/*.json"))) {
      writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), hostname: "another-computer" }));
    }
  }

  close(): void {
    for (const provider of this.#providers) provider.close();
    this.#management.close();
    rmSync(this.#home, { recursive: true, force: true });
  }
}

/** A stack of the engine, driven as a person would. */
export class TestStack {
  readonly stack: Stack;
  /** What the last `up` that went well printed. */
  printed = "";

  constructor(stack: Stack) {
    this.stack = stack;
  }

  /** `pulumi config set` for each key, in the stack's file; null takes a key away. */
  async configure(values: Readonly<Record<string, string | null>>): Promise<void> {
    const { workspace, name } = this.stack;
    const settings = await workspace.stackSettings(name);
    const config = { ...settings.config };
    for (const [key, value] of Object.entries(values)) {
      if (value === null) delete config[`tezos-signer:${key}`];
      else config[`tezos-signer:${key}`] = value;
    }
    await workspace.saveStackSettings(name, { ...settings, config });
  }

  /** @param replace URNs of resources that are to be replaced, changed or not */
  up(replace: readonly string[] = []): Promise<Outcome> {
    return this.#run(async (onEvent) => {
      const { stdout } = await this.stack.up({ onEvent, color: "never", replace: [...replace] });
      this.printed = stdout;
    });
  }

  preview(): Promise<Outcome> {
    return this.#run((onEvent) => this.stack.preview({ onEvent, color: "never" }));
  }

  /** What a preview would do, as `pulumi preview --json` tells it. */
  async steps(): Promise<{ readonly op: string; readonly newState?: StepEventStateMetadata }[]> {
    const steps: { readonly op: string; readonly newState?: StepEventStateMetadata }[] = [];
    const onEvent = ({ resourcePreEvent }: EngineEvent) => {
      const { op, new: newState } = resourcePreEvent?.metadata ?? {};
      if (op !== undefined) steps.push({ op, ...(newState === undefined ? {} : { newState }) });
    };
    await this.stack.preview({ onEvent, color: "never" });
    return steps;
  }

  /** How many resources Azure holds as Pulumi remembers them, and how many differently. */
  async refresh(): Promise<Readonly<Record<string, number>>> {
    let changes: Readonly<Record<string, number>> = {};
    const onEvent = ({ summaryEvent }: EngineEvent) => {
      changes = summaryEvent?.resourceChanges ?? changes;
    };
    await this.stack.refresh({ onEvent, color: "never" });
    return changes;
  }

  destroy(): Promise<Outcome> {
    return this.#run((onEvent) => this.stack.destroy({ onEvent, color: "never" }));
  }

  /** Where and as whom Pulumi's command line runs for this stack. */
  get surroundings(): { cwd: string; env: Readonly<Record<string, string | undefined>>; stack: string } {
    const { workDir: cwd, envVars } = this.stack.workspace;
    return { cwd, env: { HOME: cwd, ...envVars }, stack: this.stack.name };
  }

  /** As docs/destroy.md says it. */
  unprotect(): void {
    this.#state("unprotect", "--all");
  }

  /** `pulumi state taint`: the next `up` replaces it. */
  taint(urn: string): void {
    this.#state("taint", urn);
  }

  untaint(): void {
    this.#state("untaint", "--all");
  }

  /** As the warning of a lost lock says it. */
  forget(urn: string): void {
    this.#state("delete", "--force", urn);
  }

  #state(...args: string[]): void {
    const { cwd, env, stack } = this.surroundings;
    execFileSync("pulumi", ["state", ...args, "--yes", "--stack", stack], { cwd, env, stdio: "pipe" });
  }

  async #run(act: (onEvent: (event: EngineEvent) => void) => Promise<unknown>): Promise<Outcome> {
    const operations: string[] = [];
    const messages: string[] = [];
    let outputs: Outcome["outputs"] = {};
    const onEvent = ({ resourcePreEvent, resOutputsEvent, diagnosticEvent }: EngineEvent) => {
      if (resOutputsEvent?.metadata.type === "pulumi:pulumi:Stack")
        outputs = resOutputsEvent.metadata.new?.outputs ?? {};
      if (resourcePreEvent !== undefined) {
        const { op, urn, type } = resourcePreEvent.metadata;
        const ours = !type.startsWith("pulumi:"); // Pulumi's own are the stack and the two providers
        if (ours && op !== "same" && op !== "read") operations.push(`${op} ${urn.split("::").at(-1)}`);
      }
      if (diagnosticEvent?.severity === "error" || diagnosticEvent?.severity === "warning") {
        messages.push(diagnosticEvent.message.trim());
      }
    };
    try {
      await act(onEvent);
      return { operations, messages: messages.join("\n"), failed: false, outputs };
    } catch (error) {
      // Whoever hosts a program of this process tells its error once more as its end; the host of `pulumi up` does not, which
      // knows by exit code 32 that it is told.
      if (messages.indexOf(messages.at(-1) ?? "") < messages.length - 1) messages.pop();
      if (messages.length === 0) messages.push(error instanceof Error ? error.message : String(error));
      return { operations, messages: messages.join("\n"), failed: true, outputs: {} };
    }
  }
}

function versionOf(name: string): string {
  return JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version;
}
