/**
 * A stack, and what Azure and Pulumi have of it: whom both commands ask that look at it, before `up` and after it.
 * @module
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ArmRefusal, type Asker, all, get } from "../arm/client.ts";
import { ownKeys } from "../config/namespaces.ts";
import { parseConfig } from "../config/parse.ts";
import type { StackConfig } from "../config/schema.ts";
import { groupName } from "../config/stack-name.ts";
import { readStackFile } from "../plan/stack-file.ts";
import { pulumi, type Surroundings } from "../recovery/pulumi.ts";
import { nameOf, type StateExport, type StateResource } from "../recovery/state.ts";
import { misplaced, stackFile } from "../stack-folder.ts";
import { type Login, login, NoLogin, renewal } from "./login.ts";

const PROJECT = "tezos-signer";

/** The stack's configuration is wrong, or there is none: it is told as `npm run plan` tells it. */
export class NoStack extends Error {}

export interface StackAtAzure {
  /** Its name, without organisation and project. */
  readonly stack: string;
  /** As Pulumi takes it. */
  readonly chosen: string;
  readonly settings: StackConfig;
  /** As in `/subscriptions/GUID`. */
  readonly subscription: string;
  /** The subscription that the stack's own configuration selects, where it does. */
  readonly configured: string | undefined;
  readonly asker: Asker;
  readonly objectId: string | undefined;
  /** Name of the stack's resource group. */
  readonly group: string;
  /** Ids of what is in that group, in lower case; undefined where there is no group. */
  readonly standing: ReadonlySet<string> | undefined;
  /** What Pulumi remembers; nothing before the first `up`. */
  readonly remembered: readonly StateResource[];
  /** The stack's random id. */
  readonly id: string | undefined;
}

/**
 * Finds a stack.
 * @param where the project's folder, the environment, and the stack where one is named
 * @throws NoStack, NoLogin; NoAnswer where Azure is not reached
 */
export async function stackAtAzure(where: Surroundings): Promise<StackAtAzure> {
  const { chosen, stack, settings, configured, who } = await meant(where);
  const asker: Asker = { token: who.token, renew: renewal(who.token, () => login(where.env, configured)) };
  const group = groupName(stack);
  const remembered = await resourcesOf({ ...where, stack: chosen });
  inItsOwn(remembered, who.subscription);
  const standing = await inGroup(who, asker, group);
  const { subscription, objectId } = who;
  const id = idIn(remembered);
  return { stack, chosen, settings, subscription, configured, asker, objectId, group, standing, remembered, id };
}

/** A stack, and who asks Azure about it. */
export interface Meant extends Pick<StackAtAzure, "chosen" | "stack" | "settings" | "configured"> {
  readonly who: Login;
}

/** Finds the stack that is meant, reads its configuration, and takes the login. @throws NoStack, NoLogin */
export async function meant(where: Surroundings): Promise<Meant> {
  const misplacement = misplaced(where.cwd);
  if (misplacement !== undefined) throw new NoStack(misplacement);
  const chosen = where.stack ?? (await selected(where));
  const stack = chosen.split("/").at(-1) ?? ""; // of ORGANISATION/PROJECT/STACK
  const { settings, subscription: configured } = readStack(where.cwd, stack);
  return { chosen, stack, settings, configured, who: await login(where.env, configured) };
}

/** The stack that is selected. */
async function selected(where: Surroundings): Promise<string> {
  const { failed, stdout, stderr } = await pulumi(where, "stack", "--show-name");
  if (!failed && stdout.trim() !== "") return stdout.trim();
  const said = wordsOf(stderr);
  if (said !== "" && !/no stack selected/i.test(said)) {
    throw new NoStack(`Pulumi does not say which stack is selected: ${said}`);
  }
  throw new NoStack("no stack is selected: `npm run setup` writes one's file, and --stack NAME names one");
}

function readStack(folder: string, stack: string): { settings: StackConfig; subscription?: string } {
  const file = stackFile(stack);
  try {
    const all = readStackFile(readFileSync(join(folder, file), "utf8"), PROJECT);
    const subscription = all["azure-native:subscriptionId"];
    const settings = parseConfig(ownKeys(all, PROJECT).config, stack);
    return { settings, ...(subscription === undefined ? {} : { subscription }) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new NoStack(code === "ENOENT" ? `there is no ${file}: \`npm run setup\` writes it` : `${file}: ${message}`);
  }
}

/**
 * Asks what the stack's group holds: the first question, so that one that cannot be asked at all is told once.
 * Resources - List By Resource Group (Microsoft.Resources, 2021-04-01).
 * @returns ids in lower case; undefined where there is no group
 */
async function inGroup(
  { subscription, objectId }: Login,
  asker: Asker,
  group: string,
): Promise<ReadonlySet<string> | undefined> {
  const home = `${subscription}/resourceGroups/${group}`;
  try {
    if ((await get(`${home}?api-version=2021-04-01`, asker)) === undefined) return undefined;
    const found = await all<{ id?: unknown }>(`${home}/resources?api-version=2021-04-01`, asker);
    return new Set(found.flatMap(({ id }) => (typeof id === "string" ? [id.toLowerCase()] : [])));
  } catch (error) {
    if (!(error instanceof ArmRefusal)) throw error;
    if (error.status === 401 || error.status === 404) throw new NoLogin(notThis(error, subscription));
    // Whoever may not read what stands would take the stack's own names for somebody else's.
    if (error.status === 403) throw new NoLogin(mayNotRead(subscription, objectId));
    throw new Error(`Azure does not say what the stack has already, so try again in a minute (${error.message})`);
  }
}

function mayNotRead(subscription: string, objectId = "OBJECT-ID"): string {
  const role = `az role assignment create --assignee ${objectId} --role Contributor --scope ${subscription}`;
  return `this login may not read subscription ${subscription.split("/")[2]}; somebody who may give roles gives it one: ${role}`;
}

/** Azure does not take this login, or not for this subscription. */
function notThis({ code, tenant }: ArmRefusal, subscription: string): string {
  const [, , id = ""] = subscription.split("/");
  if (code === "InvalidAuthenticationTokenTenant") {
    return `the login is of another tenant than subscription ${id}: az login --tenant ${tenant ?? "TENANT"}`;
  }
  if (code === "SubscriptionNotFound" || code === "InvalidSubscriptionId") {
    return `this login has no subscription ${id}: az account set --subscription NAME`;
  }
  return `Azure does not take this login any more (${code || "401"}): az login`;
}

/** The line in which Pulumi says what is wrong. */
function wordsOf(stderr: string): string {
  return /^error: (.+)$/m.exec(stderr)?.[1]?.trim().slice(0, 200) ?? "";
}

/**
 * What Pulumi remembers of the stack.
 * @returns nothing before the first `up`, and where the stack was not made yet
 * @throws NoStack where Pulumi does not tell: all that stands would be taken for nothing, or for a stranger's
 */
async function resourcesOf(where: Surroundings): Promise<readonly StateResource[]> {
  const { failed, stdout, stderr } = await pulumi(where, "stack", "export");
  if (failed) {
    const said = wordsOf(stderr);
    if (/no stack named/i.test(said)) return [];
    throw new NoStack(`Pulumi does not tell what it remembers of the stack: ${said || "it says nothing"}`);
  }
  try {
    return (JSON.parse(stdout) as StateExport).deployment.resources ?? [];
  } catch {
    return [];
  }
}

/** @throws NoLogin where the stack stands in another subscription: there, every name of its own would be a stranger's */
function inItsOwn(remembered: readonly StateResource[], selected: string): void {
  const group = remembered.find(({ type }) => type === "azure-native:resources:ResourceGroup");
  const own = /^\/subscriptions\/[^/]+/i.exec(group?.id ?? "")?.[0];
  if (own === undefined || own.toLowerCase() === selected.toLowerCase()) return;
  const [name, other] = [own, selected].map((path) => path.split("/")[2]);
  throw new NoLogin(
    `subscription ${other} is selected, and the signer stands in ${name}: az account set --subscription ${name}`,
  );
}

/** The stack's random id. */
function idIn(remembered: readonly StateResource[]): string | undefined {
  const made = remembered.find((one) => one.type === "random:index/randomId:RandomId" && nameOf(one) === "id");
  const hex = made?.outputs?.hex;
  return typeof hex === "string" && /^[0-9a-f]{16}$/.test(hex) ? hex : undefined;
}
