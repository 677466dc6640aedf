import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { clientAddress } from "./access.ts";
import * as refuse from "./errors.ts";
import type { Fault } from "./faults.ts";
import type { Answer } from "./operations.ts";

export const REGION = "westeurope";

/** The error codes of statuses that a fault can name; any other is an internal error. */
const CODES: Readonly<Record<number, string>> = {
  400: "BadParameter",
  403: "Forbidden",
  408: "RequestTimeout",
  503: "ServiceUnavailable",
};

/** The headers that every answer carries (recorded). */
export function commonHeaders(request: IncomingMessage): Record<string, string> {
  const address = clientAddress(request.socket.remoteAddress);
  const client = request.headers["x-ms-client-request-id"];
  return {
    "Cache-Control": "no-cache",
    Pragma: "no-cache",
    Expires: "-1",
    "x-ms-keyvault-region": REGION,
    "x-ms-keyvault-service-version": "1.9.2824.1",
    "x-ms-keyvault-network-info": `conn_type=Ipv4;addr=${address};act_addr_fam=InterNetwork;`,
    "x-ms-request-id": randomUUID(),
    ...(typeof client === "string" ? { "x-ms-client-request-id": client } : {}),
    "Strict-Transport-Security": "max-age=31536000;includeSubDomains",
    "X-Content-Type-Options": "nosniff",
  };
}

/** What continuous access evaluation adds to a challenge. */
export function revocation(): string {
  const claims = { access_token: { nbf: { essential: true, value: String(Math.floor(Date.now() / 1000)) } } };
  return `, error="insufficient_claims", claims="${Buffer.from(JSON.stringify(claims)).toString("base64")}"`;
}

export function statusFault(status: number, retryAfter: number | undefined): refuse.VaultRefusal {
  const headers: Record<string, string> = retryAfter === undefined ? {} : { "Retry-After": String(retryAfter) };
  if (status === 429) return refuse.throttled(headers);
  return new refuse.VaultRefusal(
    status,
    CODES[status] ?? "InternalServerError",
    "The service could not do this.",
    undefined,
    headers,
  );
}

/** Front ends answer for hosts that they do not know, and not in JSON. */
export function foreignHost(response: ServerResponse): void {
  response.writeHead(400, { "Content-Type": "text/html; charset=us-ascii" });
  response.end(
    "<HTML><HEAD><TITLE>Bad Request</TITLE></HEAD><BODY><h2>Bad Request - Invalid Hostname</h2></BODY></HTML>",
  );
}

export async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk);
  } catch {
    // the caller hung up; nobody waits for the answer
  }
  return Buffer.concat(chunks).toString();
}

export function parseBody(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // refused below, as any other text that is not a JSON object
  }
  throw refuse.badParameter("The request body is not valid JSON");
}

export function send(response: ServerResponse, answer: Answer, fault: Fault | undefined): void {
  const body = answer.body === undefined ? "" : JSON.stringify(answer.body);
  response.statusCode = answer.status;
  if (body !== "") response.setHeader("Content-Type", "application/json; charset=utf-8");
  response.setHeader("Content-Length", Buffer.byteLength(body));
  if (fault?.kind === "stall-body") {
    response.write(body.slice(0, body.length / 2));
  } else if (fault?.kind === "truncate-body") {
    response.write(body.slice(0, body.length / 2), () => response.socket?.destroy());
  } else {
    response.end(body);
  }
}
