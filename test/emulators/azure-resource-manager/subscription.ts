import { createHash } from "node:crypto";
import { Account } from "./account.ts";
import { ComputeOffer } from "./compute-offer.ts";
import { Kills } from "./kills.ts";
import type { Properties } from "./properties.ts";
import { RunCommands } from "./run-commands.ts";

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
  id(inputs: Properties, cloud: Subscription): string;
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
  reach?(inputs: Properties, cloud: Subscription): void;
  /** Ids of what is written into as it is made. */
  joins?(inputs: Properties): string[];
  /**
   * Applies ARM's rules to what would be stored.
   * @returns outputs beside the inputs
   * @throws ArmError
   */
  put(inputs: Properties, cloud: Subscription, before: Resource | undefined): Properties;
  /**
   * What goes on once the request was taken, and whose end the client waits for.
   * @param patience of the client, in seconds
   * @throws Error where it does not end well
   */
  finish?(resource: Resource, cloud: Subscription, patience: number): void;
  /** @throws ArmError where the provider takes Azure's word that it is not there for a failure */
  missing?(id: string): void;
  /** @throws ArmError where ARM refuses to delete the resource while the others are as they are */
  delete?(resource: Resource, cloud: Subscription): void;
}

/**
 * What becomes of a request that is answered with an error: it is refused, which is the rule; it is done all the same
 * (pulumi-azure-native#3200, #4761); or it was accepted and then failed, and leaves something half-made, of which the
 * provider tells Pulumi (async-operations; pulumi-azure-native#1066).
 */
export type Fate = "refused" | "done" | "half-made";

/** A request that changed something, or tried to. */
export interface Call {
  readonly method: "create" | "update" | "delete" | "read";
  readonly type: string;
  /** The resource's name in the program. */
  readonly name: string;
  readonly failed?: string;
}

/** What stands behind the resource manager. */
export interface Services {
  /** A vault was put. */
  made(name: string, properties: Properties): Promise<void>;
  /** A key was put into a vault. */
  key(vault: string, name: string, properties: Properties): Promise<void>;
  deleted(vault: string): Promise<void>;
  /** Runs a script on a machine. @returns what it printed */
  run(machine: string, script: string): Promise<string>;
}

/** One subscription of Azure as it is: what it holds, who asks, and what was asked. */
export class Subscription {
  /** The selected one, as `az account set` selects it: what is new is made there. */
  subscription = "/subscriptions/5ba1d2f0-0c6e-4f0e-9a43-cf2c2e6f1a11";
  /** As `az account list` has it. One that is disabled still shows and deletes, and takes nothing (subscription-states). */
  state: string = "Enabled";
  /** Subscriptions that Azure does not show to whoever asks: a login of another cloud or tenant, as it may answer it. */
  readonly unseen = new Set<string>();
  readonly tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47";
  /** Who runs Pulumi, and from where. */
  readonly deployer = {
    objectId: "d0d0d0d0-0000-4000-8000-000000000001",
    address: "198.51.100.9",
    assignsRoles: true,
    readsCompute: true,
  };
  readonly resources = new Map<string, Resource>();
  /** Deleted vaults by name, each with its keys behind it: the name is taken until it is purged, which nothing here does. */
  readonly softDeleted = new Map<string, readonly Resource[]>();
  /** Keys that somebody has deleted in a vault that stands, by their ids in lower case. */
  readonly deletedKeys = new Map<string, Resource>();
  /** Ids of machines that are deallocated, in lower case. */
  readonly stopped = new Set<string>();
  /** Names that other people have. */
  readonly taken = new Set<string>();
  /** Sizes that the region has none of, or the subscription no quota for. */
  readonly refusedSizes = new Set<string>();
  /** What is run on machines. */
  readonly runCommands = new RunCommands();
  /** What vaults are besides what the resource manager knows of them, and what a machine does with a script at once. */
  services: Services = { made: async () => {}, key: async () => {}, deleted: async () => {}, run: async () => "" };
  /** Which machines there are to be had otherwise. */
  readonly offer = new ComputeOffer();
  /** What Azure says of the subscription itself. */
  readonly account = new Account();
  /** What Azure's own endpoint takes; none where nobody serves it. */
  managementToken: string | undefined;
  /** Every request in order. */
  readonly calls: Call[] = [];
  /** Names in the program of resources whose next request of the kind fails with a server's error. */
  readonly faults = new Map<string, Call["method"]>();
  /** What those requests are answered, and what becomes of them. */
  fault: { readonly status: number; readonly code: string; readonly fate?: Fate } = {
    status: 500,
    code: "InternalServerError",
  };
  /** Requests in the middle of which Pulumi ends. */
  readonly kills = new Kills();

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

  /** Random-looking and the same in every run. */
  guid(seed: string): string {
    const hex = createHash("sha256").update(seed).digest("hex");
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  }
}

/** Whether an id begins with another; ids are the same in any case. */
export function startsWith(id: string, prefix: string): boolean {
  return id.toLowerCase().startsWith(prefix.toLowerCase());
}
