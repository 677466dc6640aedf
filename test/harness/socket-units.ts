import { spawn } from "node:child_process";
import { once } from "node:events";
import { realpathSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { resolve } from "node:path";
import { createInterface } from "node:readline";

const ROOT = resolve(import.meta.dirname, "../..");

/**
 * systemd's part in a few lines of shell: it holds listening sockets as descriptors 3 and 4, and runs the program on them
 * with its own LISTEN_PID, after a signal or a clean end again and again while RESTART is set. It accepts no connection
 * itself, and ends with the tests.
 */
const SYSTEMD = `
while kill -0 "$PPID" 2>/dev/null; do
  sh -c 'echo "$$"; export LISTEN_PID=$$; exec "$@"' sh "$@"
  status=$?
  [ "$RESTART" = yes ] && { [ $status -eq 0 ] || [ $status -gt 128 ]; } || exit $status
done`;

/** As the unit has it; what `npm test` has compiled may be read and written too. */
function flags(folder: string): string[] {
  const { NODE_COMPILE_CACHE: compiled } = process.env;
  const read = [ROOT, realpathSync(resolve(ROOT, "node_modules")), folder].map((path) => `--allow-fs-read=${path}`);
  const write = [folder, ...(compiled === undefined ? [] : [compiled])].map((path) => `--allow-fs-write=${path}`);
  return ["--permission", ...read, ...write, "--no-addons", "--disable-proto=throw"];
}

export interface SocketUnitsOptions {
  /** LISTEN_FDNAMES. */
  readonly names?: string;
  /** LISTEN_FDS. */
  readonly count?: number;
  /** Whether a process that ends is followed by another. */
  readonly restart?: boolean;
}

/** Two sockets that outlive the processes which serve them. */
export class SocketUnits implements AsyncDisposable {
  readonly ports: { readonly signer: number; readonly admin: number };
  /** The log's lines that say `listening`, one a process. */
  readonly listening: Record<string, unknown>[] = [];
  /** The process that serves now. */
  pid = 0;
  /** What was said on standard error and is no line of the log. */
  errors = "";
  readonly #holder: ReturnType<typeof spawn>;
  readonly #ended: Promise<unknown[]>;
  #changed = Promise.withResolvers<void>();

  /**
   * @param folder where `serve` runs
   * @param settings makes the arguments of `serve` for these ports
   */
  static async open(
    folder: string,
    settings: (ports: SocketUnits["ports"]) => Promise<readonly string[]>,
    options: SocketUnitsOptions = {},
  ): Promise<SocketUnits> {
    const servers = [createServer(), createServer()];
    for (const server of servers) await once(server.listen(0, "127.0.0.1"), "listening");
    const [signer = 0, admin = 0] = servers.map((server) => (server.address() as AddressInfo).port);
    const args = await settings({ signer, admin });
    const units = new SocketUnits({ signer, admin }, servers.map(descriptor), folder, args, options);
    for (const server of servers) server.close();
    return units;
  }

  private constructor(
    ports: SocketUnits["ports"],
    descriptors: readonly number[],
    folder: string,
    args: readonly string[],
    { names = "signer:admin", count = 2, restart = false }: SocketUnitsOptions,
  ) {
    this.ports = ports;
    const program = [process.execPath, ...flags(folder), resolve(ROOT, "signer/tezos-signer.js"), "serve", ...args];
    const env = { LISTEN_FDS: `${count}`, LISTEN_FDNAMES: names, RESTART: restart ? "yes" : "no" };
    this.#holder = spawn("sh", ["-c", SYSTEMD, "sh", ...program], {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe", ...descriptors],
    });
    this.#ended = once(this.#holder, "close");
    createInterface({ input: this.#holder.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      if (/^\d+$/.test(line)) this.pid = Number(line);
    });
    createInterface({ input: this.#holder.stderr as NodeJS.ReadableStream }).on("line", (line) => this.#take(line));
  }

  get url(): string {
    return `http://127.0.0.1:${this.ports.signer}`;
  }

  /** Waits until so many processes have said that they listen. */
  async served(count: number): Promise<void> {
    while (this.listening.length < count) await Promise.race([this.#changed.promise, this.#ended.then(this.#fail)]);
  }

  /** Waits for the end of a process that is not followed by another. @returns its exit code */
  async end(): Promise<unknown> {
    const [code] = await this.#ended;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#holder.exitCode !== null) return;
    this.#holder.kill("SIGKILL");
    if (this.pid !== 0) process.kill(this.pid, "SIGKILL");
    await this.#ended;
  }

  #fail = (): never => {
    throw new Error(this.errors);
  };

  #take(line: string): void {
    if (!line.startsWith("{")) {
      this.errors += `${line}\n`;
      return;
    }
    const entry = JSON.parse(line) as Record<string, unknown>;
    if (entry.msg !== "listening") return;
    this.listening.push(entry);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/** Of a listening server, for a child process. */
function descriptor(server: Server): number {
  return (server as unknown as { readonly _handle: { readonly fd: number } })._handle.fd;
}
