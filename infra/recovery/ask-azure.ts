/**
 * Asks Azure what it holds, through the stack's own provider and with the rights of whoever runs this.
 *
 * Pulumi reads a resource that it remembers (`pulumi refresh`). So what is asked about is put into the memory of a stack
 * that exists for this question alone, in a folder that is deleted afterwards: the stack itself is neither read nor
 * written by it, and a question that is cut off leaves nothing.
 * @module
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Answers, Question } from "./findings.ts";
import { pulumi, pulumiOrFail, type Surroundings } from "./pulumi.ts";
import { isWithin, type Properties, type StateExport, type StateResource, stackOf } from "./state.ts";

/** By this property Pulumi marks what is no plain JSON, such as a secret (sdk/go/common/resource/sig). */
const SIGNATURE = "4dabf18193072939515e22adb298388d";

/** The provider takes a lock that is not there for a failure, where of all else it says that it is gone (#4482). */
const LOCK = "azure-native:authorization:ManagementLockByScope";
const lockNotFound = (id: string) => `The lock '${id.split("/").at(-1)}' could not be found.`;

/**
 * Asks about each id, what holds others first: nothing is asked about what would be in something that is not there.
 * @param state names project and stack, and has the providers that the questions name
 * @throws Error with Pulumi's words where Azure cannot be asked
 */
export async function askAzure(
  questions: readonly Question[],
  state: StateExport,
  where: Surroundings,
): Promise<Answers> {
  const answers = new Map<string, Properties | undefined>();
  let open = [...questions];
  while (open.length > 0) {
    const first = open.filter(({ id }) => !open.some((other) => other.id !== id && isWithin(id, other.id)));
    const found = await read(first, state, where);
    for (const { urn } of first) answers.set(urn, found.get(urn));
    const absent = first.filter(({ urn }) => !found.has(urn));
    for (const { urn, id } of open) if (absent.some((gone) => isWithin(id, gone.id))) answers.set(urn, undefined);
    open = open.filter(({ urn }) => !answers.has(urn));
  }
  return answers;
}

async function read(
  questions: readonly Question[],
  state: StateExport,
  where: Surroundings,
): Promise<ReadonlyMap<string, Properties>> {
  const { project, stack } = stackOf(state) ?? { project: "tezos-signer", stack: "dev" };
  const folder = await mkdtemp(join(tmpdir(), "tezos-signer-recovery-"));
  const scratch: Surroundings = {
    cwd: folder,
    stack,
    env: {
      ...where.env,
      PULUMI_BACKEND_URL: `file://${folder}`,
      PULUMI_CONFIG_PASSPHRASE: "nothing in it is secret",
      PULUMI_CONFIG_PASSPHRASE_FILE: undefined,
      PULUMI_STACK: undefined,
    },
  };
  try {
    await writeFile(join(folder, "Pulumi.yaml"), `name: ${project}\nruntime: nodejs\n`);
    await pulumiOrFail({ cwd: scratch.cwd, env: scratch.env }, "stack", "init", stack);
    const file = join(folder, "state.json");
    await writeFile(file, JSON.stringify(scratchState(questions, state)));
    await pulumiOrFail(scratch, "stack", "import", "--file", file);
    const refresh = await pulumi(scratch, "refresh", "--yes", "--skip-preview");
    if (refresh.failed) {
      const said = `${refresh.stdout}${refresh.stderr}`;
      const there = questions.filter(({ type, id }) => type !== LOCK || !said.includes(lockNotFound(id)));
      if (there.length === questions.length) throw new Error(`pulumi refresh: ${said.trim()}`);
      return there.length === 0 ? new Map() : await read(there, state, where);
    }
    await pulumiOrFail(scratch, "stack", "export", "--file", file);
    const { deployment }: StateExport = JSON.parse(await readFile(file, "utf8"));
    const asked = new Set(questions.map(({ urn }) => urn));
    const found = (deployment.resources ?? []).filter(({ urn }) => asked.has(urn));
    return new Map(found.map(({ urn, outputs = {} }) => [urn, plain(outputs)]));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The providers as the stack has them, and what is asked about, of nothing and with nothing below it. */
function scratchState(questions: readonly Question[], { version, deployment }: StateExport): object {
  const providers = (deployment.resources ?? []).filter(({ type }) => type.startsWith("pulumi:providers:"));
  const asked: StateResource[] = questions.map(({ urn, type, id, inputs, provider }) => {
    return { urn, type, custom: true, id, inputs, outputs: inputs, provider };
  });
  const { secrets_providers: _, ...rest } = deployment as Readonly<Record<string, unknown>>;
  return { version, deployment: { ...rest, resources: [...providers, ...asked], pending_operations: [] } };
}

/** Leaves out what the question's own stack has encrypted: no other can read it, and this program needs none of it. */
function plain(outputs: Properties): Properties {
  return Object.fromEntries(Object.entries(outputs).filter(([, value]) => !JSON.stringify(value).includes(SIGNATURE)));
}
