import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import { ADMIN_PORT } from "../contract.ts";
import { messagesOf } from "../errors.ts";
import { inWords, type ReleaseId } from "../installation/own-release.ts";
import { get, outgoingAgent } from "../network/outgoing.ts";
import { readServiceUrl } from "../network/url.ts";
import { positionInWords } from "../watermark/decision.ts";
import { Failure } from "./failure.ts";
import { withExamples } from "./run.ts";
import { type Io, Terminal } from "./terminal.ts";
import { table } from "./text.ts";

const ADMIN = `http://127.0.0.1:${ADMIN_PORT}`;
const PAUSE = 2_000;
const TIMEOUT = 5_000;
/** Of one answer: far more than a thousand keys take. */
const MOST_CHARACTERS = 16 * 1024 * 1024;

/** `status` */
export function statusCommand(io: Io): Command {
  const command = new Command("status")
    .summary("show a running signer on one screen")
    .description(
      "Shows keys, policies, what was signed last, the store, the vault, who waits for a person, and what was refused. " +
        "Ends with 0 where the signer is ready, and with 1 where it is not or does not answer.",
    )
    .option("--admin <url>", "the signer's admin port", ADMIN)
    .option("--json", "print what the signer says as JSON")
    .option("--watch", "show it again every 2 seconds, until Ctrl-C")
    .action(async ({ admin, json, watch }: { admin: string; json?: true; watch?: true }) => {
      using terminal = new Terminal(io);
      const url = readAdmin(admin);
      for (;;) {
        const state = await ask(url).catch((error: Failure) => error);
        const answered = !(state instanceof Failure);
        if (watch && io.stdout.isTTY) io.stdout.write("\x1b[H\x1b[2J");
        if (answered) terminal.print(json ? JSON.stringify(state) : screen(state, Date.now()));
        if (!watch) {
          if (!answered) throw state;
          if (!state.ready) throw new Failure("failed", `The signer is not ready. ${state.reasons.join(" ")}`);
          return;
        }
        if (!answered) terminal.say(state.message);
        // Nobody reads on (`--watch | head`).
        if (io.stdout.errored || io.stderr.errored) return;
        await sleep(PAUSE);
      }
    });
  return withExamples(command, "tezos-signer status", "tezos-signer status --watch");
}

/** What /status says, as far as the screen shows it; docs/reference/http.md. */
export interface Status {
  readonly release: ReleaseStatus;
  readonly started: string;
  readonly ready: boolean;
  readonly reasons: readonly string[];
  readonly settings: { source: string; version: string; since: string; refused: string | null };
  readonly tls: { until: string; problem: string | null } | null;
  readonly store: { kind: string; id: string | null; problem: string | null; readAt: string | null };
  readonly vault: {
    problem: string | null;
    tokenSeconds: number | null;
    signMilliseconds: { p50: number | null; p99: number | null };
  };
  readonly keys: readonly {
    address: string;
    location: string;
    problem: string | null;
    policy: { allow: readonly string[]; confirm?: readonly string[]; chains?: readonly string[] };
  }[];
  readonly watermarks: readonly StatusMark[];
  readonly head: {
    node: string;
    chainId: string | null;
    level: number | null;
    ageSeconds: number | null;
    problem: string | null;
  } | null;
  readonly confirmations: {
    socket: string | null;
    problem: string | null;
    operators: number;
    waiting: readonly { id: number; key: string; client: string; since: string; summary: { kinds: string } }[];
  };
  readonly refusals: readonly {
    at: string;
    since: string;
    count: number;
    client: string;
    asked: string;
    message: string;
  }[];
}

/** A mark; operations have none, and only when they were signed. */
interface StatusMark {
  readonly row: string;
  readonly level: number | null;
  readonly round: number | null;
  /** Since when the mark is believed, whoever signed. */
  readonly since: string | null;
  /** When this process last signed by it. */
  readonly signedAt: string | null;
}

interface ReleaseStatus {
  readonly version: string;
  readonly sha256: string | null;
  readonly wanted: ReleaseId | null;
  readonly step: string | null;
  readonly problem: string | null;
  readonly refused: (ReleaseId & { readonly reason: string; readonly at: string }) | null;
  readonly waitingSettings: ReleaseId | null;
}

async function ask(url: URL): Promise<Status> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT);
    const { text } = await get(new URL("/status", url), { agent: outgoingAgent(url), signal, most: MOST_CHARACTERS });
    return JSON.parse(text);
  } catch (error) {
    throw new Failure("failed", `No signer answers at ${url.origin} (${messagesOf(error)}).`, { cause: error });
  }
}

/** @throws Failure `usage` */
function readAdmin(text: string): URL {
  const url = readServiceUrl(text, { plainHttp: "any", path: "refused" });
  if (url instanceof URL) return url;
  throw new Failure("usage", `--admin: give the admin port's address, such as ${ADMIN}; ${url.fault}.`);
}

/** One screen. @param now milliseconds since 1970 */
export function screen(status: Status, now: number): string {
  const { release, started, ready, reasons, settings, store, vault, keys, watermarks, refusals } = status;
  const age = (time: string) => duration((now - Date.parse(time)) / 1_000);
  const { p50, p99 } = vault.signMilliseconds;
  const signing = p50 === null || p99 === null ? "nothing signed yet" : `p50 ${ms(p50)}, p99 ${ms(p99)}`;
  const token = vault.tokenSeconds === null ? "" : `; token for ${duration(vault.tokenSeconds)}`;
  const rows: [string, string][] = [
    ["signer", `${release.version}, up ${age(started)}`],
    ...releaseRows(release, age),
    ["settings", `${settings.version} of ${settings.source}, for ${age(settings.since)}`],
    ...warning(settings.refused),
    ...certificate(status, now),
    ["store", `${store.kind} ${store.id ?? ""}`],
    ...warning(store.problem),
    ...warning(store.problem && store.readAt && `What it holds was read ${age(store.readAt)} ago.`),
    ["key's answers", signing + token],
    ...warning(vault.problem),
    ...head(status),
    ["confirmation", waiting(status)],
    ...warning(status.confirmations.problem),
  ];
  return [
    ready ? "ready" : ["NOT READY", ...reasons.map((reason) => `  ${reason}`)].join("\n"),
    table(rows),
    section(
      "last signed",
      watermarks.map((mark) => `${mark.row}: ${markInWords(mark, age)}`),
    ),
    section(
      "waiting for a person",
      status.confirmations.waiting.map(
        ({ id, key, client, since, summary }) => `${id}: ${summary.kinds} of ${key} from ${client}, for ${age(since)}`,
      ),
    ),
    section(
      "last refusals",
      refusals.slice(0, 5).map(({ at, since, count, client, asked, message }) => {
        const times =
          count === 1 ? "" : `, ${count} times in ${duration((Date.parse(at) - Date.parse(since)) / 1_000)}`;
        return `${age(at)} ago${times}, ${client}, ${asked}: ${message}`;
      }),
    ),
    ...keys.map(({ address, location, problem, policy }) => {
      const { allow, confirm = [], chains = [] } = policy;
      const lists = [["allow", allow] as const, ["confirm", confirm] as const, ["chains", chains] as const];
      const named = lists.filter(([, list]) => list.length > 0);
      return [
        address,
        table([
          ["at", location],
          ...warning(problem),
          ...named.map(([name, list]) => [name, list.join(", ")] as const),
        ]),
      ].join("\n");
    }),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

/** Where the mark is, and how old; whose it is where this process did not make it, but a former one or another signer. */
function markInWords({ level, round, since, signedAt }: StatusMark, age: (time: string) => string): string {
  const isOwn = signedAt !== null && (since === null || since <= signedAt);
  const time = isOwn ? signedAt : since;
  const when = time === null ? "" : `, ${age(time)} ago${isOwn ? "" : ", not by this process"}`;
  if (level === null) return when.slice(", ".length);
  return `${positionInWords({ level, round: round ?? 0 })}${when}`;
}

/** Nothing for a signer of a checkout, which no updater keeps. */
function releaseRows(status: ReleaseStatus, age: (time: string) => string): [string, string][] {
  const { version, sha256, wanted, step, problem, refused, waitingSettings } = status;
  const running = sha256 === null ? [] : [`running ${inWords({ version, sha256 })}`];
  const next =
    wanted === null || wanted.sha256 === sha256 ? [] : [`wanted ${inWords(wanted)}`, ...(step ? [step] : [])];
  const state: [string, string][] =
    running.length + next.length === 0 ? [] : [["release", [...running, ...next].join(", ")]];
  const reason = refused && `${inWords(refused)} was refused ${age(refused.at)} ago: ${refused.reason}`;
  const wait = waitingSettings && `newer settings wait for release ${inWords(waitingSettings)}`;
  return [...state, ...warning(problem), ...warning(reason), ...warning(wait)];
}

function certificate({ tls }: Status, now: number): [string, string][] {
  if (tls === null) return [];
  const left = (Date.parse(tls.until) - now) / 1_000;
  return [["certificate", left > 0 ? `for ${duration(left)}` : "ended"], ...warning(tls.problem)];
}

function head({ head }: Status): [string, string][] {
  if (head === null) return [];
  const { node, chainId, level, ageSeconds, problem } = head;
  const seen = level === null ? "not seen" : `level ${level} of ${chainId}, ${duration(ageSeconds ?? 0)} ago`;
  return [["head", `${seen}, from ${node}`], ...warning(problem)];
}

function waiting({ confirmations: { socket, operators, waiting } }: Status): string {
  if (socket === null) return "off";
  return `${waiting.length} waiting, ${operators === 1 ? "1 operator" : `${operators} operators`}`;
}

function warning(problem: string | null): [string, string][] {
  return problem === null ? [] : [["", `! ${problem}`]];
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? "" : [title, ...lines.map((line) => `  ${line}`)].join("\n");
}

function ms(milliseconds: number): string {
  return `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;
}

/** "45 s", "3 min", "5 h", "2 d": as much as a glance needs. */
export function duration(seconds: number): string {
  if (seconds < 120) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`;
}
