import { setImmediate } from "node:timers/promises";

/**
 * Loads what the ports are made of, the largest part of the program, piece by piece: in between, what has come from the
 * network is read and answered, and a signal is obeyed.
 */
export async function loadPorts() {
  await setImmediate();
  const { AuditLog } = await import("./signing/audit-log.ts");
  await setImmediate();
  const { Metrics } = await import("./observability/metrics.ts");
  await setImmediate();
  const { listen } = await import("./http/server.ts");
  await setImmediate();
  const { createAdminApp } = await import("./http/admin.ts");
  await setImmediate();
  const { createApp } = await import("./http/app.ts");
  await setImmediate();
  const { Rehearsal } = await import("./rehearsal/rehearsal.ts");
  return { createAdminApp, createApp, listen, AuditLog, Metrics, Rehearsal };
}
