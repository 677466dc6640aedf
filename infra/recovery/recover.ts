/**
 * The way back after an `up` or a `destroy` that was cut off: its process killed, its computer asleep, Azure's answer lost.
 *
 * Pulumi notes what it begins, and what Azure answers. Where the answer did not come, it knows that something was begun,
 * and not whether Azure did it: it refuses to make what is there already, and takes for there what is gone. This asks
 * Azure, and writes the answer into the state. Azure itself is only read.
 * @module
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual, promisify } from "node:util";
import { creationsAhead } from "./ahead.ts";
import { askAzure } from "./ask-azure.ts";
import { azureId, subscriptionIn } from "./azure-ids.ts";
import { type Answers, type Finding, isAzures, judgeCreation, mended, type Question, sentence } from "./findings.ts";
import { unlock } from "./lock.ts";
import { pulumi, type Said, type Surroundings } from "./pulumi.ts";
import { isMade, isWithin, newest, type Operation, type StateExport, stackOf } from "./state.ts";

/** What stands in every group that a signer was made in: a group that has it already is another signer's. */
const FIRST_IN_GROUP = { type: "azure-native:managedidentity:UserAssignedIdentity", resourceName: "signer-identity" };

/** What was found of a stack, and what is to be done. */
export interface Recovery {
  readonly before: StateExport;
  readonly findings: readonly Finding[];
  /** Pulumi has noted that something was begun; else the findings are of what the next `up` would make. */
  readonly isCutOff: boolean;
  /** Why it is not known what the next `up` would make. */
  readonly unknown?: string | undefined;
}

/**
 * Reads a stack's state and asks Azure about what was cut off; where nothing was, about what the next `up` would make.
 * Changes nothing.
 * @param previewed tells what the next `up` would make
 * @throws Error where the state or Azure cannot be read
 */
export async function examine(where: Surroundings, previewed = creationsAhead): Promise<Recovery> {
  const before = await exported(where);
  const pending = before.deployment.pending_operations ?? [];
  if (pending.length > 0) return { before, findings: await judged(before, newest(pending), where), isCutOff: true };
  if ((before.deployment.resources ?? []).length === 0) return { before, findings: [], isCutOff: false };
  const { creations, unknown } = await previewed(where, before);
  const findings = await judged(before, creations, where);
  // What Azure does not have either is simply to be made.
  return { before, findings: findings.filter(({ verdict }) => verdict.kind !== "forget"), isCutOff: false, unknown };
}

async function judged(
  before: StateExport,
  operations: readonly Operation[],
  where: Surroundings,
): Promise<readonly Finding[]> {
  const subscription = await subscriptionOf(before, operations, where);
  const known = new Set((before.deployment.resources ?? []).filter(isMade).map(({ urn }) => urn));
  const isOpen = ({ type, resource }: Operation) => type === "creating" && !known.has(resource.urn);
  const creations = operations.filter((operation) => isOpen(operation) && isAzures(operation.resource));
  const deletions = operations.filter(({ type, resource }) => type === "deleting" && isAzures(resource));
  const ids = new Map(creations.map(({ resource }) => [resource.urn, azureId(resource, subscription)]));
  const questions: Question[] = [...creations, ...deletions].map(({ resource }) => {
    const { urn, type, inputs = {}, provider = "", id = "" } = resource;
    return { urn, type, inputs, provider, id: ids.get(urn) ?? id };
  });
  const witness = questions.length === 0 ? undefined : witnessFor(questions, before);
  questions.push(...questions.flatMap((question) => firstInGroup(question, before)), ...(witness ? [witness] : []));
  const answers: Answers = questions.length === 0 ? new Map() : await askAzure(questions, before, where);
  if (witness !== undefined && [...answers.values()].every((answer) => answer === undefined)) {
    throw new Error(unseen(witness));
  }

  const held = (before.deployment.resources ?? []).flatMap(({ id }) => (id?.startsWith("/") ? [id] : []));
  const findings: Finding[] = [];
  for (const operation of operations) {
    const { resource, type } = operation;
    const answer = answers.get(resource.urn);
    const id = ids.get(resource.urn);
    if (type === "creating" && !isOpen(operation)) findings.push({ operation, verdict: { kind: "made-since" } });
    else if (type === "creating" && id !== undefined) {
      const finding = judgeCreation(operation, id, answer, held);
      const taken = answers.get(firstInGroupUrn(resource.urn)) !== undefined;
      const why =
        "a signer stands in that group already, which this stack does not know: another memory of Pulumi's has it";
      findings.push(taken ? { operation, verdict: { kind: "refused", why } } : finding);
      if (findings.at(-1)?.verdict.kind === "adopt") held.push(id);
    } else if (type === "deleting" && isAzures(resource)) {
      const kind = answer === undefined ? "gone" : "kept";
      findings.push({ operation, verdict: { kind, id: resource.id ?? "" } });
    } else if (type === "updating") findings.push({ operation, verdict: { kind: "send-again" } });
    else if (type === "creating") findings.push({ operation, verdict: { kind: "forget" } });
    else findings.push({ operation, verdict: { kind: "unchanged" } });
  }
  return findings;
}

async function exported(where: Surroundings): Promise<StateExport> {
  const { failed, stdout, stderr } = await pulumi(where, "stack", "export");
  if (!failed) return JSON.parse(stdout);
  if (/failed to load checkpoint/.test(stderr)) {
    throw new Error(
      "Pulumi was cut off while it wrote its state. In the folder that `pulumi whoami -v` names (with a local login " +
        "~/.pulumi), below stacks/PROJECT: remove STACK.json.attrs if it is empty, or else copy STACK.json.bak over " +
        `STACK.json. Then run this again. It says: ${stderr.trim()}`,
    );
  }
  throw new Error(`pulumi stack export: ${stderr.trim()}`);
}

/** Every id names it. A first `up` that was cut off at its group has none yet: then whoever is logged in does. */
async function subscriptionOf(
  { deployment }: StateExport,
  operations: readonly Operation[],
  { cwd, env }: Surroundings,
): Promise<string> {
  const known = (deployment.resources ?? []).flatMap(({ id = "" }) => subscriptionIn(id) ?? []);
  if (known[0] !== undefined) return known[0];
  const provider = operations.flatMap(({ resource }) =>
    (deployment.resources ?? []).filter(({ urn }) => resource.provider?.startsWith(`${urn}::`)),
  )[0];
  const configured = provider?.inputs?.subscriptionId ?? env.ARM_SUBSCRIPTION_ID;
  if (typeof configured === "string") return `/subscriptions/${configured}`;
  if (!operations.some(({ resource }) => isAzures(resource))) return "";
  try {
    const account = ["account", "show", "--query", "id", "--output", "tsv"];
    const { stdout } = await promisify(execFile)("az", account, { cwd, env });
    return `/subscriptions/${stdout.trim()}`;
  } catch (error) {
    throw new Error("which subscription it is in is not known: log in by `az login`, or set ARM_SUBSCRIPTION_ID", {
      cause: error,
    });
  }
}

/**
 * What else to ask about, since Azure says of what it does not show to a login that it is not there
 * (pulumi-azure-native#4599): something that stands, and that what was begun has nothing to do with.
 */
function witnessFor(questions: readonly Question[], { deployment }: StateExport): Question | undefined {
  const asked = (id: string) => questions.some((one) => isWithin(id, one.id) || isWithin(one.id, id));
  const found = (deployment.resources ?? []).find(
    (resource) =>
      isAzures(resource) && isMade(resource) && resource.inputs?.tags !== undefined && !asked(resource.id ?? ""),
  );
  if (found === undefined) return undefined;
  const { urn, type, inputs = {}, provider = "", id = "" } = found;
  return { urn, type, inputs, provider, id };
}

function unseen({ id }: Question): string {
  const subscription = subscriptionIn(id)?.split("/")[2];
  return (
    `Azure has nothing of what Pulumi remembers, not even ${id}: nothing was changed. Mostly it is another login than that ` +
    `of the \`up\`, to which it does not show it: az login; az account set --subscription ${subscription}. If somebody has ` +
    "deleted all of it: pulumi cancel, then npm run destroy"
  );
}

/** What else to ask about a group that was being made: whether it is in use. */
function firstInGroup(question: Question, { deployment }: StateExport): Question[] {
  const { urn, id, type, inputs, provider } = question;
  if (type !== "azure-native:resources:ResourceGroup") return [];
  if ((deployment.resources ?? []).some((resource) => isWithin(resource.id ?? "", id))) return [];
  const { resourceName } = FIRST_IN_GROUP;
  const first = { resourceGroupName: inputs.resourceGroupName, resourceName };
  return [
    {
      urn: firstInGroupUrn(urn),
      type: FIRST_IN_GROUP.type,
      id: `${id}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${resourceName}`,
      inputs: first,
      provider,
    },
  ];
}

function firstInGroupUrn(group: string): string {
  return `${group.split("::").slice(0, 2).join("::")}::${FIRST_IN_GROUP.type}::first-in-${group.split("::").at(-1)}`;
}

/** Says what was found, a line each. */
export function told({ findings }: Recovery): string[] {
  return findings.map((finding) => `  ${sentence(finding)}`);
}

/**
 * Writes what was found into the stack's state, in one step, after an export of it to a file.
 * @returns the file
 * @throws Error where Azure or somebody else is still at the stack, or it has changed since it was read
 */
export async function carryOut(
  { before, findings }: Pick<Recovery, "before" | "findings">,
  where: Surroundings,
  now: Date,
): Promise<string> {
  if (findings.some(({ verdict }) => verdict.kind === "wait")) {
    // What is written forgets all that was begun, and so this.
    throw new Error("Azure is still at something: nothing was changed; wait a minute, and run this again");
  }
  const { stack } = stackOf(before) ?? { stack: "stack" };
  const time = now.toISOString().replaceAll(/[:.]/g, "-");
  const file = join(where.cwd, `before-recovery-${stack}-${time}.json`);
  await writeFile(file, JSON.stringify(before, null, 2), { mode: 0o600, flag: "wx" });
  const folder = await mkdtemp(join(tmpdir(), "tezos-signer-recovery-"));
  try {
    const mend = join(folder, "state.json");
    await writeFile(mend, JSON.stringify(mended(before, findings)), { mode: 0o600 });
    const first = await write(mend, before, where);
    if (first.failed) {
      await unlock(first.stderr, where);
      const second = await write(mend, before, where);
      if (second.failed) throw new Error(`pulumi stack import: ${second.stderr.trim()}`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return file;
}

/**
 * Takes away the lock that a command has left which was cut off before it had begun anything, such as `pulumi refresh`.
 * @returns whether there was one
 * @throws Error where whoever has locked the stack may still be at it, or it has changed since it was read
 */
export async function unlockIdle({ before }: Recovery, where: Surroundings): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), "tezos-signer-recovery-"));
  try {
    // Pulumi tells of a lock to whoever writes; what is written is what is there.
    const same = join(folder, "state.json");
    await writeFile(same, JSON.stringify(before), { mode: 0o600 });
    const said = await write(same, before, where);
    if (said.failed) await unlock(said.stderr, where);
    return said.failed;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writes a state if it is still made from the one that the stack has. */
async function write(file: string, before: StateExport, where: Surroundings): Promise<Said> {
  if (!isDeepStrictEqual(await exported(where), before)) {
    throw new Error(
      "the state has changed meanwhile: somebody else is at this stack; run this again once that is done",
    );
  }
  return pulumi(where, "stack", "import", "--file", file);
}
