import { Command, Option } from "commander";
import { readServiceUrl } from "../network/url.ts";
import { diagnose, type Findings, type Problem, ProblemFound, type Target } from "./diagnosis.ts";
import type { ExitReason } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { withExamples } from "./run.ts";
import { type Io, Terminal } from "./terminal.ts";
import { hang, WIDTH } from "./text.ts";

/** How long a connection may take, and an answer, in milliseconds. */
const PATIENCE = 5_000;
/** From here on a round trip is a part of a vote's time that a baker will miss. */
const SLOW = 300;

/** Defines `doctor`. @param patience milliseconds for a connection, and for an answer */
export function doctorCommand(io: Io, patience = PATIENCE): Command {
  const command = new Command("doctor")
    .summary("see from a baker's computer whether a signer is reached")
    .description(
      "Run it where the baker runs. Says whether the signer is reached, whose key it serves, whether it wants a client's " +
        "signature, how long a round trip takes, and what to do where something is wrong. It asks straight, as octez does, " +
        "without a proxy, and nothing is signed.",
    )
    .argument("<url>", "the signer, with or without a key's address, as in octez-client's secret_keys")
    .option("--json", "print what was found as JSON")
    .addOption(new Option("-q, --quiet", "print nothing where all is well").conflicts("json"))
    .action(async (text: string, { json, quiet }: { json?: true; quiet?: true }) => {
      using terminal = new Terminal(io);
      const target = readTarget(text);
      const found = await diagnose(target, patience).catch((error: unknown) => {
        if (error instanceof ProblemFound) return error;
        throw error;
      });
      const failure = found instanceof ProblemFound ? failureOf(found, target) : undefined;
      if (json) terminal.printJson(report(target, found, failure));
      if (failure !== undefined) throw failure;
      if (!json && !quiet) terminal.print(inWords(target, found as Findings));
    });
  return withExamples(
    command,
    "tezos-signer doctor http://203.0.113.9:6732",
    "tezos-signer doctor \\\n    http://203.0.113.9:6732/tz3ZbCsUveF3Q6WUNkThT1wyJyhPunanaAXK --json",
  );
}

/** @throws Failure `usage` */
function readTarget(text: string): Target {
  const url = readServiceUrl(text, { plainHttp: "any", path: "taken" });
  if (!(url instanceof URL)) {
    throw new Failure("usage", `Give the signer's address, such as http://203.0.113.9:6732; ${url.fault}.`);
  }
  const [, path = "", address] = /^(.*?)\/(tz[1-4]\w{33})?$/.exec(url.pathname) ?? ["", url.pathname];
  return { url: new URL(path || "/", url), address };
}

/** How the command ends by a problem, and what to do. @param at the signer's host */
const PROBLEMS: Readonly<Record<Problem, readonly [exit: ExitReason, advice: (at: string) => string]>> = {
  name: [
    "unavailable",
    (at) =>
      `The name ${at} leads nowhere from here. Look for a slip, or take its IP address: \`pulumi stack output signerUrl\` tells it in the stack's checkout.`,
  ],
  refused: [
    "unavailable",
    (at) =>
      `${at} is there, and nothing listens at that port. Is the port right, is the signer started, and does it listen to other computers (\`listen.host\` in its settings)?`,
  ],
  "no-route": ["unavailable", (at) => `This computer finds no way to ${at}. Look at its network, VPN and routes.`],
  timeout: [
    "unavailable",
    () =>
      "So it is where a firewall drops what comes, or the machine is off. A stack lets in `bakerIp` alone: `curl -4 https://api.ipify.org` prints this computer's address; in the stack's checkout, `pulumi config set bakerIp ADDRESS` and `npm run up` let it in.",
  ],
  silent: ["unavailable", () => "Something listens and hangs: look at the signer, and at what stands between."],
  tls: [
    "unavailable",
    () =>
      "Does the signer speak https: (`listen.tls` in its settings), and is its certificate for this name, in date, and known here (NODE_EXTRA_CA_CERTS names a file of more)? A stack's signer speaks http:.",
  ],
  "cut-off": [
    "unavailable",
    () => "Does it speak https: where http: was asked? Else look at the signer, and at what stands between.",
  ],
  address: [
    "refused",
    () =>
      "The signer is reached and refuses this computer: `allowedAddresses` in its settings lacks the address by which it sees it.",
  ],
  "not-a-signer": ["mismatch", () => "Is the port right? 6732 is a signer's own; its admin port is no use to a baker."],
  "no-key": [
    "not-found",
    () =>
      "It may not have found the key yet, or refuse it: /status on its machine says why. Without an address, this command shows the keys that it has.",
  ],
  "other-key": ["mismatch", () => "Do not use it: whatever answers there is not your signer, or is broken."],
};

function failureOf({ problem, message }: ProblemFound, { url }: Target): Failure {
  const [exit, advice] = PROBLEMS[problem];
  return new Failure(exit, `${url.origin}: ${message} ${advice(url.hostname)}`);
}

/** What `--json` prints; docs/reference/http.md is for what the signer itself says. */
function report({ url, address }: Target, found: Findings | ProblemFound, failure: Failure | undefined) {
  const signer = { url: url.href, address: address ?? null };
  if (found instanceof ProblemFound) return { ...signer, ok: false, problem: found.problem, message: failure?.message };
  const { authorizedKeys = null, keys = null, roundTrips } = found;
  const milliseconds = roundTrips.map((each) => Math.round(each * 10) / 10);
  return { ...signer, ok: true, authorizedKeys, keys, roundTrips: milliseconds, version: null };
}

function inWords({ url }: Target, { authorizedKeys, keys, roundTrips }: Findings): string {
  const median = middle(roundTrips);
  const range = `${ms(roundTrips[0])} to ${ms(roundTrips.at(-1))} for ${roundTrips.length} new connections`;
  const slow = median > SLOW ? ". That is long: a vote counts within seconds, and the key takes its own time" : "";
  const wanted =
    authorizedKeys === undefined
      ? "not wanted: whoever reaches it may ask"
      : `wanted: the client must hold the secret key of ${authorizedKeys.join(" or ")}, else each request gets 401`;
  const rows: [string, string][] = [
    ["reached", url.href],
    ["round trip", `${ms(median)} (${range})${slow}`],
    ["client's signature", wanted],
    ...keyRows(keys),
    ["version", "not told to who asks from outside; `status` tells it, on the signer's machine"],
  ];
  const width = Math.max(...rows.map(([label]) => label.length));
  const lines = rows.map(([label, value]) => hang(`${label.padEnd(width)}  `, value, WIDTH));
  return [...lines, "Nothing was signed, and nothing was asked to be."].join("\n");
}

function keyRows(keys: Findings["keys"]): [string, string][] {
  if (keys === undefined) return [["keys", "not listed: give the URL with the key's address to ask for one"]];
  if (keys.length === 0) return [["keys", "none: it signs nothing until it has one"]];
  return keys.map(({ address, publicKey }) => ["key", `${address} ${publicKey}`]);
}

/** The median of what is sorted already. */
function middle(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function ms(milliseconds = 0): string {
  return `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;
}
