import type { Context } from "koa";
import { visibleJson } from "../invisible-characters.ts";

/** Exactly this, without a charset: what octez-signer sends and octez-client looks up. */
export const JSON_TYPE = "application/json";

/** Answers a request with a value as JSON. */
export function sendJson(ctx: Context, status: number, value: unknown): void {
  ctx.status = status;
  ctx.set("Content-Type", JSON_TYPE);
  ctx.body = visibleJson(JSON.stringify(value));
}
