import { BlockList, isIPv6 } from "node:net";

/** The permissions on keys that an access policy can give. */
export type Permission =
  | "get"
  | "list"
  | "create"
  | "import"
  | "update"
  | "delete"
  | "recover"
  | "purge"
  | "sign"
  | "verify";

/** Access policies by principal (object id). What changes here takes effect after a delay, as on Azure. */
export class Policies {
  /** Milliseconds until a grant or a revocation is seen by the data plane. */
  propagationDelay = 0;
  #granted = new Map<string, ReadonlySet<string>>();
  #changes: { readonly at: number; readonly objectId: string; readonly permissions: ReadonlySet<string> }[] = [];

  /** Replaces what a principal may do; an empty list takes everything. */
  grant(objectId: string, permissions: readonly Permission[]): void {
    this.#changes.push({ at: Date.now() + this.propagationDelay, objectId, permissions: new Set(permissions) });
  }

  allows(objectId: string, permission: Permission): boolean {
    const now = Date.now();
    for (const change of this.#changes.filter((each) => each.at <= now)) {
      this.#granted.set(change.objectId, change.permissions);
    }
    this.#changes = this.#changes.filter((each) => each.at > now);
    return this.#granted.get(objectId)?.has(permission) ?? false;
  }
}

/** The vault's firewall: open until addresses are named, then closed for all others. */
export class Firewall {
  #allowed: BlockList | undefined;

  /** @param ranges IPv4 in CIDR notation; replaces those before */
  allow(ranges: readonly string[]): void {
    this.#allowed = new BlockList();
    for (const range of ranges) {
      const [address = "", prefix = "32"] = range.split("/");
      this.#allowed.addSubnet(address, Number(prefix), "ipv4");
    }
  }

  open(): void {
    this.#allowed = undefined;
  }

  admits(address: string): boolean {
    return this.#allowed?.check(address, isIPv6(address) ? "ipv6" : "ipv4") ?? true;
  }
}

/** The peer's address as the service prints it: IPv4, also where the socket is of the other family. */
export function clientAddress(remote: string | undefined): string {
  return (remote ?? "").replace(/^::ffff:/, "");
}
