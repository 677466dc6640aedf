import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";

/** How a page is looked at. */
export interface Looks {
  /** Of the window, in CSS pixels. */
  readonly width: number;
  readonly scheme: "light" | "dark";
}

/** What a browser made of a page. */
export interface Seen {
  /** Whatever its console said, and what the page itself threw. */
  readonly complaints: readonly string[];
  /** Every address that it asked for. */
  readonly asked: readonly string[];
  /** Value of an expression in the page, by JSON. */
  readonly evaluate: <Value>(expression: string) => Promise<Value>;
  /** Takes a picture of the page's beginning. @param height in CSS pixels @returns PNG */
  readonly picture: (height: number) => Promise<Buffer>;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, never>;
  readonly result?: Record<string, never>;
  readonly error?: { readonly message: string };
}

/** The browser as Debian's package has it. */
export const BROWSER = "chromium";
/** A window's height, in CSS pixels. */
const HEIGHT = 800;

/** A headless Chromium with a profile of its own, by the DevTools protocol over pipes: it opens no port. */
export class Browser implements AsyncDisposable {
  readonly #process;
  readonly #profile: string;
  readonly #pending = new Map<number, (message: Message) => void>();
  readonly #listeners = new Set<(message: Message) => void>();
  #last = 0;
  #session: string | undefined;

  private constructor(profile: string, names: Readonly<Record<string, string>>) {
    this.#profile = profile;
    const options = ["--headless", "--remote-debugging-pipe", `--user-data-dir=${profile}`, "--disable-gpu"];
    const rules = Object.entries(names).map(([name, address]) => `MAP ${name} ${address}`);
    if (rules.length > 0) options.push(`--host-resolver-rules=${rules.join(",")}`);
    const quiet = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
    const asRoot = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
    this.#process = spawn(BROWSER, [...options, ...quiet, ...asRoot, "--disable-dev-shm-usage", "about:blank"], {
      stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
      detached: true,
    });
    const lines = this.#process.stdio[4] as Readable;
    let rest = "";
    lines.setEncoding("utf8").on("data", (text: string) => {
      const messages = (rest + text).split("\0");
      rest = messages.pop() ?? "";
      for (const each of messages) this.#take(JSON.parse(each));
    });
  }

  /** Starts a browser and opens a page in it. @param names of computers, and the addresses that they lead to */
  static async start(names: Readonly<Record<string, string>> = {}): Promise<Browser> {
    const browser = new Browser(await mkdtemp(join(tmpdir(), "tezos-signer-browser-")), names);
    const { targetInfos } = await browser.#send("Target.getTargets");
    const page = (targetInfos as unknown as { type: string; targetId: string }[]).find(({ type }) => type === "page");
    const { sessionId } = await browser.#send("Target.attachToTarget", { targetId: page?.targetId, flatten: true });
    browser.#session = sessionId;
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await browser.#send(`${domain}.enable`);
    return browser;
  }

  /**
   * Has the page of another site do something with all that its scripts can.
   * @param script an expression; a promise is waited for
   * @returns its value, by JSON
   */
  async onPageOf<Value>(url: string, script: string): Promise<Value> {
    this.#listeners.clear();
    await this.#send("Emulation.setScriptExecutionDisabled", { value: false });
    const loaded = new Promise<void>((resolve) => {
      this.#listeners.add(({ method }) => method === "Page.loadEventFired" && resolve());
    });
    await this.#send("Page.navigate", { url });
    await loaded;
    const given = { expression: script, returnByValue: true, awaitPromise: true };
    const { result } = await this.#send("Runtime.evaluate", given);
    return (result as unknown as { value: Value }).value;
  }

  /** Loads a page as somebody looks at it who has no script. */
  async look(url: string, { width, scheme }: Looks): Promise<Seen> {
    const [complaints, asked]: [string[], string[]] = [[], []];
    let loaded = () => {};
    const isLoaded = new Promise<void>((resolve) => {
      loaded = resolve;
    });
    this.#listeners.clear();
    this.#listeners.add(({ method, params }) => {
      if (method === "Runtime.consoleAPICalled" || method === "Runtime.exceptionThrown" || method === "Log.entryAdded")
        complaints.push(JSON.stringify(params));
      if (method === "Network.requestWillBeSent")
        asked.push((params as unknown as { request: { url: string } }).request.url);
      if (method === "Page.loadEventFired") loaded();
    });
    await this.#send("Log.clear");
    const mobile = width < 600;
    await this.#send("Emulation.setDeviceMetricsOverride", { width, height: HEIGHT, deviceScaleFactor: 1, mobile });
    await this.#send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
    await this.#send("Emulation.setScriptExecutionDisabled", { value: true });
    await this.#send("Emulation.setScrollbarsHidden", { hidden: true });
    await this.#send("Page.navigate", { url });
    await isLoaded;
    // The page would be asked for again after some seconds, in the middle of a look that takes long.
    await this.#send("Page.stopLoading");
    const evaluate = async <Value>(expression: string) => {
      const { result } = await this.#send("Runtime.evaluate", { expression, returnByValue: true });
      return (result as unknown as { value: Value }).value;
    };
    const picture = async (height: number) => {
      const clip = { x: 0, y: 0, width, height, scale: 1 };
      const { data } = await this.#send("Page.captureScreenshot", { format: "png", clip, captureBeyondViewport: true });
      return Buffer.from(data ?? "", "base64");
    };
    return { complaints, asked, evaluate, picture };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, "exit");
    process.kill(-(this.#process.pid ?? 0), "SIGKILL");
    await ended;
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 10 });
  }

  #take(message: Message): void {
    if (message.id === undefined) for (const listener of this.#listeners) listener(message);
    else this.#pending.get(message.id)?.(message);
  }

  /** @throws Error with what the browser says is wrong */
  async #send(method: string, params: object = {}): Promise<Record<string, never>> {
    const id = ++this.#last;
    const answer = new Promise<Message>((resolve) => this.#pending.set(id, resolve));
    const session = this.#session && !method.startsWith("Target.") ? { sessionId: this.#session } : {};
    (this.#process.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, ...session })}\0`);
    const { result, error } = await answer;
    this.#pending.delete(id);
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result ?? {};
  }
}
