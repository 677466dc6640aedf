/**
 * Which releases the stack holds already, as Pulumi remembers them.
 *
 * An older release stays, so that a way back needs no upload. Pulumi deletes what a program no longer names, and a blob
 * that it merely forgot (`retainOnDelete`) could never be made again: the provider refuses to create what exists. So the
 * program names older releases again, and it knows them from the stack itself.
 * @module
 */
import * as pulumi from "@pulumi/pulumi";

const BLOB = "azure-native:storage:Blob";

/**
 * Returns the file names of a signer's releases; none where the stack is new.
 * @param signer name of the `TezosSigner`; absent: the signer of this project's own stack
 * None, too, where Pulumi does not tell (a state of the old layout on disk, an engine without these functions): then the
 * older ones are deleted once the machine is told of the new one, and a way back uploads its release again. Never fails.
 */
export async function earlierReleases(signer?: string): Promise<string[]> {
  try {
    const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
    // Asked first: of a stack without a state, the second question ends the engine.
    const { outputs } = await pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", { name });
    if (outputs === undefined || Object.keys(outputs).length === 0) return [];
    return blobs(
      signer === undefined ? "release" : `${signer}-release`,
      await pulumi.runtime.invoke("pulumi:pulumi:readStackResourceOutputs", { stackName: name }),
    );
  } catch {
    return [];
  }
}

/** @param answer each resource's type and outputs, by URN */
function blobs(
  prefix: string,
  { outputs }: { outputs?: Record<string, { type: string; outputs: { name?: unknown } }> },
): string[] {
  const found = Object.entries(outputs ?? {}).filter(([urn, { type }]) => type === BLOB && isRelease(urn, prefix));
  return found.flatMap(
    ([
      ,
      {
        outputs: { name },
      },
    ]) => (typeof name === "string" ? [name] : []),
  );
}

/** Whether a URN ends in the name of a release: `PREFIX-HASH12`. */
function isRelease(urn: string, prefix: string): boolean {
  const name = urn.split("::").at(-1) ?? "";
  return name.startsWith(`${prefix}-`) && /^[0-9a-f]{12}$/.test(name.slice(prefix.length + 1));
}
