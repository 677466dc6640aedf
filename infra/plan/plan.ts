/**
 * What a program asks Pulumi for, as data.
 * @module
 */

/** A resource as the program registers it. */
export interface RegisteredResource {
  /** `azure-native:network:Subnet`, or a component's own type. */
  readonly type: string;
  /** Its name in the program. */
  readonly name: string;
  /** Type of the component that it is a part of. */
  readonly parentType: string;
  /** A value that only Azure can tell, and has not yet, is `UNKNOWN`. */
  readonly inputs: Readonly<Record<string, unknown>>;
}

/** A registered resource with the options that decide its life. */
export interface PlannedResource extends RegisteredResource {
  readonly options: {
    readonly protect: boolean;
    readonly retainOnDelete: boolean;
    /** Name of the resource whose deletion deletes this one too. */
    readonly deletedWith: string;
    readonly deleteBeforeReplace: boolean;
    readonly replaceOnChanges: readonly string[];
    readonly ignoreChanges: readonly string[];
    /** Names of the resources that must exist first. */
    readonly dependencies: readonly string[];
    readonly parent: string;
  };
}

/** Everything that a program registers, and what it prints. */
export interface Plan<Resource extends RegisteredResource = PlannedResource> {
  readonly resources: readonly Resource[];
  readonly outputs: Readonly<Record<string, unknown>>;
}

/** Returns the type in a URN, which holds the types of the parents before it. */
export function typeOf(urn: string): string {
  return urn.split("::")[2]?.split("$").at(-1) ?? "";
}

/** Stands for a value that a preview does not know yet. */
export const UNKNOWN: unique symbol = Symbol("unknown");

/**
 * Returns the value at a path of names and indices, such as `securityRules.0.access`.
 * @returns undefined where there is none, and UNKNOWN where a part of the way is unknown
 */
export function at(value: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>(
      (inner, name) => (inner === UNKNOWN ? UNKNOWN : (inner as Record<string, unknown> | undefined)?.[name]),
      value,
    );
}
