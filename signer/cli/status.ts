import { setTimeout as sleep } from "node:timers/promises";
import { Command, Option } from "commander";
import { ADMIN_PORT } from "../contract.ts";
import { duration } from "../duration.ts";
import { inWords } from "../installation/own-release.ts";
import { readServiceUrl } from "../network/url.ts";
import { withChainNames } from "../tezos/chains.ts";
import { positionInWords } from "../watermark/decision.ts";
import { Failure } from "./failure.ts";
import { withExamples } from "./run.ts";
import { askStatus, type Status } from "./status-answer.ts";
import { type Io, Terminal } from "./terminal.ts";
import { hang, table } from "./text.ts";

const ADMIN = `http://127.0.0.1:${ADMIN_PORT}`;
const PAUSE = 2_000;

interface StatusOptions {
  readonly admin: string;
  readonly json?: true;
  readonly watch?: true;
  readonly quiet?: true;
}

/** Defines `status`. */
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
    .addOption(new Option("-q, --quiet", "print nothing where it is ready").conflicts(["json", "watch"]))
    .action(async ({ admin, json, watch, quiet }: StatusOptions) => {
      using terminal = new Terminal(io);
      const url = readAdmin(admin);
      for (;;) {
        const state = await askStatus(url).catch((error: Failure) => error);
        const answered = !(state instanceof Failure);
        if (watch && io.stdout.isTTY) io.stdout.write("\x1b[H\x1b[2J");
        if (answered && json) terminal.printJson(state.all);
        else if (answered && !(quiet && state.shown.ready)) {
          terminal.print(screen(state.shown, Date.now(), io.stdout.isTTY ? terminal.size.columns : undefined));
        }
        if (!watch) {
          if (!answered) throw state;
          if (!state.shown.ready) throw new Failure("failed", "The signer is not ready.");
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

/** @throws Failure `usage` */
function readAdmin(text: string): URL {
  const url = readServiceUrl(text, { plainHttp: "any", path: "refused" });
  if (url instanceof URL) return url;
  throw new Failure("usage", `--admin: give the admin port's address, such as ${ADMIN}; ${url.fault}.`);
}

/**
 * Draws one screen. A person sees the end of what is longer than the terminal, so whether it is ready is last there; of
 * what is sent elsewhere the end is cut, so there it is first, and no line is broken.
 * @param now milliseconds since 1970
 * @param columns of the terminal; undefined where there is none
 */
export function screen(status: Status, now: number, columns?: number): string {
  const readiness = status.ready ? "ready" : ["NOT READY", ...status.reasons.map((reason) => `  ${reason}`)].join("\n");
  const told = parts(status, now).filter((part) => part !== "");
  if (columns === undefined) return [readiness, ...told].join("\n\n");
  const lines = withChainNames([...told, readiness].join("\n\n")).split("\n");
  return lines.map((line) => fitted(line, columns)).join("\n");
}

/** Breaks a line of the screen under its own text: what stands behind the label, or behind the indentation. */
function fitted(line: string, columns: number): string {
  const [, label = "", text = ""] = /^( *(?:\S+(?: \S+)* {2,}|(?=! ))?)(.*)$/.exec(line) ?? [];
  return line.length <= columns ? line : hang(label, text, columns);
}

/** What the screen shows besides whether the signer is ready. */
function parts(status: Status, now: number): string[] {
  const { release, started, reasons, settings, store, vault, keys, watermarks, refusals } = status;
  const age = (time: string) => duration((now - Date.parse(time)) / 1_000);
  const { p50, p99 } = vault.signMilliseconds;
  const signing = p50 === null || p99 === null ? "nothing signed yet" : `p50 ${ms(p50)}, p99 ${ms(p99)}`;
  const token = vault.tokenSeconds === null ? "" : `; token for ${duration(vault.tokenSeconds)}`;
  const rows: [string, string][] = [
    ["signer", `${release.version}, up ${age(started)}`],
    ...releaseRows(release, age),
    ["settings", `${settings.version} of ${settings.source}, for ${age(settings.since)}`],
    ...warning(settings.refused),
    ...balancer(status, age),
    ...otherMachines(status, age),
    ...certificate(status, now),
    ["store", `${store.kind} ${store.id ?? ""}`],
    ...unless(reasons, store.problem),
    ...warning(store.problem && store.readAt && `What it holds was read ${age(store.readAt)} ago.`),
    ["key's answers", signing + token],
    ...unless(reasons, vault.problem),
    ...head(status),
    ["confirmation", waiting(status)],
    ...warning(status.confirmations.problem),
  ];
  return [
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
  ];
}

/** A warning's row, unless its text is among the reasons that are told of the whole signer. */
function unless(reasons: readonly string[], problem: string | null): [string, string][] {
  return problem !== null && reasons.includes(problem) ? [] : warning(problem);
}

/** Where the mark is, and how old; and where this process released no signature for it. */
function markInWords(
  { level, round, since, signedAt }: Status["watermarks"][number],
  age: (time: string) => string,
): string {
  const isOwn = signedAt !== null && (since === null || since <= signedAt);
  const time = isOwn ? signedAt : since;
  const when = time === null ? "" : `, ${age(time)} ago${isOwn ? "" : ", not signed by this process"}`;
  if (level === null) return when.slice(", ".length);
  return `${positionInWords({ level, round: round ?? 0 })}${when}`;
}

/** Nothing for a signer of a checkout, which no updater keeps. */
function releaseRows(status: Status["release"], age: (time: string) => string): [string, string][] {
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

/** Nothing where no balancer asks. */
function balancer({ balancer }: Status, age: (time: string) => string): [string, string][] {
  if (balancer === null) return [];
  const { askedAt, ready, leaving } = balancer;
  return [
    ["balancer", `${ready ? "sends here" : "is to send nothing new here"}, asked ${age(askedAt)} ago`],
    ...warning(leaving),
  ];
}

/** Nothing where no balancer asks, or no other machine has said anything yet. */
function otherMachines({ otherMachines }: Status, age: (time: string) => string): [string, string][] {
  return (otherMachines ?? []).flatMap(({ machine, ready, signedAt, problems }) => {
    const signed = signedAt === null ? "nothing signed since its start" : `last signed ${age(signedAt)} ago`;
    return [[machine, `${ready ? "ready" : "not ready"}, ${signed}`], ...problems.flatMap(warning)];
  });
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
