/**
 * What the next `up` would make. Where Azure has it already, Pulumi would refuse to (`cannot create already existing
 * resource`): its memory is an old copy, or Azure has finished something after it had answered with an error
 * (pulumi-azure-native#4761), or a key was taken out of the configuration and put back.
 * @module
 */
import { isAzures } from "./findings.ts";
import { pulumi, type Surroundings } from "./pulumi.ts";
import type { Operation, StateExport, StateResource } from "./state.ts";

/** What a preview puts where it does not know a value (sdk/go/common/resource/plugin, UnknownStringValue). */
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** What a preview would do with one resource. */
export interface Step {
  readonly op: string;
  readonly newState?: StateResource;
}

/** What `pulumi preview --json` prints, as far as it is read here. */
interface Preview {
  readonly steps?: readonly Step[];
  readonly diagnostics?: readonly { readonly message?: string; readonly severity?: string }[];
}

/** What an `up` would make, of which all is known; and why that is not known, where Pulumi does not tell. */
export interface Ahead {
  readonly creations: readonly Operation[];
  readonly unknown: string | undefined;
}

/** Runs a preview, which changes nothing. @throws Error where there is no Pulumi */
export async function creationsAhead(where: Surroundings, state: StateExport): Promise<Ahead> {
  const { failed, stdout, stderr } = await pulumi(where, "preview", "--json");
  const { steps = [], diagnostics = [] } = read(stdout);
  if (failed) {
    const said = diagnostics.find(({ severity }) => severity === "error")?.message ?? stderr;
    return { creations: [], unknown: said.trim().split("\n")[0] || "pulumi preview fails" };
  }
  return { creations: creationsIn(steps, state), unknown: undefined };
}

/**
 * Returns what a preview would make that is not there for Pulumi: new ones, and those whose replacement has lost the old
 * one and not got the new one yet. Of a replacement that has not begun, Azure holds the old one.
 */
export function creationsIn(steps: readonly Step[], { deployment }: StateExport): Operation[] {
  const lost = new Set((deployment.resources ?? []).flatMap((one) => (one.pendingReplacement ? [one.urn] : [])));
  const made = steps.flatMap(({ op, newState }) => {
    const isNew = op === "create" || (op === "create-replacement" && lost.has(newState?.urn ?? ""));
    return isNew && newState !== undefined ? [newState] : [];
  });
  const known = made.filter((resource) => isAzures(resource) && !JSON.stringify(resource).includes(UNKNOWN));
  const components = made.filter(({ custom }) => !custom);
  return known.map((resource): Operation => {
    return { type: "creating", resource, components: around(resource, components) };
  });
}

/** The components that a resource is in. */
function around({ parent }: StateResource, components: readonly StateResource[]): StateResource[] {
  const found = components.find(({ urn }) => urn === parent);
  return found === undefined ? [] : [...around(found, components), found];
}

function read(text: string): Preview {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
