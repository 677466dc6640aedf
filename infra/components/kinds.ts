import { ALERTS_KINDS } from "./alerts.ts";
import { BALANCER_KINDS } from "./balancer.ts";
import { CONTEXT_KINDS } from "./context.ts";
import { FIGURES_KINDS } from "./figures.ts";
import type { Kinds } from "./kind.ts";
import { MACHINE_KINDS } from "./machine.ts";
import { NETWORK_KINDS } from "./network.ts";
import { READINESS_KINDS } from "./readiness.ts";
import { RELEASES_KINDS } from "./releases.ts";
import { VAULT_KINDS } from "./vault.ts";
import { WATERMARK_TABLE_KINDS } from "./watermark-table.ts";

/** Every kind of resource that a signer is made of. */
export const KINDS: Kinds = {
  ...CONTEXT_KINDS,
  ...NETWORK_KINDS,
  ...BALANCER_KINDS,
  ...VAULT_KINDS,
  ...WATERMARK_TABLE_KINDS,
  ...RELEASES_KINDS,
  ...MACHINE_KINDS,
  ...READINESS_KINDS,
  ...ALERTS_KINDS,
  ...FIGURES_KINDS,
};
