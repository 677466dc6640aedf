/**
 * What the plan, its recorder and the invariants need to know of a kind of resource. Each component says it of its own.
 * @module
 */
export interface Kind {
  /** What `npm run plan` calls it. */
  readonly word: string;
  /** The input that names it: in the plan, and in Azure. */
  readonly name: string;
  /** Paths to the inputs that the plan shows, a unit after `|`. */
  readonly shown?: readonly string[];
  /** It takes no tags, or its tags mean something else. */
  readonly untagged?: true;
  /** What Azure chooses of it and the program reads, as a reader of the plan sees it. */
  readonly chosen?: Readonly<Record<string, unknown>>;
}

/** Kinds by Pulumi's type. */
export type Kinds = Readonly<Record<string, Kind>>;
