import { Gauges } from "./gauges.ts";
import type { ReportParts } from "./parts.ts";
import { Readiness } from "./readiness.ts";
import { Status } from "./status.ts";

/** What is shown of a running signer. */
export type Report = ReturnType<typeof reportOf>;

/** Makes what the admin port shows of a running signer: /readyz, /status, /metrics and the page for people. */
export function reportOf(parts: ReportParts) {
  const readiness = new Readiness(parts);
  const status = new Status(parts, readiness);
  const gauges = new Gauges(parts, readiness);
  return {
    ready: () => readiness.look(),
    status: () => status.collect(),
    metrics: () => gauges.render(),
    figures: () => gauges.figures(),
    page: async () => {
      // Few starts see anybody who looks at it.
      const { pageOf } = await import("./page/page.ts");
      return pageOf(await status.collect(), parts.activity.lastHour.look(), Date.now());
    },
  };
}
