/**
 * A stack's configuration as its file holds it, without Pulumi.
 * @module
 */
import { readYaml } from "../../signer/settings/secrets.ts";

/**
 * Reads `stacks/Pulumi.STACK.yaml` the way Pulumi hands it to the program: text as it is, nothing as an empty text,
 * everything else as JSON. A key without a project is this one's, as Pulumi takes it.
 * @returns whole name to text, those of other projects and packages too
 * @throws Error for a text that is no YAML, for a key that is there in both forms, and for an encrypted value of this
 *   project's, which only Pulumi can read
 */
export function readStackFile(text: string, project: string): Record<string, string> {
  const read = readYaml(text);
  if ("faults" in read) throw new Error(`is no YAML: ${read.faults.join("; ")}`);
  const { config } = (read.value ?? {}) as { config?: unknown };
  if (typeof config !== "object" || config === null) return {}; // as `pulumi stack init` leaves it
  const found: Record<string, string> = {};
  for (const [key, value] of Object.entries(config)) {
    const name = key.includes(":") ? key : `${project}:${key}`;
    if (name in found) throw new Error(`holds ${name} twice, with the project's name and without: remove one`);
    if (typeof value === "object" && value !== null && "secure" in value) {
      if (!name.startsWith(`${project}:`)) continue;
      throw new Error(`holds ${name} encrypted; nothing in this stack is a secret: set it without --secret`);
    }
    found[name] = typeof value === "string" ? value : value === null ? "" : JSON.stringify(value);
  }
  return found;
}
