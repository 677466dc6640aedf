import { z } from "zod";
import { METRICS_PORT } from "../contract.ts";
import { isLoopback } from "../network/url.ts";
import { addressRangeSchema, file, host, hostName, port, serviceUrl } from "./fields.ts";

/**
 * Settings of how the signer is watched from other computers; part of schema.ts.
 * @module
 */

/** `metrics`: a port for whoever watches, which shows metrics, readiness and the page, and nothing else. */
export const metricsSchema = z
  .strictObject({
    host: host.default("127.0.0.1"),
    port: port.default(METRICS_PORT),
    names: z.array(hostName).min(1).optional(),
    allowedAddresses: z.array(addressRangeSchema).min(1).optional(),
    token: z.strictObject({ file }).optional(),
    tls: z.strictObject({ cert: file, key: file }).optional(),
  })
  .superRefine(({ host, token }, context) => {
    if (token !== undefined || isLoopback(host)) return;
    const message = "is missing: on another address than a loopback one the port opens with a token alone";
    context.addIssue({ code: "custom", path: ["token"], message });
  });

/** A resource's id in Azure's resource manager: the subscription's, then its group's, its provider's and its own names. */
const resourceId = z
  .string()
  .regex(/^\/subscriptions\/[^/?#\s]+\/resourceGroups\/[^/?#\s]+\/providers(\/[^/?#\s]+){3,}$/, {
    error: "must be a resource's id: /subscriptions/…/resourceGroups/…/providers/…",
  });

const endpoint = serviceUrl(
  "the region's endpoint of Azure Monitor, such as https://northeurope.monitoring.azure.com",
  {
    plainHttp: "loopback",
    path: "refused",
  },
);

/** `azureMonitor`: sends the same figures to Azure Monitor once a minute, as those of an Azure resource. */
export const azureMonitorSchema = z.strictObject({
  endpoint,
  resource: resourceId,
  clientId: z.guid().optional(),
});
