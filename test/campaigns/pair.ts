import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { StorageFront } from "../boot/storage-front.ts";
import { azurite } from "../emulators/azurite.ts";
import { commandLine, wholeNumberFrom } from "../emulators/command-line.ts";
import { CertificateAuthority } from "../emulators/key-vault/certificates.ts";
import { KeyVaultEmulator } from "../emulators/key-vault/emulator.ts";
import { TokenAuthority } from "../emulators/key-vault/tokens.ts";
import { temporaryFolder } from "../emulators/signer-process.ts";
import type { Asked, Loop } from "./pair/baker.ts";
import { EVENTS, type Event, TABLE_PORT, VAULT_PORT, type World } from "./pair/events.ts";
import { Machine } from "./pair/machine.ts";
import { at, HOSTS, makePlaces, namespace, PLACES, type Place } from "./pair/network.ts";

const IDENTITY = { clientId: "6b0a2f57-6b7e-4d0a-9a0c-0d8f4a1f2c11", objectId: "9c1d3e68-7c8f-4e1b-8b1d-1e9f5b203d22" };
const STORE = "5f0c7a1e";

/** A client without a time-out would wait for ever: so long counts as that, milliseconds. */
const FOR_EVER = 25_000;
/** What docs/pair.md gives `--remote-calls-timeout`, milliseconds. */
const TIMEOUT = 3_000;

/** What one thing that happens to a machine costs the baker. */
export interface Cost {
  readonly what: string;
  /** Nothing may fail. */
  readonly planned: boolean;
  readonly requests: number;
  /** Requests without a signature, but for those that lost against other bytes of the same position. */
  readonly failed: number;
  /** The same by what the client was told. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Milliseconds, of a client without and of one with a time-out. */
  readonly longest: { readonly without: number; readonly within: number };
  /** Requests that waited as long as the client without a time-out does. */
  readonly hanging: number;
  /** Whom the balancer sent to from when on, milliseconds after it began. */
  readonly sent: readonly { readonly after: number; readonly to: readonly string[] }[];
}

export interface PairResult {
  readonly costs: readonly Cost[];
  readonly positions: number;
  readonly released: number;
  /** Positions for which two payloads, or a block for which two signatures, were released. */
  readonly second: number;
}

/** What is tried without `--whole`: of each kind one, and the worst. */
const SLICE = ["kill -9", "machine without power", "reboot that Azure announces"];

/**
 * Two real signers behind a balancer that sends packets, as Azure's does, with one vault and one table, and a baker that asks
 * as octez does: three keys at their levels, one 20 times a second, and the same with a time-out. One thing after the other
 * happens to a machine, each at the moment of a reservation, while the baker goes on.
 * @param positions how many are to be asked for at least
 * @throws Error where the network cannot be made
 */
export async function pairCampaign(which: readonly string[], positions: number): Promise<PairResult> {
  await using open = new AsyncDisposableStack();
  open.use(makePlaces());
  const folder = open.use(await temporaryFolder());
  const tokens = new TokenAuthority();
  const vault = await KeyVaultEmulator.start({
    ...{ tls: true, host: PLACES.services, hostname: HOSTS.vault, port: VAULT_PORT, tokens },
    policies: { [IDENTITY.objectId]: ["get", "list", "sign"] },
  });
  open.defer(() => vault.stop());
  const authority = new CertificateAuthority();
  const table = new StorageFront(await azurite("table"), authority.issue([HOSTS.table]), tokens);
  authority.close();
  await table.listen(PLACES.services, TABLE_PORT);
  open.defer(() => table.close());
  const authorities = join(folder.path, "authorities.pem");
  writeFileSync(authorities, `${vault.authority?.certificate}${authority.certificate}`);
  for (let key = 0; key < 5; key += 1) {
    vault.createKey(`baker-${key}`, { crv: "P-256", tags: { "tezos-signer-watermarks": STORE } });
  }
  const parts = { tokens, identity: IDENTITY, authorities, settings: settingsOf(vault.url) };
  const first = open.use(await Machine.make({ place: "first", ...parts }));
  const second = open.use(await Machine.make({ place: "second", ...parts }));
  await Promise.all([first.start(), second.start()]);
  const ups: { readonly at: number; readonly up: readonly string[] }[] = [];
  open.use(
    spoken("front", ["pair/balancer.ts", PLACES.front, PLACES.first, PLACES.second], ({ up }) => {
      ups.push({ at: Date.now(), up: up as string[] });
    }),
  );
  while (ups.at(-1)?.up.length !== 2) await sleep(100);
  const asked: Asked[] = [];
  const url = `http://${PLACES.front}:6732`;
  const keys: string[] = known(url).toSorted();
  open.use(
    spoken("baker", ["pair/baker.ts", url, JSON.stringify(loopsOf(keys))], (one) => {
      asked.push(one as unknown as Asked);
    }),
  );
  const world: World = {
    first,
    second,
    reserving: async () => {
      const { calls } = table;
      while (table.calls === calls) await new Promise((turn) => setImmediate(turn));
    },
  };
  const costs: Cost[] = [];
  for (const event of EVENTS.filter(({ what }) => which.includes(what))) {
    await sleep(2_000);
    await world.reserving();
    const from = Date.now();
    await event.act(world);
    // A client that was left hanging is one that has waited for so long.
    await sleep(event.planned ? 3_000 : FOR_EVER + 2_000);
    await event.end(world);
    while (ups.at(-1)?.up.length !== 2) await sleep(100);
    costs.push(costOf(event, from, Date.now(), asked, ups));
  }
  const enough = () => new Set(asked.map(({ key, form, level }) => `${key} ${form} ${level}`)).size >= positions;
  while (!enough()) await sleep(1_000);
  return { costs, ...released(asked) };
}

function settingsOf(vault: string): object {
  return {
    listen: { host: "0.0.0.0" },
    keys: { kind: "azure-key-vault", vault, credential: "managed-identity", clientId: IDENTITY.clientId },
    watermarks: {
      kind: "azure-table",
      endpoint: `https://${HOSTS.table}:${TABLE_PORT}`,
      ...{ table: "watermarks", storeId: STORE, initialise: "always", maxStep: "off" },
    },
    policy: { default: { allow: ["block", "preattestation", "attestation"] } },
    listKnownKeys: true,
  };
}

/** Between two requests for a busy key, milliseconds: twenty a second. */
const BUSY_PACE = 50;

/** Three keys at the chain's pace, and two busy ones, of which one belongs to a client with a time-out. */
function loopsOf(keys: readonly string[]): Loop[] {
  const votes = ["preattestation", "attestation"] as const;
  return keys.map((key, index) => {
    if (index < 3) return { key, pace: 6_000, forms: ["block", ...votes], patience: FOR_EVER, rivals: 2 };
    return {
      key,
      pace: votes.length * BUSY_PACE,
      forms: votes,
      patience: index === 3 ? FOR_EVER : TIMEOUT,
      rivals: 10,
    };
  });
}

/** Starts a process of the campaign at a place, and hears its lines. */
function spoken(place: Place, args: readonly string[], hear: (line: Record<string, unknown>) => void): AsyncDisposable {
  const [script = "", ...rest] = args;
  const file = join(import.meta.dirname, script);
  const child: ChildProcess = spawn("ip", ["netns", "exec", namespace(place), process.execPath, file, ...rest], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  process.once("exit", () => child.kill("SIGKILL"));
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", (line) => hear(JSON.parse(line)));
  return {
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** The addresses that the signers serve, asked from the baker's place. */
function known(url: string): string[] {
  return JSON.parse(at("baker", "curl", "--silent", "--max-time", "10", `${url}/known_keys`)).known_keys;
}

function costOf(
  { what, planned }: Event,
  from: number,
  to: number,
  asked: readonly Asked[],
  ups: readonly { readonly at: number; readonly up: readonly string[] }[],
): Cost {
  const during = asked.filter(({ at, wait }) => at + wait >= from && at <= to);
  const lost = ({ status, level, form, key }: Asked) =>
    status === 409 &&
    asked.some((one) => one.bytes === 2 && one.level === level && one.form === form && one.key === key);
  const failed = during.filter((one) => one.status !== 200 && !lost(one) && one.bytes === 1);
  // The fifth key is that of the client with a time-out.
  const keys = [...new Set(asked.map(({ key }) => key))].toSorted();
  const longest = (mine: (key: string) => boolean) =>
    Math.max(0, ...during.filter(({ key }) => mine(key)).map(({ wait }) => wait));
  return {
    ...{ what, planned, requests: during.length, failed: failed.length, reasons: reasonsOf(failed) },
    longest: { without: longest((key) => key !== keys[4]), within: longest((key) => key === keys[4]) },
    hanging: during.filter(({ hung, key }) => hung && key !== keys[4]).length,
    sent: ups.filter(({ at }) => at >= from && at <= to).map(({ at, up }) => ({ after: at - from, to: up })),
  };
}

function reasonsOf(failed: readonly Asked[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, message = "" } of failed) {
    const reason = `${status} ${message.replace(/\d+/g, "N").slice(0, 90)}`;
    counts[reason] = (counts[reason] ?? 0) + 1;
  }
  return counts;
}

/** Looks for what must not be: two payloads of one position, two signatures of one block. */
function released(asked: readonly Asked[]): Pick<PairResult, "positions" | "released" | "second"> {
  const signed = new Map<string, Set<string>>();
  for (const { key, form, level, bytes, signature } of asked) {
    if (signature === undefined) continue;
    const place = `${key} ${form} ${level}`;
    const what = form === "block" ? `${bytes} ${signature}` : String(bytes);
    signed.set(place, (signed.get(place) ?? new Set()).add(what));
  }
  const positions = new Set(asked.map(({ key, form, level }) => `${key} ${form} ${level}`)).size;
  const second = [...signed.values()].filter((each) => each.size > 1).length;
  return { positions, released: asked.filter(({ signature }) => signature !== undefined).length, second };
}

if (import.meta.main) {
  const started = performance.now();
  const { whole, positions } = commandLine(
    "test:pair",
    "Takes a pair's machines away, one way after the other. Needs root.",
  )
    .option("--whole", "every way, and 20,000 positions")
    .option("--positions <number>", "how many at least", wholeNumberFrom(0), 0)
    .parse()
    .opts<{ whole?: true; positions: number }>();
  if (process.getuid?.() !== 0) {
    console.log("skipped: the kernel's own computers (network namespaces) are made by root alone");
    process.exit(0);
  }
  // What is open goes with the process, by its own ends.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
  const result = await pairCampaign(whole ? EVENTS.map(({ what }) => what) : SLICE, whole ? 20_000 : positions);
  console.log(JSON.stringify({ ...result, seconds: Math.round((performance.now() - started) / 1_000) }, undefined, 2));
  const broken =
    result.second > 0 || result.costs.some(({ planned, failed, hanging }) => planned && failed + hanging > 0);
  process.exit(broken ? 1 : 0);
}
