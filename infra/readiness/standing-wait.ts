/**
 * What an earlier `up` has waited for, as Pulumi remembers it: whether the machine is to be asked again.
 * @module
 */
import * as pulumi from "@pulumi/pulumi";
import { type StandingResource, standingResources } from "../standing/stack-state.ts";
import type { Report } from "./report.ts";

/** What the machine's script is told, by name. A run command runs again where one of them is another. */
export type Parameters = Readonly<Record<string, string>>;

/** What was waited for with success, and what the machine said. The component keeps it among its outputs. */
export interface Proof {
  readonly parameters: Parameters;
  /** Azure's own id of the machine that said it. */
  readonly machine: string;
  readonly report: Report;
}

/** A run command that stands. */
export interface StandingWait {
  /** Its name in Azure; undefined where none stands, but its machine does. */
  readonly name: string | undefined;
  /** How often the machine is to have been asked in vain, as text: another number is another question. */
  readonly again: string;
  readonly proof: Proof | undefined;
  /** Whether the machine was waited for with success, and nothing of it has changed since. */
  readonly holds: boolean;
}

/** Names in the program. */
export interface Names {
  readonly command: string;
  readonly component: string;
  readonly machine: string;
}

/**
 * Returns what stands of an earlier wait; undefined where there is no machine yet.
 * @param id the stack's random id: where it is known, Pulumi remembers something of this stack
 * @throws Error where Pulumi does not tell
 */
export async function standingWait(id: pulumi.Output<string>, names: Names): Promise<StandingWait | undefined> {
  const { hex } = await pulumi.runtime.serializeProperties("signer", { hex: id });
  if (hex === undefined || hex === pulumi.runtime.unknownValue) return undefined;
  return waitAmong(await standingResources(), names);
}

/** Returns the same, of all that the stack holds. Pure. */
export function waitAmong(all: readonly StandingResource[], names: Names): StandingWait | undefined {
  const named = (type: string, name: string) =>
    all.find((resource) => resource.type === type && resource.name === name)?.outputs;
  const machine = named("azure-native:compute:VirtualMachine", names.machine);
  const command = named("azure-native:compute:VirtualMachineRunCommandByVirtualMachine", names.command);
  if (machine === undefined) return undefined;
  if (command === undefined) return { name: undefined, again: "0", proof: undefined, holds: false };
  const proof = named("tezos-signer:infra:Readiness", names.component)?.proof as Proof | undefined;
  const list = (command.parameters ?? []) as readonly { readonly name: string; readonly value: string }[];
  const parameters = Object.fromEntries(list.map(({ name, value }) => [name, value]));
  const holds = proof !== undefined && isProof(proof, parameters, machine.vmId);
  // Azure runs the same command no second time, and somebody may have mended it since, or brought the key.
  const again = holds && proof.report.missing === undefined ? 0 : 1;
  return { name: String(command.name), again: String(Number(parameters.AGAIN ?? 0) + again), proof, holds };
}

/** Tells whether a machine has answered these very questions. */
export function isProof({ parameters, machine }: Proof, asked: Parameters, vmId: unknown): boolean {
  const names = Object.keys({ ...parameters, ...asked });
  return machine === vmId && names.every((name) => parameters[name] === asked[name]);
}
