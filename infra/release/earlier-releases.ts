/**
 * Which releases the stack holds already, as Pulumi remembers them.
 *
 * An older release stays, so that a way back needs no upload. Pulumi deletes what a program no longer names, and a blob
 * that it merely forgot (`retainOnDelete`) could never be made again: the provider refuses to create what exists. So the
 * program names older releases again, and it knows them from the stack itself.
 * @module
 */
import { lastOutputs, type StandingResource, standingResources } from "../standing/stack-state.ts";

const BLOB = "azure-native:storage:Blob";

/**
 * Returns the file names of a signer's releases; none where the stack is new.
 * @param signer name of the `TezosSigner`; absent: the signer of this project's own stack
 * None, too, where Pulumi does not tell, and then nothing is deleted either: the signer refuses to go on (standing/).
 * Never fails.
 */
export async function earlierReleases(signer?: string): Promise<string[]> {
  try {
    // Asked first: of a stack without a state, the second question ends the engine.
    if (Object.keys(await lastOutputs()).length === 0) return [];
    return blobs(signer === undefined ? "release" : `${signer}-release`, await standingResources());
  } catch {
    return [];
  }
}

function blobs(prefix: string, standing: readonly StandingResource[]): string[] {
  return standing
    .filter(({ type, name }) => type === BLOB && isRelease(name, prefix))
    .flatMap(({ outputs: { name } }) => (typeof name === "string" ? [name] : []));
}

/** Whether it is the name in the program of a release: `PREFIX-HASH12`. */
function isRelease(name: string, prefix: string): boolean {
  return name.startsWith(`${prefix}-`) && /^[0-9a-f]{12}$/.test(name.slice(prefix.length + 1));
}
