/**
 * Asks Azure for the new machine before the old one goes. Pulumi deletes first, since the new one takes over name and
 * network interface; what Azure refuses then would leave no machine.
 * @module
 */
import { getClientToken } from "@pulumi/azure-native/authorization/index.js";
import * as pulumi from "@pulumi/pulumi";
import { type Lock, lift, locksOn } from "../arm/locks.ts";
import { exemption, type PolicyVerdict, policyVerdict } from "../arm/policy-restrictions.ts";
import { content } from "../arm/resource-content.ts";
import type { Image } from "../config/machine-image.ts";
import { Refusal } from "../refusal.ts";
import { offered, shown, subscriptionState } from "./ask-compute.ts";
import { isClosed, type Offer, objections, successor } from "./judgement.ts";
import { type StandingMachine, standingMachine } from "./standing-machine.ts";

/** Set to `yes` for one `up`, it replaces the machine though Azure cannot be asked for the new one, or says that it has none. */
export const REPLACE_ANYWAY = "TEZOS_SIGNER_REPLACE_ANYWAY";

/** A machine that is wanted. */
export interface WantedMachine {
  readonly size: string;
  readonly image: Image;
  readonly location: string;
  /** `fixedParts` of all that Azure fixes of it. */
  readonly fixed: string;
  /** Its inputs, as policies look at them. */
  readonly inputs: pulumi.Inputs;
  /** Pulumi protects it, so that nothing replaces it of which this knows nothing. */
  readonly isProtected: boolean;
}

/**
 * Holds an `up` that would replace the machine until Azure has said that it has the new one.
 * @param id the stack's random id: where it is known, Pulumi remembers something of this stack
 * @param machine the machine's name in the program
 * @param component that of its component, whose provider is asked
 * @returns whether it may be replaced: Azure has the new one, or has the old one no more
 * @throws pulumi.RunError where Azure has no such machine, or does not say
 */
export async function beforeReplacing(
  wanted: WantedMachine,
  id: pulumi.Output<string>,
  machine: string,
  component: string,
  parent: pulumi.Resource,
): Promise<boolean> {
  const { hex } = await pulumi.runtime.serializeProperties("signer", { hex: id });
  if (hex === undefined || hex === pulumi.runtime.unknownValue) return false;
  const standing = await standingMachine(machine, component).catch((error: Error) => refuse(unknownState(error)));
  if (standing === undefined) return false;
  // Somebody may have changed the size in the portal, and a refresh has found it: then it is changed back.
  if (standing.fixed === wanted.fixed && standing.size.toLowerCase() === wanted.size.toLowerCase()) {
    if (!wanted.isProtected || process.env[REPLACE_ANYWAY] === "yes") return true;
    // An earlier `up` may have deleted it and failed at the new one, and the configuration is as it was again.
    return !(await isThere(standing, parent).catch(() => true));
  }
  // What an earlier `up` has deleted, and Azure then did not make, is not lost by another try.
  const answers = await isThere(standing, parent)
    .then((there) => (there ? asked(wanted, standing, parent) : undefined))
    .catch((error: Error) => {
      // The program ends with it already: a second sentence would blame Azure.
      if (error instanceof Refusal) throw error;
      return refuse(unasked(error));
    });
  if (answers === undefined) return true;
  const [offer, subscription, policies, [lock]] = answers;
  if (isClosed(subscription)) await refuse(closed(standing.id, subscription));
  if (lock !== undefined) await refuse(locked(lock));
  if (policies.kind !== "allowed") await refuse(forbidden(policies, groupOf(standing.id)));
  const { size, image } = wanted;
  const broken = objections(size, offer, standing.size);
  if (broken.length === 0) return true;
  const text = `${image.publisher}:${image.offer}:${image.sku}:${image.version}`;
  const other = successor(size, offer, standing.size);
  await refuse(
    `the machine would be replaced, and Azure would not make the new one (${size}, ${text}): ${broken.join("; ")}. ` +
      `Nothing was done to the one that runs; ${advice(other)}`,
  );
  return true;
}

/** Returns what to set where a size is not to be had. */
export function advice(other: string | undefined): string {
  return other === undefined
    ? `no small size that fits is to be had now: ${WHAT_THERE_IS}`
    : `set its successor: pulumi config set vmSize ${other}`;
}

/** Returns what to do where a size is not to be had, and Azure does not say which one is. */
export function adviceUnasked({ message }: Error): string {
  return `which other one it has it does not say (${message}): ${WHAT_THERE_IS}`;
}

const WHAT_THERE_IS =
  "`az vm list-skus --location LOCATION --size Standard_B` and `az vm list-usage --location LOCATION` show what is";

/**
 * Asks Azure what it has in a machine's region.
 * @throws Error where Azure does not say
 */
export async function ask(
  { image, location }: Pick<WantedMachine, "image" | "location">,
  { id }: Pick<StandingMachine, "id">,
  parent: pulumi.Resource,
): Promise<Offer> {
  return offered({ subscription: subscriptionOf(id), location, token: await token(parent) }, image);
}

/** Asks all that Azure tells beforehand of a machine that is to be made. */
function asked(
  wanted: WantedMachine,
  standing: StandingMachine,
  parent: pulumi.Resource,
): Promise<[Offer, string, PolicyVerdict, Lock[]]> {
  return Promise.all([
    ask(wanted, standing, parent),
    state(standing, parent),
    policies(wanted, standing, parent),
    locks(standing, parent),
  ]);
}

async function locks({ id }: StandingMachine, parent: pulumi.Resource): Promise<Lock[]> {
  return locksOn(groupOf(id), { token: await token(parent) });
}

async function policies(
  { inputs }: WantedMachine,
  { id }: StandingMachine,
  parent: pulumi.Resource,
): Promise<PolicyVerdict> {
  const serialized = await pulumi.runtime.serializeProperties("machine", inputs);
  const known = JSON.stringify(serialized, (_, value) => (value === pulumi.runtime.unknownValue ? undefined : value));
  const resource = { type: "azure-native:compute:VirtualMachine", inputs: JSON.parse(known) };
  return policyVerdict(groupOf(id), content(resource), { token: await token(parent) });
}

async function state({ id }: StandingMachine, parent: pulumi.Resource): Promise<string> {
  return subscriptionState({ subscription: subscriptionOf(id), token: await token(parent) });
}

/** As in `/subscriptions/GUID`. */
function subscriptionOf(id: string): string {
  return id.split("/").slice(0, 3).join("/");
}

/** Id of the group that a resource is in. */
function groupOf(id: string): string {
  return id.split("/").slice(0, 5).join("/");
}

/** Asks Azure whether it has a machine that Pulumi remembers. */
async function isThere({ id }: StandingMachine, parent: pulumi.Resource): Promise<boolean> {
  return shown(id, await token(parent));
}

async function token(parent: pulumi.Resource): Promise<string> {
  const { token } = await getClientToken({}, { parent, async: true });
  if (!token) throw new Error("there is no token for Azure");
  return token;
}

function unasked({ message }: Error): string {
  return (
    `the machine would be replaced, and Azure does not say whether it has the new one: ${message}. ` +
    'Nothing was done to the one that runs. docs/change.md, "What replaces the machine", says what is asked'
  );
}

function closed(id: string, state: string): string {
  return (
    `the machine would be replaced, and the subscription ${id.split("/")[2]} is ${state}: Azure would delete the old one and ` +
    'make no new one. Nothing was done to the one that runs. docs/disaster.md, "The subscription", says what to do'
  );
}

function forbidden({ kind, assignment }: Exclude<PolicyVerdict, { kind: "allowed" }>, group: string): string {
  const what = kind === "denied" ? "would deny" : "may deny, which Azure could not judge,";
  return (
    `the machine would be replaced, and the policy ${assignment.split("/").at(-1)} ${what} the new one: Azure would delete ` +
    "the old one all the same. Nothing was done to the one that runs; somebody who may exempt from policies exempts its " +
    `group: ${exemption(assignment, group)}`
  );
}

function locked(lock: Lock): string {
  return (
    `the machine would be replaced, and somebody's lock ${lock.name} (${lock.properties.level}) holds its group or a part of ` +
    "it: Azure would refuse it, or delete the old one and refuse the new one, which joins the network interface. Nothing was " +
    `done to the one that runs. Whoever may lift it: ${lift(lock)}`
  );
}

function unknownState({ message }: Error): string {
  return `Pulumi does not tell whether the machine would be replaced: ${message}. Nothing was done to it`;
}

/** Ends the `up`, or warns where the operator has said so. */
async function refuse(sentence: string): Promise<undefined> {
  if (process.env[REPLACE_ANYWAY] === "yes") {
    await pulumi.log.warn(`${sentence}. It goes on, as ${REPLACE_ANYWAY} says`);
    return undefined;
  }
  throw new Refusal(`${sentence}. To go on all the same, this once: ${REPLACE_ANYWAY}=yes npm run up`);
}
