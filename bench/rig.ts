import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { Agent } from "node:http";
import { join } from "node:path";
import { azurite } from "../test/emulators/azurite.ts";
import { startSignerProcess, temporaryFolder } from "../test/emulators/signer-process.ts";
import type { RigForm } from "./cases.ts";
import { type Ask, askingSigner, askingVault, send } from "./client.ts";
import { startPeer } from "./peer.ts";
import { memory } from "./process.ts";
import { openToken } from "./token.ts";
import type { VaultAddress, VaultMood } from "./vault-process.ts";

/** One who is asked for signatures. */
export interface Subject {
  readonly name: "alone" | "ours" | "peer";
  readonly ask: Readonly<Record<"octez" | "kept", Ask>>;
  /** Absent for the vault or the token itself. */
  readonly pid?: number;
}

/** What a signer's start took: milliseconds from the start of its process to its first signature, MiB after that. */
export interface Start {
  readonly milliseconds: number;
  readonly memory: number;
}

/** What cases are measured on: a vault or a token, this signer, and the peer where there is one for that. */
export interface Rig extends AsyncDisposable {
  readonly subjects: readonly Subject[];
  readonly starts: ReadonlyMap<Subject["name"], Start>;
  /** Has the vault behave otherwise. */
  set(mood: VaultMood): Promise<void>;
  /** Sum of milliseconds and number of each stage so far, by this signer's own metrics. */
  stages(): Promise<ReadonlyMap<string, { readonly sum: number; readonly count: number }>>;
}

/** Keys on one page of the vault's list. The next one may be empty, as here, and Signatory takes that for the end. */
const ONE_PAGE = 25;

/** How V8 is told to run on the machine. */
const UNIT = join(import.meta.dirname, "../machine/files/etc/systemd/system/tezos-signer.service");
const V8_OPTIONS = (readFileSync(UNIT, "utf8").match(/--max-[a-z-]+=\d+/g) ?? []).join(" ");

/**
 * Starts a rig. This signer runs as on the machine: with its options, and with modules that were compiled before.
 * @param options.peer the program of Signatory, where it is to be measured too
 * @param options.compiled folder for what Node.js has compiled
 */
export async function startRig(
  form: RigForm,
  { peer, compiled }: { readonly peer?: string | undefined; readonly compiled: string },
): Promise<Rig> {
  await using parts = new AsyncDisposableStack();
  const folder = parts.use(await temporaryFolder());
  const vault = form.keys === "vault" ? await startVault(form) : undefined;
  parts.defer(() => vault?.stop());
  const token = form.keys === "token" ? await openToken(folder.path, form.curve) : undefined;
  parts.defer(() => token?.close());
  const table = form.store === "table" ? await azurite() : undefined;
  const alone = vault === undefined ? token?.ask : await askingVault(vault.address, form);
  if (alone === undefined) throw new Error("there is nothing that signs");
  const subjects: Subject[] = [{ name: "alone", ask: { octez: alone, kept: alone } }];
  const starts = new Map<Subject["name"], Start>();

  const file = join(folder.path, "settings.yaml");
  await writeFile(file, JSON.stringify(settingsOf(vault?.address, token?.keys, table?.endpoint)));
  await writeFile(join(folder.path, "ca.pem"), [vault?.address.ca, table?.ca].filter(Boolean).join("\n"));
  const environment = {
    NODE_OPTIONS: V8_OPTIONS,
    NODE_COMPILE_CACHE: compiled,
    NODE_EXTRA_CA_CERTS: join(folder.path, "ca.pem"),
    ...(vault && { AZURE_POD_IDENTITY_AUTHORITY_HOST: vault.address.imds }),
  };
  const began = performance.now();
  const signer = parts.use(await startSignerProcess(folder.path, ["--config", file], environment));
  await adopt("ours", signer.url, signer.addresses, signer.child, began);
  if (peer !== undefined && vault !== undefined && table === undefined && form.count <= ONE_PAGE) {
    const peerBegan = performance.now();
    const other = parts.use(await startPeer(peer, folder.path, vault.address, signer.addresses));
    await adopt("peer", other.url, signer.addresses, other.child, peerBegan);
  }

  async function adopt(
    name: "ours" | "peer",
    url: string,
    addresses: readonly string[],
    child: ChildProcess,
    at: number,
  ) {
    const ask = askingSigner(url, addresses);
    const outcome = await ask.octez();
    if (outcome !== 200) throw new Error(`${name} answered its first request with ${outcome}`);
    const { pid = 0 } = child;
    subjects.push({ name, ask, pid });
    starts.set(name, { milliseconds: performance.now() - at, memory: memory(pid) });
  }

  const { adminUrl } = signer;
  const all = parts.move();
  return {
    subjects,
    starts,
    set: async (mood) => void (await vault?.set(mood)),
    stages: () => stagesOf(adminUrl),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function startVault({ curve, count }: RigForm) {
  const child = fork(join(import.meta.dirname, "vault-process.ts"), [curve, String(count)]);
  const [address] = (await once(child, "message")) as [VaultAddress];
  return {
    address,
    set: async (mood: VaultMood) => {
      child.send(mood);
      await once(child, "message");
    },
    stop: async () => {
      child.disconnect();
      await once(child, "exit");
    },
  };
}

function settingsOf(vault: VaultAddress | undefined, token: object | undefined, endpoint: string | undefined) {
  const start = { initialise: "always", maxStep: "off" };
  return {
    listen: { port: 0 },
    admin: { port: 0 },
    keys: vault ? { kind: "azure-key-vault", vault: vault.vault, clientId: vault.clientId } : token,
    watermarks: endpoint
      ? { kind: "azure-table", endpoint, table: "bench", ...start }
      : { kind: "sqlite", path: "watermarks.sqlite", ...start },
    policy: { default: { allow: ["block", "preattestation", "attestation"] } },
  };
}

async function stagesOf(adminUrl: string) {
  const { text } = await send("GET", `${adminUrl}/metrics`, { agent: new Agent() });
  const read = (what: string) =>
    [...text.matchAll(new RegExp(`^tezos_signer_stage_seconds_${what}{stage="(\\w+)"} (\\S+)$`, "gm"))].map(
      ([, stage = "", value]) => [stage, Number(value)] as const,
    );
  const counts = new Map(read("count"));
  return new Map(read("sum").map(([stage, sum]) => [stage, { sum: sum * 1_000, count: counts.get(stage) ?? 0 }]));
}
