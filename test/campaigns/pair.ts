import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { StorageFront } from "../boot/storage-front.ts";
import { azurite } from "../emulators/azurite.ts";
import { commandLine, wholeNumberFrom } from "../emulators/command-line.ts";
import { CertificateAuthority } from "../emulators/key-vault/certificates.ts";
import { KeyVaultEmulator } from "../emulators/key-vault/emulator.ts";
import { TokenAuthority } from "../emulators/key-vault/tokens.ts";
import { atEnd } from "./pair/at-end.ts";
import type { Asked, Loop } from "./pair/baker.ts";
import { spoken } from "./pair/children.ts";
import {
  broken,
  type Cost,
  costOf,
  inWords,
  type Moment,
  type PairResult,
  positionsIn,
  released,
  tableOf,
  type Up,
} from "./pair/cost.ts";
import { EVENTS, saysReady, TABLE_PORT, VAULT_PORT } from "./pair/events.ts";
import { Machine } from "./pair/machine.ts";
import { at, HOSTS, makePlaces, PLACES } from "./pair/network.ts";

const IDENTITY = { clientId: "6b0a2f57-6b7e-4d0a-9a0c-0d8f4a1f2c11", objectId: "9c1d3e68-7c8f-4e1b-8b1d-1e9f5b203d22" };
const STORE = "5f0c7a1e";

/** A client without a time-out would wait for ever: so long counts as that, milliseconds. */
const FOR_EVER = 25_000;
/** What docs/pair.md gives `--remote-calls-timeout`, milliseconds. */
const TIMEOUT = 3_000;

/** What is tried without `--whole`: of each kind one, and the worst. */
const SLICE = ["kill -9", "machine without power", "reboot that Azure announces"];

/**
 * Two real signers behind a balancer that sends packets, as Azure's does, with one vault and one table, and a baker that asks
 * as octez does: three keys at their levels, one 20 times a second, and the same with a time-out. One thing after the other
 * happens to a machine, at any moment and while it reserves a position, and the baker goes on.
 * @param moments when each of them happens, one after the other
 * @param positions how many are to be asked for at least
 * @param say told what happens, and what it cost
 * @throws Error where the network cannot be made
 */
export async function pairCampaign(
  which: readonly string[],
  moments: readonly Moment[],
  positions: number,
  say: (line: string) => void,
): Promise<PairResult> {
  await using open = new AsyncDisposableStack();
  open.use(makePlaces());
  const folder = mkdtempSync(join(tmpdir(), "pair-"));
  open.use(atEnd(() => rmSync(folder, { recursive: true })));
  const tokens = new TokenAuthority();
  const vault = await KeyVaultEmulator.start({
    ...{ tls: true, host: PLACES.services, hostname: HOSTS.vault, port: VAULT_PORT, tokens },
    policies: { [IDENTITY.objectId]: ["get", "list", "sign"] },
  });
  vault.authority?.close(); // nothing more is issued
  open.defer(() => vault.stop());
  const authority = new CertificateAuthority();
  const table = new StorageFront(await azurite("table"), authority.issue([HOSTS.table]), tokens);
  authority.close();
  await table.listen(PLACES.services, TABLE_PORT);
  open.defer(() => table.close());
  const authorities = join(folder, "authorities.pem");
  writeFileSync(authorities, `${vault.authority?.certificate}${authority.certificate}`);
  for (let key = 0; key < 5; key += 1) {
    vault.createKey(`baker-${key}`, { crv: "P-256", tags: { "tezos-signer-watermarks": STORE } });
  }
  const parts = { tokens, identity: IDENTITY, authorities, settings: settingsOf(vault.url) };
  const first = open.use(await Machine.make({ place: "first", ...parts }));
  const second = open.use(await Machine.make({ place: "second", ...parts }));
  await Promise.all([first.start(), second.start()]);
  const ups: Up[] = [];
  open.use(
    spoken("front", ["balancer.ts", PLACES.front, PLACES.first, PLACES.second], ({ up }) => {
      ups.push({ at: Date.now(), up: up as string[] });
    }),
  );
  say("waiting until the balancer sends to both machines");
  while (ups.at(-1)?.up.length !== 2) await sleep(100);
  const asked: Asked[] = [];
  const url = `http://${PLACES.front}:6732`;
  const keys = known(url).toSorted();
  open.use(
    spoken("baker", ["baker.ts", url, JSON.stringify(loopsOf(keys))], (one) => {
      asked.push(one as unknown as Asked);
    }),
  );
  const costs: Cost[] = [];
  const events = EVENTS.filter(({ what }) => which.includes(what));
  const all = events.flatMap((event) => moments.map((moment) => ({ event, moment })));
  for (const [index, { event, moment }] of all.entries()) {
    const { what, planned } = event;
    say(`${index + 1} of ${all.length}: ${what}${moment === "any" ? "" : ", while it reserves a position"}`);
    await sleep(2_000);
    if (moment === "reservation") await reserving(table, second);
    const from = Date.now();
    await event.act({ first, second });
    // A client that was left hanging is one that has waited for so long.
    await sleep(planned ? 3_000 : FOR_EVER + 2_000);
    await event.end({ first, second });
    while (ups.at(-1)?.up.length !== 2) await sleep(100);
    const to = Date.now();
    const cost = costOf({ what, moment, planned, from, to }, asked, ups, keys[4] ?? "");
    costs.push(cost);
    say(`  ${Math.round((to - from) / 1_000)} s: ${inWords(cost)}`);
    await calm(first, second);
  }
  for (let before = -TOLD; positionsIn(asked) < positions; await sleep(1_000)) {
    const now = positionsIn(asked);
    if (now < before + TOLD) continue;
    say(`asking on: ${now} of ${positions} positions`);
    before = now;
  }
  return { costs, ...released(asked) };
}

/** Of so many positions more one is told, while no more is done than ask for them. */
const TOLD = 1_000;

/** Waits until a machine's request for the reservation of a position has come to the table. */
async function reserving(table: StorageFront, { place }: Machine): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  table.onRequest = ({ method, url = "", socket }) => {
    const isReservation = method !== "GET" && /PartitionKey='tz/.test(decodeURIComponent(url));
    if (isReservation && socket.remoteAddress === PLACES[place]) resolve();
  };
  await promise;
  table.onRequest = () => undefined;
}

/** Waits until each machine knows that the other one takes what is new: what comes next is not to find it in doubt. */
async function calm(first: Machine, second: Machine): Promise<void> {
  await Promise.all([saysReady(first, second), saysReady(second, first)]);
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

/** The addresses that the signers serve, asked from the baker's place. */
function known(url: string): string[] {
  return JSON.parse(at("baker", "curl", "--silent", "--max-time", "10", `${url}/known_keys`)).known_keys;
}

if (import.meta.main) {
  const started = performance.now();
  const { whole, positions } = commandLine(
    "test:pair",
    "Takes a pair's machines away, one way after the other. Says on standard error what happens and what it costs, and the result as JSON. Needs root.",
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
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(130));
  const which = whole ? EVENTS.map(({ what }) => what) : SLICE;
  const moments: readonly Moment[] = whole ? ["any", "reservation"] : ["reservation"];
  const result = await pairCampaign(which, moments, whole ? 20_000 : positions, (line) => console.error(line));
  const wrong = broken(result);
  console.error(`\n${[tableOf(result), ...wrong].join("\n")}`);
  console.log(JSON.stringify({ ...result, seconds: Math.round((performance.now() - started) / 1_000) }, undefined, 2));
  process.exit(wrong.length > 0 ? 1 : 0);
}
