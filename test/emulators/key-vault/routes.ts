import type { Permission } from "./access.ts";

export type Operation =
  | "list"
  | "versions"
  | "get"
  | "attestation"
  | "create"
  | "import"
  | "update"
  | "sign"
  | "verify"
  | "delete"
  | "listDeleted"
  | "getDeleted"
  | "recover"
  | "purge";

export interface Route {
  readonly operation: Operation;
  readonly permission: Permission;
  /** Key name; "" for lists. */
  readonly name: string;
  /** Key version; "" where the path has none. */
  readonly version: string;
}

/** Method and path of each operation (REST reference 2025-07-01); `*` is a name, `?` a version or nothing. */
const ROUTES: readonly (readonly [string, string, Operation, Permission])[] = [
  ["GET", "keys", "list", "list"],
  ["GET", "keys/*/versions", "versions", "list"],
  ["GET", "keys/*/attestation", "attestation", "get"],
  ["GET", "keys/*/?/attestation", "attestation", "get"],
  ["GET", "keys/*/?", "get", "get"],
  ["GET", "keys/*", "get", "get"],
  ["POST", "keys/*/create", "create", "create"],
  ["PUT", "keys/*", "import", "import"],
  ["PATCH", "keys/*/?", "update", "update"],
  ["PATCH", "keys/*", "update", "update"],
  ["POST", "keys/*/?/sign", "sign", "sign"],
  ["POST", "keys/*/sign", "sign", "sign"],
  ["POST", "keys/*/?/verify", "verify", "verify"],
  ["POST", "keys/*/verify", "verify", "verify"],
  ["DELETE", "keys/*", "delete", "delete"],
  ["GET", "deletedkeys", "listDeleted", "list"],
  ["GET", "deletedkeys/*", "getDeleted", "get"],
  ["POST", "deletedkeys/*/recover", "recover", "recover"],
  ["DELETE", "deletedkeys/*", "purge", "purge"],
];

/** Finds the operation of a request; the empty segment of a missing version (`/keys/k//sign`) is allowed, as on Azure. */
export function route(method: string, path: string): Route | undefined {
  const segments = path.split("/").slice(1).map(decodeURIComponent);
  for (const [verb, pattern, operation, permission] of ROUTES) {
    const parts = pattern.split("/");
    if (verb !== method || parts.length !== segments.length) continue;
    if (!parts.every((part, index) => part === segments[index] || part === "?" || (part === "*" && segments[index]))) {
      continue;
    }
    return { operation, permission, name: at(parts, segments, "*"), version: at(parts, segments, "?") };
  }
  return undefined;
}

const at = (parts: string[], segments: string[], mark: string) => segments[parts.indexOf(mark)] ?? "";
