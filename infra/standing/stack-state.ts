/**
 * What the stack holds already, as Pulumi remembers it: known in a preview too, before anything is registered.
 * @module
 */
import * as pulumi from "@pulumi/pulumi";
import { usualType } from "../vault-api.ts";

/** A resource that stands. */
export interface StandingResource {
  readonly urn: string;
  readonly type: string;
  /** Its name in the program. */
  readonly name: string;
  readonly outputs: Readonly<Record<string, unknown>>;
}

/**
 * Returns every resource of this stack. To be asked only where Pulumi remembers some: of a stack without a state, the
 * question ends the engine.
 * @throws Error where Pulumi does not tell
 */
export async function standingResources(): Promise<StandingResource[]> {
  const { outputs = {} } = await ask("pulumi:pulumi:readStackResourceOutputs", "stackName");
  return Object.entries(outputs as Record<string, Pick<StandingResource, "type" | "outputs">>).map(
    ([urn, { type, outputs }]) => ({ urn, type: usualType(type), name: urn.split("::").at(-1) ?? "", outputs }),
  );
}

/**
 * Returns the outputs of this stack's last `up`: none before the first one has come to its end.
 * @throws Error where Pulumi does not tell
 */
export async function lastOutputs(): Promise<Readonly<Record<string, unknown>>> {
  const { outputs = {} } = await ask("pulumi:pulumi:readStackOutputs", "name");
  return outputs;
}

/** Names the stack in full, and else as a state on disk in the old layout knows it, which knows no projects. */
async function ask(token: string, key: string): Promise<{ readonly outputs?: Readonly<Record<string, unknown>> }> {
  const stack = pulumi.getStack();
  try {
    const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${stack}`;
    return await pulumi.runtime.invoke(token, { [key]: name });
  } catch (error) {
    return pulumi.runtime.invoke(token, { [key]: stack }).catch(() => {
      throw error;
    });
  }
}
