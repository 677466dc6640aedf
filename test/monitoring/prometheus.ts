import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** Divides each duration of alert rules: how long they hold, over what they look back. Numbers without a unit stay. */
export function faster(rules: string, times: number): string {
  const shorter = (count: string, unit: string) =>
    `${Math.round((Number(count) * SECONDS[unit as keyof typeof SECONDS] * 1_000) / times)}ms`;
  return rules.replace(
    /(for: |\[|offset )(\d+)([smhd])/g,
    (_all, before, count, unit) => before + shorter(count, unit),
  );
}

/** One value of an answer. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

/** How a signer is scraped: by its admin port, or by its metrics port. */
export interface Scrape {
  /** Host and port. */
  readonly target: string;
  /** File with the token, and with the certificate that the port must show. */
  readonly token?: string;
  readonly ca?: string;
}

/** Debian's Prometheus, over a folder of its own. */
export class Prometheus implements AsyncDisposable {
  readonly #url: string;
  readonly #folder: string;
  readonly #process: ChildProcess;

  private constructor(url: string, folder: string, process: ChildProcess) {
    this.#url = url;
    this.#folder = folder;
    this.#process = process;
  }

  /** @param scrapes one for each way to a signer @param rules text of a file of rules @param interval of scrapes and rules */
  static async start(scrapes: readonly Scrape[], rules: string, interval: string): Promise<Prometheus> {
    const folder = mkdtempSync(join(tmpdir(), "prometheus-"));
    const [config, rulesFile] = [join(folder, "prometheus.yaml"), join(folder, "rules.yaml")];
    writeFileSync(rulesFile, rules);
    writeFileSync(
      config,
      JSON.stringify({
        global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
        rule_files: [rulesFile],
        scrape_configs: scrapes.map(({ target, token, ca }, index) => ({
          job_name: `way ${index}`,
          static_configs: [{ targets: [target], labels: { job: "tezos-signer" } }],
          ...(token === undefined ? {} : { authorization: { credentials_file: token } }),
          ...(ca === undefined ? {} : { scheme: "https", tls_config: { ca_file: ca } }),
        })),
      }),
    );
    const port = await freePort();
    const address = `127.0.0.1:${port}`;
    const args = [`--config.file=${config}`, `--storage.tsdb.path=${join(folder, "data")}`];
    const child = spawn("prometheus", [...args, `--web.listen-address=${address}`, "--log.level=warn"], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    process.once("exit", () => child.kill());
    const prometheus = new Prometheus(`http://${address}`, folder, child);
    while (!(await prometheus.#isReady())) {
      if (child.exitCode !== null) throw new Error(`prometheus ended with ${child.exitCode}`);
      await sleep(100);
    }
    return prometheus;
  }

  /** Asks for the values of now. @throws Error in Prometheus' words */
  async query(expression: string): Promise<readonly Sample[]> {
    const answer = await this.#ask(`query?query=${encodeURIComponent(expression)}`);
    return answer.result as readonly Sample[];
  }

  /** The alerts that fire now, and on demand those that will where their cause lasts: `NAME INSTANCE`, sorted. */
  async alerts(states: readonly ("firing" | "pending")[] = ["firing"]): Promise<readonly string[]> {
    const { alerts } = (await this.#ask("alerts")) as {
      alerts: { state: "firing" | "pending"; labels: { alertname: string; instance: string } }[];
    };
    const names = alerts.flatMap(({ state, labels }) =>
      states.includes(state) ? `${labels.alertname} ${labels.instance}` : [],
    );
    return [...new Set(names)].sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null) {
      this.#process.kill();
      await once(this.#process, "exit");
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #ask(path: string): Promise<Record<string, unknown>> {
    const answer = await fetch(`${this.#url}/api/v1/${path}`);
    const { status, data, error } = (await answer.json()) as {
      status: string;
      data: Record<string, unknown>;
      error?: string;
    };
    if (status !== "success") throw new Error(`${path}: ${error}`);
    return data;
  }

  async #isReady(): Promise<boolean> {
    return fetch(`${this.#url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
