/**
 * What was cut off, what Azure holds of it, and what follows. Pure.
 * @module
 */
import { isWithin, nameOf, type Operation, type Properties, type StateExport, type StateResource } from "./state.ts";

/** A resource that Azure is to be asked about, by its id. */
export interface Question {
  readonly urn: string;
  readonly type: string;
  readonly id: string;
  /** What Azure was sent, or holds as Pulumi remembers it. */
  readonly inputs: Properties;
  readonly provider: string;
}

/** What Azure holds under an id: its outputs; undefined where it holds nothing. */
export type Answers = ReadonlyMap<string, Properties | undefined>;

/** What one cut-off operation turned out to be. */
export interface Finding {
  readonly operation: Operation;
  readonly verdict:
    | { readonly kind: "adopt"; readonly id: string; readonly outputs: Properties; readonly again: string | undefined }
    | { readonly kind: "forget" }
    | { readonly kind: "wait"; readonly state: string }
    | { readonly kind: "send-again" }
    | { readonly kind: "gone"; readonly id: string }
    | { readonly kind: "kept" }
    | { readonly kind: "made-since" }
    | { readonly kind: "unchanged" }
    | { readonly kind: "refused"; readonly why: string };
}

/**
 * Tells whether Pulumi's provider makes it by itself, such as a random number: with the state it is lost, and nothing
 * else.
 */
export function isAzures({ type }: Pick<StateResource, "type">): boolean {
  return type.startsWith("azure-native:");
}

/**
 * Judges a creation that was cut off.
 * @param held ids of what the stack holds
 * @param answer what Azure holds under the resource's id
 */
export function judgeCreation(
  operation: Operation,
  id: string,
  answer: Properties | undefined,
  held: readonly string[],
): Finding {
  if (answer === undefined) return { operation, verdict: { kind: "forget" } };
  const inputs = operation.resource.inputs ?? {};
  const foreign = foreignness(inputs, answer, id, held);
  if (foreign !== undefined) return { operation, verdict: { kind: "refused", why: foreign } };
  const state = stateOf(answer);
  if (/^(creating|updating|accepted|deleting|running|inprogress)$/i.test(state)) {
    return { operation, verdict: { kind: "wait", state } };
  }
  const own = typeof answer.id === "string" && answer.id.toLowerCase() === id.toLowerCase() ? answer.id : id;
  const again = /^(succeeded)?$/i.test(state) ? difference(inputs, answer) : `Azure says ${state} of it`;
  return { operation, verdict: { kind: "adopt", id: own, outputs: answer, again } };
}

/** Says why what stands under an id is not this stack's. Its tags say it, or what it is part of. */
function foreignness(inputs: Properties, outputs: Properties, id: string, held: readonly string[]): string | undefined {
  const wanted = (inputs.tags ?? {}) as Properties;
  const has = (outputs.tags ?? {}) as Properties;
  if (wanted.project !== undefined) {
    const other = ["project", "stack"].find((name) => wanted[name] !== has[name]);
    if (other === undefined) return undefined;
    return `its tag ${other} is ${JSON.stringify(has[other] ?? "")} and not ${JSON.stringify(wanted[other])}`;
  }
  if (held.some((above) => isWithin(id, above) && id.length > above.length)) return undefined;
  return "it has no tags, and is part of nothing that this stack holds";
}

function stateOf(outputs: Properties): string {
  const inner = (outputs.properties ?? {}) as Properties;
  return String(outputs.provisioningState ?? inner.provisioningState ?? "");
}

/** Names the first plain value that Azure holds otherwise than it was sent. What Azure does not tell is not compared. */
function difference(inputs: Properties, outputs: Properties, path = ""): string | undefined {
  for (const [name, wanted] of Object.entries(inputs)) {
    const has = outputs[name];
    if (has === undefined || has === null || wanted === null) continue;
    const here = path + name;
    if (isObject(wanted) && isObject(has)) {
      const inner = difference(wanted, has, `${here}.`);
      if (inner !== undefined) return inner;
    } else if (typeof wanted !== "object" && String(wanted).toLowerCase() !== String(has).toLowerCase()) {
      return `${here} is another there`;
    }
  }
  return undefined;
}

function isObject(value: unknown): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Says a finding to a person. */
export function sentence({ operation, verdict }: Finding): string {
  const name = nameOf(operation.resource);
  switch (verdict.kind) {
    case "adopt": {
      const again = verdict.again === undefined ? "" : `; ${verdict.again}, so the next \`npm run up\` sends it again`;
      return `${name} was being made, and Azure has it: Pulumi is told of it${again}`;
    }
    case "forget":
      return `${name} was being made, and Azure does not have it: the next \`npm run up\` makes it`;
    case "wait":
      return `${name} was being made, and Azure is still at it (${verdict.state})`;
    case "send-again":
      return `${name} was being changed: the next \`npm run up\` sends it again, whatever it is to be`;
    case "gone":
      return `${name} was being deleted, and is gone: Pulumi is told, with all that stood in it`;
    case "kept":
      return `${name} was being deleted, and Azure has it still: it stays as Pulumi remembers it`;
    case "made-since":
      return `${name} was being made, and was made since: it stays as Pulumi remembers it`;
    case "unchanged":
      return `${name} was being read: nothing was changed by that`;
    case "refused":
      return `${name} was being made, and what Azure has there is left alone: ${verdict.why}`;
  }
}

/** Makes the state in which a stack stands after its findings. Nothing else of it is changed. */
export function mended(before: StateExport, findings: readonly Finding[]): StateExport {
  let resources = [...(before.deployment.resources ?? [])];
  for (const { operation, verdict } of findings) {
    const { resource } = operation;
    const at = resources.findIndex(({ urn }) => urn === resource.urn);
    if (verdict.kind === "adopt") {
      const errors = verdict.again === undefined ? {} : { initErrors: [verdict.again] };
      const made = { ...resource, id: verdict.id, outputs: verdict.outputs, ...errors };
      const remembered = new Set(resources.map(({ urn }) => urn));
      resources.push(...(operation.components ?? []).filter(({ urn }) => !remembered.has(urn)));
      if (at < 0) resources.push(made);
      else resources[at] = made;
    } else if (verdict.kind === "send-again") {
      resources = resources.map((old, index) =>
        index === at ? { ...old, initErrors: ["a change was cut off"] } : old,
      );
    } else if (verdict.kind === "gone") {
      resources = without(resources, verdict.id);
    }
  }
  const isOther = findings.some(({ verdict }) => verdict.kind === "adopt" || verdict.kind === "gone");
  const left = inOrder(isOther ? consistent(resources) : resources);
  const deployment = { ...before.deployment, resources: left, pending_operations: [] };
  return { ...before, deployment };
}

/** Takes out what has an id or stands below it. */
function without(resources: readonly StateResource[], id: string): StateResource[] {
  return resources.filter((resource) => !(isAzures(resource) && isWithin(resource.id ?? "", id)));
}

/** Takes out every mention of what is not there. */
function consistent(resources: readonly StateResource[]): StateResource[] {
  const known = new Set(resources.map(({ urn }) => urn));
  const left = (urns: readonly string[] = []) => urns.filter((urn) => known.has(urn));
  return resources.map(({ deletedWith, ...resource }) => ({
    ...resource,
    ...(resource.dependencies === undefined ? {} : { dependencies: left(resource.dependencies) }),
    ...(resource.propertyDependencies === undefined
      ? {}
      : {
          propertyDependencies: Object.fromEntries(
            Object.entries(resource.propertyDependencies).map(([name, urns]) => [name, left(urns)]),
          ),
        }),
    ...(deletedWith === undefined || !known.has(deletedWith) ? {} : { deletedWith }),
  }));
}

/** Puts each resource behind all that it names, and otherwise leaves the order: Pulumi reads no other state. */
function inOrder(resources: readonly StateResource[]): StateResource[] {
  const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
  const ordered = new Set<StateResource>();
  const put = (resource: StateResource): void => {
    if (ordered.has(resource)) return;
    const { parent, provider = "", dependencies = [], deletedWith } = resource;
    for (const urn of [parent, provider.split("::").slice(0, 4).join("::"), ...dependencies, deletedWith]) {
      const named = urn === undefined ? undefined : byUrn.get(urn);
      if (named !== undefined && named !== resource) put(named);
    }
    ordered.add(resource);
  };
  for (const resource of resources) put(resource);
  return [...ordered];
}
