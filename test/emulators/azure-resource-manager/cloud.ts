import { ArmError, conflict, HalfMade } from "./arm.ts";
import { Killed } from "./kills.ts";
import { KINDS } from "./kinds/index.ts";
import { Locks } from "./locks.ts";
import { type Properties, text } from "./properties.ts";
import { type Call, type Kind, type Resource, Subscription } from "./subscription.ts";

const REGIONS = new Set(["northeurope", "westeurope", "eastus", "germanywestcentral", "westus"]);

/** One subscription of Azure, as far as the stack sees it: it holds resources and refuses what ARM refuses. */
export class Cloud extends Subscription {
  readonly locks = new Locks();

  /** @param patience of the client, in seconds: the provider's own is an hour */
  create(type: string, name: string, inputs: Properties, patience = 3_600): Resource {
    return this.#request("create", type, name, () => {
      const kind = kindOf(type);
      const id = kind.id(inputs, this);
      this.#reach(kind, id, inputs); // the provider reads first
      if (this.get(id) !== undefined) throw new Error(`cannot create already existing resource '${id}'`);
      return this.#put(kind, type, id, inputs, undefined, patience);
    });
  }

  /** @param patience as above */
  update(type: string, name: string, id: string, inputs: Properties, patience = 3_600): Resource {
    return this.#requestById("update", type, name, id, () => {
      const before = this.get(id);
      if (before === undefined) throw new ArmError(404, "ResourceNotFound", `The Resource '${id}' was not found.`);
      this.#reach(kindOf(type), id, inputs);
      return this.#put(kindOf(type), type, id, inputs, before, patience);
    });
  }

  /** The provider takes 404 for "it is gone", the subscription's too (pulumi-azure-native#4599). */
  read(type: string, name: string, id: string): Resource | undefined {
    if (this.unseen.has(id.split("/").slice(0, 3).join("/"))) return undefined;
    return this.#requestById("read", type, name, id, () => {
      const resource = this.get(id);
      if (resource === undefined) kindOf(type).missing?.(id);
      else this.#reach(kindOf(type), id, resource.inputs);
      return resource;
    });
  }

  delete(type: string, name: string, id: string): void {
    this.#requestById("delete", type, name, id, () => {
      const resource = this.get(id);
      if (resource === undefined) return; // 404 is success
      this.#reach(kindOf(type), id, resource.inputs);
      this.locks.allowDeletion(resource, this);
      kindOf(type).delete?.(resource, this);
      for (const { id } of [resource, ...this.below(resource.id)]) {
        const gone = this.get(id);
        if (gone?.type === "azure-native:keyvault:Vault") {
          const keys = this.below(id).filter(({ type }) => type === "azure-native:keyvault:Key");
          this.softDeleted.set(text(gone.outputs, "name"), [gone, ...keys]);
        }
        if (gone?.type === "azure-native:keyvault:Key") this.deletedKeys.set(id.toLowerCase(), gone);
        this.resources.delete(id.toLowerCase());
      }
    });
  }

  /** A request that names a resource goes where that one is, whichever subscription is selected. */
  #requestById<T>(method: Call["method"], type: string, name: string, id: string, act: () => T): T {
    const selected = this.subscription;
    this.subscription = id.split("/").slice(0, 3).join("/");
    try {
      if (this.unseen.has(this.subscription)) {
        throw new ArmError(404, "SubscriptionNotFound", `The subscription '${id.split("/")[2]}' could not be found.`);
      }
      return this.#request(method, type, name, act);
    } finally {
      this.subscription = selected;
    }
  }

  #request<T>(method: Call["method"], type: string, name: string, act: () => T): T {
    try {
      if (this.faults.get(name) === method) {
        this.faults.delete(name);
        throw this.#failed(act);
      }
      this.kills.strike("before", method, name);
      const result = act();
      this.calls.push({ method, type, name });
      this.kills.strike("after", method, name);
      return result;
    } catch (error) {
      if (error instanceof Killed) throw error;
      this.calls.push({ method, type, name, failed: error instanceof Error ? error.message : String(error) });
      throw error;
    }
  }

  /** Does to a request what is to become of it. @returns the error that it is answered with */
  #failed(act: () => unknown): Error {
    const { status, code, fate = "refused" } = this.fault;
    const error = new ArmError(status, code, "An error has occurred.");
    if (fate === "refused") return error;
    const made = act() as Resource | undefined;
    if (fate === "done" || made === undefined) return error;
    const half = { ...made, outputs: { ...made.outputs, provisioningState: "Failed" } };
    this.hold(half);
    return new HalfMade(error, half);
  }

  /** The account's key, with which the provider goes to the service, is an answer to a POST. */
  #reach(kind: Kind, id: string, inputs: Properties): void {
    if (kind.reach === undefined) return;
    this.#allowWriting(id, "");
    kind.reach(inputs, this);
  }

  #allowWriting(id: string, type: string): void {
    if (this.state === "Disabled") {
      const message = `The subscription '${this.subscription.split("/")[2]}' is disabled and therefore marked as read only. You cannot perform any write actions on this subscription until it is re-enabled.`;
      throw conflict("ReadOnlyDisabledSubscription", message);
    }
    this.locks.allowWriting(id, type, this);
  }

  /** Azure Policy judges what is put and not what is deleted (effect-deny); what stands already is put again too. */
  #allowByPolicies(id: string, inputs: Properties): void {
    const [name = "", kind = "", namespace = ""] = id.split("/").reverse();
    const properties = (inputs.properties ?? inputs) as Properties;
    const content = { type: `${namespace}/${kind}`, location: text(inputs, "location"), properties };
    const denial = this.account.policies.find(({ effect, broken }) => effect === "Deny" && broken(content));
    if (denial === undefined) return;
    const message = `Resource '${name}' was disallowed by policy. Policy identifiers: '[{"policyAssignment":{"id":"${denial.assignment}"}}]'.`;
    throw new ArmError(403, "RequestDisallowedByPolicy", message);
  }

  #put(
    kind: Kind,
    type: string,
    id: string,
    inputs: Properties,
    before: Resource | undefined,
    patience: number,
  ): Resource {
    this.#allowWriting(id, type);
    if (before === undefined) for (const joined of kind.joins?.(inputs) ?? []) this.#allowWriting(joined, "");
    this.#allowByPolicies(id, inputs);
    const group = text(inputs, "resourceGroupName");
    const home = `${this.subscription}/resourceGroups/${group}`;
    // An update goes to the resource's id, wherever the subscription that is selected now would put a new one.
    if (before === undefined && group !== "" && id !== home && this.get(home) === undefined) {
      throw new ArmError(404, "ResourceGroupNotFound", `Resource group '${group}' could not be found.`);
    }
    const location = text(inputs, "location");
    if (location !== "" && !REGIONS.has(location) && !kind.global) {
      throw new ArmError(
        400,
        "LocationNotAvailableForResourceType",
        `The provided location '${location}' is not available.`,
      );
    }
    if (before !== undefined && text(before.inputs, "location") !== location) {
      throw conflict("InvalidResourceLocation", `The resource already exists in '${text(before.inputs, "location")}'.`);
    }
    const outputs = { name: id.split("/").at(-1), ...inputs, ...kind.put(inputs, this, before), id };
    const resource = { id, type, inputs, outputs };
    this.hold(resource);
    kind.finish?.(resource, this, patience);
    return resource;
  }
}

export function kindOf(type: string): Kind {
  const kind = KINDS[type];
  if (kind === undefined) throw new Error(`the fake Azure knows no ${type}`);
  return kind;
}
