import type { AddressInfo } from "node:net";
import type { Logger } from "pino";
import type { Report } from "./report/report.ts";
import type { Settings } from "./settings/schema.ts";

/**
 * What watches a running signer from other computers, each loaded where the settings ask for it: few signers have any. None
 * of it holds up a signature, and what it waits for ends no start; a proxy that nothing could use ends it here as elsewhere.
 * @module
 */

export interface Observers {
  /** Where the metrics port listens; undefined where there is none, and while it is not open. */
  metricsAddress(): AddressInfo | undefined;
  /** Looks whether the files of the metrics port's certificate are others, and takes them up. */
  renewCertificate(): Promise<void>;
  stop(): Promise<void>;
}

/** Opens the metrics port, and begins to send figures to Azure Monitor, as the settings say. */
export async function openObservers(
  { metrics, azureMonitor }: Pick<Settings, "metrics" | "azureMonitor">,
  report: Report,
  logger: Logger,
): Promise<Observers> {
  const port = metrics && (await openMetricsPort(metrics, report, logger));
  const feed = azureMonitor && (await sendToAzureMonitor(azureMonitor, report, logger));
  return {
    metricsAddress: () => port?.address,
    renewCertificate: async () => port?.renewCertificate(),
    stop: async () => void (await Promise.all([port?.stop(), feed?.stop()])),
  };
}

async function openMetricsPort(settings: NonNullable<Settings["metrics"]>, report: Report, logger: Logger) {
  const { MetricsPort } = await import("./http/metrics-port.ts");
  return MetricsPort.open(settings, report, logger);
}

async function sendToAzureMonitor(settings: NonNullable<Settings["azureMonitor"]>, report: Report, logger: Logger) {
  const { MonitorFeed } = await import("./azure/monitor-feed.ts");
  const { MonitorPoints } = await import("./observability/monitor-points.ts");
  const points = new MonitorPoints();
  return new MonitorFeed({ ...settings, log: logger, take: async () => points.of(await report.figures(), new Date()) });
}
