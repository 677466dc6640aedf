/**
 * Holds what a program registers to the invariants, in every `pulumi preview` and `pulumi up`.
 *
 * Each resource waits for the answer on its own inputs before Pulumi is asked for it, so one that breaks a rule is
 * never made. Rules between resources are asked when all are registered. Both see what is known at that moment: a first
 * preview knows nothing that Azure chooses, the `up` that follows knows everything.
 * @module
 */
import * as pulumi from "@pulumi/pulumi";
import { violationsAmong, violationsIn, violationsOf } from "./invariants.ts";
import { type RegisteredResource, typeOf, UNKNOWN } from "./plan/plan.ts";
import { Refusal } from "./refusal.ts";
import { usualType } from "./vault-api.ts";

/** Judges the resources of one signer: those that are registered between its making and its completion. */
export class Inspection {
  readonly #resources: Promise<RegisteredResource>[] = [];
  /** Rejects with the first broken rule, and otherwise never settles. */
  readonly #refused = Promise.withResolvers<never>();
  #open = true;
  /** What resources wait for that are registered from now on. */
  #before: Promise<void> = Promise.resolve();

  /** Options for the signer's component: the ones that were given, and what has all below it inspected. */
  readonly options: pulumi.ComponentResourceOptions;

  /** @param options those of the signer's component */
  constructor(options: pulumi.ComponentResourceOptions = {}) {
    // Whoever waits for it says it; where nobody does, nothing is broken.
    this.#refused.promise.catch(() => undefined);
    const inspect = (args: pulumi.ResourceTransformationArgs) => (this.#open ? this.#inspect(args) : undefined);
    if (options.parent === undefined) {
      // The stack's transformations come last, so that this one sees what others have made of the inputs.
      pulumi.runtime.registerStackTransformation(inspect);
      this.options = options;
    } else {
      // A parent has taken over the stack's transformations when it was made itself, and hands on those alone.
      this.options = { ...options, transformations: [...(options.transformations ?? []), inspect] };
    }
  }

  #inspect({ type, name, props, opts }: pulumi.ResourceTransformationArgs): pulumi.ResourceTransformationResult {
    const resource = known(type, name, props, opts.parent);
    this.#resources.push(resource);
    const before = this.#before;
    const kept = this.#unlessRefused(
      resource
        .then((resource) => this.#judge(violationsOf(resource)))
        .then(() => before)
        .then(() => opts.dependsOn ?? []),
    );
    // Pulumi waits for a promise of whatever dependsOn may be; its type knows fewer.
    return { props, opts: { ...opts, dependsOn: kept as Promise<pulumi.Resource[]> } };
  }

  /**
   * Has every resource that is registered from now on wait for an answer.
   * @param refusals sentences that say what cannot be: with one of them nothing more is registered, and the program ends
   */
  waitFor(refusals: Promise<readonly string[]>): void {
    this.#before = refusals.then(
      (sentences) => {
        if (sentences.length > 0) this.#refuse(`nothing was changed: ${sentences.join("; ")}`);
      },
      (error: Error) => this.#refuse(error.message),
    );
  }

  /**
   * Judges all resources together, and no later ones.
   * @param outputs what the signer gives to the program that has it
   * @returns the same, known only once no rule is broken; so a program that uses one of them ends with what is broken
   */
  complete<Outputs extends Record<string, pulumi.Output<unknown>>>(outputs: Outputs): Outputs {
    this.#open = false;
    const judged = this.#unlessRefused(
      Promise.all([Promise.all(this.#resources), valuesOf("outputs", outputs)]).then(([resources, values]) =>
        this.#judge([...violationsAmong(resources), ...violationsIn(values)]),
      ),
    );
    return after(judged, outputs) as Outputs;
  }

  /** What waits for another resource waits for the judgement on that one too: Pulumi would wrap it once for each step. */
  #unlessRefused<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([promise, this.#refused.promise]);
  }

  #judge(broken: readonly string[]): void {
    if (broken.length > 0) this.#refuse(brokenBy(broken));
  }

  #refuse(sentence: string): void {
    this.#refused.reject(new Refusal(sentence));
  }
}

/**
 * Judges what a program gives out beside the outputs of its signer.
 * @returns the same, known only once no rule is broken
 */
export function inspected(outputs: Readonly<Record<string, unknown>>): Record<string, pulumi.Output<unknown>> {
  const judged = valuesOf("outputs", outputs).then((values) => {
    const broken = violationsIn(values);
    if (broken.length > 0) throw new Refusal(brokenBy(broken));
  });
  return after(judged, outputs);
}

/** Holds outputs back until they are judged. */
function after(judged: Promise<void>, outputs: Readonly<Record<string, unknown>>) {
  const entries = Object.entries(outputs).map(
    ([name, output]) => [name, pulumi.all([output, judged]).apply(([value]) => value)] as const,
  );
  return Object.fromEntries(entries);
}

/** @param broken sentences that name a rule and a resource */
function brokenBy(broken: readonly string[]): string {
  return `this signer breaks a rule that holds for every one: ${broken.join("; ")}`;
}

/** Waits until all inputs of a resource are known, as far as they will be. */
async function known(
  type: string,
  name: string,
  props: pulumi.Inputs,
  parent: pulumi.Resource | undefined,
): Promise<RegisteredResource> {
  const { urn } = await valuesOf(name, { urn: parent?.urn });
  return {
    type: usualType(type),
    name,
    parentType: typeof urn === "string" ? typeOf(urn) : "",
    inputs: await valuesOf(name, props),
  };
}

/** Waits for all values of an object, which are UNKNOWN where a preview does not know them. */
export async function valuesOf(name: string, props: pulumi.Inputs): Promise<Record<string, unknown>> {
  return plain(await pulumi.runtime.serializeProperties(name, props)) as Record<string, unknown>;
}

/** What goes to Pulumi's engine, as values: a secret is what it holds, and an unknown is UNKNOWN. */
function plain(value: unknown): unknown {
  if (value === pulumi.runtime.unknownValue) return UNKNOWN;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const entries = value as Readonly<Record<string, unknown>>;
  if (entries[pulumi.runtime.specialSigKey] === pulumi.runtime.specialSecretSig) return plain(entries.value);
  return Object.fromEntries(Object.entries(entries).map(([name, inner]) => [name, plain(inner)]));
}
