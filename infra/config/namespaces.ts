/**
 * Which keys of a Pulumi stack are this program's: Pulumi writes a project's or a package's name before each. Pure.
 * @module
 */

import { nearest } from "../../signer/settings/nearest.ts";
import { unlessSecret } from "../../signer/settings/secrets.ts";

/** Pulumi itself, and the packages that this program has: what they take is theirs to judge. */
const OTHERS: readonly string[] = ["pulumi", "azure-native", "random"];

/** The program's own keys, and a sentence for each that nobody reads. */
export interface OwnKeys {
  /** Without the project's name. A key whose project is mistyped keeps all of its name, and is no known one. */
  readonly config: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}

/**
 * Takes the program's own keys out of a stack's configuration.
 * @param all whole name to text, as Pulumi hands it over
 * @param project name of the Pulumi project
 */
export function ownKeys(all: Readonly<Record<string, string>>, project: string): OwnKeys {
  // A map, since a name may be one that an object has already.
  const config = new Map<string, string>();
  const warnings: string[] = [];
  for (const [name, value] of Object.entries(all)) {
    const namespace = name.slice(0, Math.max(0, name.indexOf(":")));
    if (namespace === project) config.set(name.slice(project.length + 1), value);
    else if (isMeant(namespace, project)) config.set(name, value);
    else if (!OTHERS.includes(namespace)) {
      warnings.push(`${unlessSecret(name)} is read by nothing here: the stack's own keys begin with ${project}:`);
    }
  }
  return { config: Object.fromEntries(config), warnings };
}

/** Whether a namespace is a slip for the project's name: `tezos-singer`, or `tezos` alone. */
function isMeant(namespace: string, project: string): boolean {
  return nearest(namespace, [project]) !== undefined || project.split("-").includes(namespace.toLowerCase());
}
