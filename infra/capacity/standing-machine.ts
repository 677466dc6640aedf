/**
 * The machine that stands, as Pulumi remembers it: known before it would be replaced.
 * @module
 */
import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";

/** A machine that stands. */
export interface StandingMachine {
  /** Azure's id. */
  readonly id: string;
  readonly size: string;
  /** What Azure fixed when it was made: `fixedParts`; undefined where an earlier version made it. */
  readonly fixed: string | undefined;
}

/** Tells one set of what Azure fixes at creation from another. @param parts plain data */
export function fixedParts(parts: object): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

/**
 * Returns the machine that stands in this stack. To be asked only where Pulumi remembers something of it: of a stack
 * without a state, the question ends the engine.
 * @param machine its name in the program
 * @param component that of the component that it is a part of
 * @returns undefined where none stands
 * @throws Error where Pulumi does not tell
 */
export async function standingMachine(machine: string, component: string): Promise<StandingMachine | undefined> {
  const resources = await remembered();
  const named = (type: string, name: string) =>
    Object.entries(resources).find(([urn, resource]) => resource.type === type && urn.endsWith(`::${name}`))?.[1]
      .outputs;
  const outputs = named("azure-native:compute:VirtualMachine", machine);
  if (outputs === undefined) return undefined;
  const { vmSize } = (outputs.hardwareProfile ?? {}) as { readonly vmSize?: unknown };
  const fixed = named("tezos-signer:infra:Machine", component)?.fixed;
  return { id: String(outputs.id), size: String(vmSize), fixed: typeof fixed === "string" ? fixed : undefined };
}

type Remembered = Readonly<
  Record<string, { readonly type: string; readonly outputs: Readonly<Record<string, unknown>> }>
>;

async function remembered(): Promise<Remembered> {
  const token = "pulumi:pulumi:readStackResourceOutputs";
  const stack = pulumi.getStack();
  try {
    const full = `${pulumi.getOrganization()}/${pulumi.getProject()}/${stack}`;
    return (await pulumi.runtime.invoke(token, { stackName: full })).outputs ?? {};
  } catch (error) {
    // A state on disk in the old layout knows no projects.
    const { outputs } = await pulumi.runtime.invoke(token, { stackName: stack }).catch(() => {
      throw error;
    });
    return outputs ?? {};
  }
}
