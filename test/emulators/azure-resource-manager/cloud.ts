import { createHash } from "node:crypto";
import { ArmError, conflict } from "./arm.ts";
import { KINDS } from "./kinds/index.ts";
import { type Properties, text } from "./properties.ts";

/** A resource that Azure holds. */
export interface Resource {
  readonly id: string;
  readonly type: string;
  readonly inputs: Properties;
  readonly outputs: Properties;
}

/** How one kind of resource behaves. */
export interface Kind {
  /** Its ARM id. */
  id(inputs: Properties, cloud: Cloud): string;
  /** Inputs whose change the real provider answers with a replacement: path parameters, and what replacement.go lists. */
  readonly replaces: readonly string[];
  /** A name that the provider makes up where the program gives none. */
  readonly autoname?: { readonly key: string; readonly make: (seed: string) => string };
  /** No region of its own. */
  readonly global?: true;
  /**
   * Where the provider asks the resource's own service instead of ARM: what that service refuses before anything else.
   * @throws ArmError
   */
  reach?(inputs: Properties, cloud: Cloud): void;
  /**
   * Applies ARM's rules to what would be stored.
   * @returns outputs beside the inputs
   * @throws ArmError
   */
  put(inputs: Properties, cloud: Cloud, before: Resource | undefined): Properties;
  /** @throws ArmError where ARM refuses to delete the resource while the others are as they are */
  delete?(resource: Resource, cloud: Cloud): void;
}

/** A request that changed something, or tried to. */
export interface Call {
  readonly method: "create" | "update" | "delete" | "read";
  readonly type: string;
  /** The resource's name in the program. */
  readonly name: string;
  readonly failed?: string;
}

const REGIONS = new Set(["northeurope", "westeurope", "eastus", "germanywestcentral"]);

/** One subscription of Azure, as far as the stack sees it: it holds resources and refuses what ARM refuses. */
export class Cloud {
  readonly subscription = "/subscriptions/5ba1d2f0-0c6e-4f0e-9a43-cf2c2e6f1a11";
  readonly tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47";
  /** Who runs Pulumi, and from where. */
  readonly deployer = { objectId: "d0d0d0d0-0000-4000-8000-000000000001", address: "198.51.100.9", assignsRoles: true };
  readonly resources = new Map<string, Resource>();
  /** Names of deleted vaults: taken until they are purged, which nothing here does. */
  readonly softDeleted = new Map<string, Resource>();
  /** Names that other people have. */
  readonly taken = new Set<string>();
  /** Sizes that the region has none of, or the subscription no quota for. */
  readonly refusedSizes = new Set<string>();
  /** Every request in order. */
  readonly calls: Call[] = [];
  /** Names in the program of resources whose next request of the kind fails with a server's error. */
  readonly faults = new Map<string, Call["method"]>();

  /** What is stored under an id; ids are the same in any case. */
  get(id: string): Resource | undefined {
    return this.resources.get(id.toLowerCase());
  }

  /** Takes in what an earlier program made here. */
  hold({ id, type, inputs, outputs }: Resource): void {
    this.resources.set(id.toLowerCase(), { id, type, inputs, outputs });
  }

  ofType(type: string): Resource[] {
    return [...this.resources.values()].filter((resource) => resource.type === type);
  }

  /** Resources whose id begins with the id: what a group or an account holds. */
  below(id: string): Resource[] {
    return [...this.resources.values()].filter((resource) => startsWith(resource.id, `${id}/`));
  }

  create(type: string, name: string, inputs: Properties): Resource {
    return this.#request("create", type, name, () => {
      const kind = kindOf(type);
      const id = kind.id(inputs, this);
      kind.reach?.(inputs, this); // the provider reads first
      if (this.get(id) !== undefined) throw new Error(`cannot create already existing resource '${id}'`);
      return this.#put(kind, type, id, inputs, undefined);
    });
  }

  update(type: string, name: string, id: string, inputs: Properties): Resource {
    return this.#request("update", type, name, () => {
      const before = this.get(id);
      if (before === undefined) throw new ArmError(404, "ResourceNotFound", `The Resource '${id}' was not found.`);
      kindOf(type).reach?.(inputs, this);
      return this.#put(kindOf(type), type, id, inputs, before);
    });
  }

  read(type: string, name: string, id: string): Resource | undefined {
    return this.#request("read", type, name, () => {
      const resource = this.get(id);
      if (resource !== undefined) kindOf(type).reach?.(resource.inputs, this);
      return resource;
    });
  }

  delete(type: string, name: string, id: string): void {
    this.#request("delete", type, name, () => {
      const resource = this.get(id);
      if (resource === undefined) return; // 404 is success
      kindOf(type).reach?.(resource.inputs, this);
      this.#refuseLocked(resource);
      kindOf(type).delete?.(resource, this);
      for (const { id } of [resource, ...this.below(resource.id)]) {
        const gone = this.get(id);
        if (gone?.type === "azure-native:keyvault:Vault") this.softDeleted.set(text(gone.outputs, "name"), gone);
        this.resources.delete(id.toLowerCase());
      }
    });
  }

  /** Random-looking and the same in every run. */
  guid(seed: string): string {
    const hex = createHash("sha256").update(seed).digest("hex");
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  }

  #request<T>(method: Call["method"], type: string, name: string, act: () => T): T {
    try {
      if (this.faults.get(name) === method) {
        this.faults.delete(name);
        throw new ArmError(500, "InternalServerError", "An error has occurred.");
      }
      const result = act();
      this.calls.push({ method, type, name });
      return result;
    } catch (error) {
      this.calls.push({ method, type, name, failed: error instanceof Error ? error.message : String(error) });
      throw error;
    }
  }

  #put(kind: Kind, type: string, id: string, inputs: Properties, before: Resource | undefined): Resource {
    const group = text(inputs, "resourceGroupName");
    const home = `${this.subscription}/resourceGroups/${group}`;
    if (group !== "" && id !== home && this.get(home) === undefined) {
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
    return resource;
  }

  /** A lock holds for its scope and all below it, and nothing above it can go either (lock-resources). */
  #refuseLocked({ id, type }: Resource): void {
    if (type === LOCK) return;
    for (const lock of this.ofType(LOCK)) {
      const scope = text(lock.inputs, "scope");
      if (startsWith(`${id}/`, `${scope}/`) || startsWith(scope, `${id}/`)) {
        const message = `The scope '${id}' cannot perform delete operation because following scope(s) are locked: '${scope}'. Please remove the lock and try again.`;
        throw conflict("ScopeLocked", message);
      }
    }
  }
}

const LOCK = "azure-native:authorization:ManagementLockByScope";

function startsWith(id: string, prefix: string): boolean {
  return id.toLowerCase().startsWith(prefix.toLowerCase());
}

export function kindOf(type: string): Kind {
  const kind = KINDS[type];
  if (kind === undefined) throw new Error(`the fake Azure knows no ${type}`);
  return kind;
}
