/**
 * Pulumi's state as `pulumi stack export` writes it, as far as a recovery reads and mends it.
 * @module
 */

/** A resource's inputs and outputs: JSON. */
export type Properties = Readonly<Record<string, unknown>>;

/** A resource as Pulumi remembers it. What is not named here is kept as it is. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly custom?: boolean;
  /** Of Azure's; a resource that is being made has none yet. */
  readonly id?: string;
  readonly inputs?: Properties;
  readonly outputs?: Properties;
  readonly parent?: string;
  readonly provider?: string;
  readonly dependencies?: readonly string[];
  readonly propertyDependencies?: Readonly<Record<string, readonly string[]>>;
  readonly deletedWith?: string;
  /** It was deleted to be made anew, and was not made yet. */
  readonly pendingReplacement?: boolean;
  /** Another one has taken its place, and it is still to be deleted. */
  readonly delete?: boolean;
  /** Why it is not what the program wants: the next `up` sends it again, changed or not. */
  readonly initErrors?: readonly string[];
}

/** What Pulumi had begun and not noted as done. */
export interface Operation {
  readonly type: "creating" | "updating" | "deleting" | "reading" | "importing";
  readonly resource: StateResource;
  /** What it is a part of in the program, where Pulumi may not remember that either. */
  readonly components?: readonly StateResource[];
}

export interface Deployment {
  readonly resources?: readonly StateResource[];
  readonly pending_operations?: readonly Operation[];
}

/** The file that `pulumi stack export` writes and `pulumi stack import` reads. */
export interface StateExport {
  readonly version: number;
  readonly deployment: Deployment;
}

/** Returns the name of a resource in the program: the end of its URN. */
export function nameOf({ urn }: Pick<StateResource, "urn">): string {
  return urn.split("::").slice(3).join("::");
}

/** Returns stack and project, which every URN begins with. @returns undefined for a stack that holds nothing */
export function stackOf({ deployment }: StateExport): { readonly stack: string; readonly project: string } | undefined {
  const [first] = deployment.resources ?? [];
  const [, stack, project] = /^urn:pulumi:(.+?)::(.+?)::/.exec(first?.urn ?? "") ?? [];
  return stack === undefined || project === undefined ? undefined : { stack, project };
}

/** Tells whether an id is another one or below it; ids are the same in any case. */
export function isWithin(id: string, above: string): boolean {
  return `${id}/`.toLowerCase().startsWith(`${above}/`.toLowerCase());
}

/** Tells whether Pulumi knows it as made, and to be kept. */
export function isMade({ id = "", pendingReplacement, delete: isGoing }: StateResource): boolean {
  return id !== "" && !pendingReplacement && !isGoing;
}

/**
 * Leaves of all creations of one resource the newest, which is what Azure was sent last. Pulumi keeps a creation that was
 * cut off through every later command, behind those of that command (snapshot.go, snap).
 */
export function newest(pending: readonly Operation[]): Operation[] {
  return pending.filter(
    ({ type, resource }, at) =>
      type !== "creating" ||
      pending.findIndex((other) => other.type === type && other.resource.urn === resource.urn) === at,
  );
}
