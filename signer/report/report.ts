import { hostname } from "node:os";
import type { MachineNote } from "../pair/machine-notes.ts";
import { settingsVersion } from "../settings/version.ts";
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
    note: () => noteOf(parts, readiness.look().ready && parts.balancer.sends),
    page: async () => {
      // Few starts see anybody who looks at it.
      const { pageOf } = await import("./page/page.ts");
      return pageOf(await status.collect(), parts.activity.lastHour.look(), Date.now());
    },
  };
}

/** What the other machines are told of this one. Where its own figures go is no difference to them. */
function noteOf({ release, live, activity, confirmations }: ReportParts, ready: boolean): MachineNote {
  return {
    machine: hostname(),
    ready,
    release: release.sha256 ?? release.version,
    settings: settingsVersion(JSON.stringify({ ...live.current, azureMonitor: undefined })),
    signedAt: [...activity.lastSigned.values()].toSorted().at(-1) ?? null,
    waiting: confirmations.waiting.length,
  };
}
