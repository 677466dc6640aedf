/**
 * A stack's configuration as its file holds it, without Pulumi.
 * @module
 */
import { parse } from "yaml";

/**
 * Reads `Pulumi.STACK.yaml` the way Pulumi hands it to the program: text as it is, nothing as an empty text,
 * everything else as JSON.
 * @param project only keys of this project are read
 * @throws Error for an encrypted value, which only Pulumi can read
 */
export function readStackFile(text: string, project: string): Record<string, string> {
  const { config } = (parse(text) ?? {}) as { config?: unknown };
  if (typeof config !== "object" || config === null) return {}; // as `pulumi stack init` leaves it
  const own = Object.entries(config).filter(([key]) => key.startsWith(`${project}:`));
  return Object.fromEntries(
    own.map(([key, value]) => {
      if (typeof value === "object" && value !== null && "secure" in value) {
        throw new Error(`holds ${key} encrypted; nothing in this stack is a secret: set it without --secret`);
      }
      return [
        key.slice(project.length + 1),
        typeof value === "string" ? value : value === null ? "" : JSON.stringify(value),
      ];
    }),
  );
}
