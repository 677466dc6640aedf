import type { Kind } from "../subscription.ts";
import { AUTHORIZATION } from "./authorization.ts";
import { COMPUTE } from "./compute.ts";
import { IDENTITY } from "./identity.ts";
import { MONITOR } from "./monitor.ts";
import { NETWORK } from "./network.ts";
import { STORAGE } from "./storage.ts";
import { VAULT } from "./vault.ts";

/** Every kind of resource that the fake Azure knows, by Pulumi's type. */
export const KINDS: Readonly<Record<string, Kind>> = {
  ...AUTHORIZATION,
  ...COMPUTE,
  ...IDENTITY,
  ...MONITOR,
  ...NETWORK,
  ...STORAGE,
  ...VAULT,
};
