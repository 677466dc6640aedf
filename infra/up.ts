/**
 * `npm run up [-- ARGUMENTS]`: asks Azure whether it can, checks the program's types, makes the release of this checkout,
 * says what it replaces, and runs `pulumi up`.
 * @module
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { makeRelease, type Release } from "../release/make.ts";
import { readForPulumi, stackIn } from "./command-line.ts";
import { nameOf, type StateExport, stackOf } from "./recovery/state.ts";
import { ANNOUNCED_RELEASE } from "./release/announced-release.ts";
import { checkTypes } from "./type-check.ts";
import { VAULT_API, type VaultApi, vaultTypes } from "./vault-api.ts";

const HELP = `npm run up [-- ARGUMENTS]

Asks Azure whether all is there that it needs (\`npm run preflight\`), checks the program's types, makes the release of
this checkout, says which release the stack has and which it gets, and runs \`pulumi up ARGUMENTS\`, which shows what it
would do and asks.
\`pulumi up --help\` lists its arguments. --skip-preflight asks nothing beforehand.
--refresh, of Pulumi's own, looks first what was changed beside Pulumi, and puts it back.`;

/** Among the arguments, it leaves the preflight out; Pulumi does not see it. */
const SKIP = "--skip-preflight";

/** The outputs of a stack; infra/index.ts. One that was made before there were releases has neither. */
export interface StackOutputs {
  readonly version?: unknown;
  /** SHA-256 of the release's tar, hex. */
  readonly release?: unknown;
}

/**
 * Says what an `up` does to the release.
 * @param outputs the stack's last outputs; undefined where they cannot be read, as before a stack is chosen
 */
export function releaseChange(outputs: StackOutputs | undefined, release: Pick<Release, "version" | "sha256">): string {
  const to = short(release.version, release.sha256);
  if (outputs === undefined) return `Release: ${to}`;
  if (Object.keys(outputs).length === 0) return `Release: first release, ${to}`;
  if (typeof outputs.version !== "string" || typeof outputs.release !== "string") {
    return `Release: from a stack without releases to ${to}`;
  }
  const from = short(outputs.version, outputs.release);
  return from === to ? `Release: stays at ${to}` : `Release: from ${from} to ${to}`;
}

function short(version: string, sha256: string): string {
  return `${version} (${sha256.slice(0, 12)})`;
}

/**
 * Says what an earlier command had begun when it was cut off: another `up` would fail on what Azure has done of it, or
 * take for there what is gone.
 * @param state what `pulumi stack export` printed
 * @returns undefined where nothing was
 */
export function cutOffEarlier(state: Partial<StateExport> | undefined): string | undefined {
  const operations = state?.deployment?.pending_operations ?? [];
  if (operations.length === 0) return undefined;
  const names = operations.map(({ type, resource }) => `${type} ${nameOf(resource)}`).join(", ");
  return `an earlier command was cut off (${names}): \`npm run recover\` says what became of it, docs/change.md why`;
}

/**
 * Puts Pulumi's memory aside where the vault in it would be asked for by another version of its API.
 * @param state what `pulumi stack export` printed
 * @param folder where the file is written
 * @returns the file; undefined where the vault is asked for as before
 */
export function asideBeforeOtherApi(
  state: StateExport | undefined,
  folder: string,
  now: Date,
  api: VaultApi = VAULT_API,
): string | undefined {
  const { other } = vaultTypes("Vault", api);
  if (!(state?.deployment?.resources ?? []).some(({ type }) => type === other)) return undefined;
  const { stack = "stack" } = (state && stackOf(state)) ?? {};
  const file = join(folder, `before-vault-api-${stack}-${now.toISOString().replaceAll(/[:.]/g, "-")}.json`);
  writeFileSync(file, JSON.stringify(state), { mode: 0o600 });
  return file;
}

/**
 * Asks Pulumi about the stack.
 * @returns the JSON that it prints; undefined where it fails, which `pulumi up` says again, and better
 */
function ask<Answer>(asked: readonly string[]): Answer | undefined {
  // Without --non-interactive it would ask which stack, and nobody would see the question.
  const options = { encoding: "utf8", maxBuffer: 2 ** 30 } as const;
  const { status, stdout } = spawnSync("pulumi", [...asked, "--non-interactive"], options);
  try {
    return status === 0 ? JSON.parse(stdout) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Runs the preflight, which prints its rows.
 * @throws Error where it finds something that is not ok, or Azure cannot be asked; what is not known stops nothing
 */
function preflight(args: readonly string[]): void {
  const script = resolve(import.meta.dirname, "preflight/main.ts");
  const { status } = spawnSync(process.execPath, [script, ...stackIn(args)], { stdio: "inherit" });
  if (status === 0 || status === NOT_KNOWN) return;
  throw new Error(`nothing was changed. To go on all the same: npm run up -- ${SKIP}`);
}

/** The preflight's exit code where nothing is wrong, and something is not known. */
const NOT_KNOWN = 4;

const COMMAND = { name: "up", help: HELP, kept: ["stack", "skip-preflight", "refresh", "yes"] } as const;

/** @returns the exit code: Pulumi's own; the compiler's where types do not fit; else 1 where Pulumi was not run */
async function main(given: readonly string[]): Promise<number> {
  const args = given.filter((arg) => arg !== SKIP);
  const done = readForPulumi(COMMAND, args);
  if (done !== undefined) return done;
  let release: Release;
  try {
    const outputs = ask<StackOutputs>(["stack", "output", "--json", ...stackIn(args)]);
    const state = ask<StateExport>(["stack", "export", ...stackIn(args)]);
    const cutOff = cutOffEarlier(state);
    if (cutOff !== undefined) throw new Error(cutOff);
    if (!given.includes(SKIP)) preflight(args);
    const unfit = await checkTypes("up");
    if (unfit !== 0) return unfit;
    const aside = asideBeforeOtherApi(state, process.cwd(), new Date());
    if (aside !== undefined) console.log(`The vault's API changes; Pulumi's memory as it was is in ${aside}`);
    release = await makeRelease(resolve(import.meta.dirname, ".."), (line) => console.error(line));
    console.log(releaseChange(outputs, release));
  } catch (error) {
    console.error(`up: ${(error as Error).message}`);
    return 1;
  }
  const env = { ...process.env, [ANNOUNCED_RELEASE]: release.sha256 };
  // Ctrl-C reaches Pulumi as well, which ends in order and says so; this waits for it.
  process.on("SIGINT", () => {});
  const [code] = await once(spawn("pulumi", ["up", ...args], { stdio: "inherit", env }), "close");
  return code ?? 1;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
