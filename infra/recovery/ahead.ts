/**
 * What the next `up` would make. Where Azure has it already, Pulumi would refuse to (`cannot create already existing
 * resource`): its memory is an old copy, or Azure has finished something after it had answered with an error
 * (pulumi-azure-native#4761), or a key was taken out of the configuration and put back.
 * @module
 */
import { isAzures } from "./findings.ts";
import { pulumi, type Surroundings } from "./pulumi.ts";
import type { Operation, StateResource } from "./state.ts";

/** What a preview puts where it does not know a value (sdk/go/common/resource/plugin, UnknownStringValue). */
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** What `pulumi preview --json` prints, as far as it is read here. */
interface Preview {
  readonly steps?: readonly { readonly op: string; readonly newState?: StateResource }[];
  readonly diagnostics?: readonly { readonly message?: string; readonly severity?: string }[];
}

/** What an `up` would make, of which all is known; and why that is not known, where Pulumi does not tell. */
export interface Ahead {
  readonly creations: readonly Operation[];
  readonly unknown: string | undefined;
}

/** Runs a preview, which changes nothing. @throws Error where there is no Pulumi */
export async function creationsAhead(where: Surroundings): Promise<Ahead> {
  const { failed, stdout, stderr } = await pulumi(where, "preview", "--json");
  const { steps = [], diagnostics = [] } = read(stdout);
  if (failed) {
    const said = diagnostics.find(({ severity }) => severity === "error")?.message ?? stderr;
    return { creations: [], unknown: said.trim().split("\n")[0] || "pulumi preview fails" };
  }
  const made = steps.flatMap(({ op, newState }) => (op === "create" && newState !== undefined ? [newState] : []));
  const known = made.filter((resource) => isAzures(resource) && !JSON.stringify(resource).includes(UNKNOWN));
  const components = made.filter(({ custom }) => !custom);
  const creations = known.map((resource): Operation => {
    return { type: "creating", resource, components: around(resource, components) };
  });
  return { creations, unknown: undefined };
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
