import { Gauges } from "./gauges.ts";
import type { ReportParts } from "./parts.ts";
import { Readiness } from "./readiness.ts";
import { Status } from "./status.ts";

/** Makes what the admin port shows of a running signer: /readyz, /status and /metrics. */
export function reportOf(parts: ReportParts) {
  const readiness = new Readiness(parts);
  const status = new Status(parts, readiness);
  const gauges = new Gauges(parts, readiness);
  return {
    ready: () => readiness.look(),
    status: () => status.collect(),
    metrics: () => gauges.render(),
  };
}
