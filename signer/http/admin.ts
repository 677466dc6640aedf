import Koa from "koa";
import type { Logger } from "pino";
import { prometheusContentType } from "prom-client";
import { RefusalLog } from "../observability/refusal-log.ts";
import { plainAddress } from "./address-allow-list.ts";
import { answerErrors } from "./error-response.ts";
import { onlyRoutesOf } from "./known-routes.ts";
import { Router } from "./router.ts";
import { sendJson } from "./send-json.ts";
import { onlyKnownHosts, refuseOtherSites } from "./web-pages.ts";

/** What the admin port shows. */
export interface Admin {
  /** Whether a signature can be had now; if not, why, in words for the operator. */
  ready(): { readonly ready: boolean; readonly reasons: readonly string[] };
  /** Everything an operator wants to see, as JSON. */
  status(): unknown | Promise<unknown>;
  /** Prometheus text format 0.0.4. */
  metrics(): Promise<string>;
  /** The same for people: a document, and the Content-Security-Policy that it needs. */
  page(): Promise<{ readonly html: string; readonly policy: string }>;
}

/**
 * Makes the admin port's app: for the operator and for probes, on a loopback address. It changes nothing.
 * @param names by which it may be asked, besides localhost and IP addresses
 */
export function createAdminApp(admin: Admin, log: Logger, names: readonly string[] = []): Koa {
  const router = new Router({ sensitive: true, strict: true });
  router.get("/healthz", (ctx) => sendJson(ctx, 200, { alive: true }));
  router.get("/readyz", (ctx) => {
    const state = admin.ready();
    sendJson(ctx, state.ready ? 200 : 503, state);
  });
  router.get("/status", async (ctx) => sendJson(ctx, 200, await admin.status()));
  router.get("/metrics", async (ctx) => {
    const text = await admin.metrics();
    ctx.set("Content-Type", prometheusContentType);
    ctx.body = text;
  });
  router.get("/", async (ctx) => {
    const { html, policy } = await admin.page();
    ctx.set({
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy": policy,
      "X-Content-Type-Options": "nosniff",
      "Referrer-Policy": "no-referrer",
      "Cache-Control": "no-store",
    });
    ctx.body = html;
  });
  const refusals = new RefusalLog(log);
  const app = new Koa();
  app.on("error", (error: Error) => log.debug({ error: error.message }, "connection lost while answering"));
  app.use(answerErrors);
  app.use(async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      refusals.write(plainAddress(ctx.req.socket.remoteAddress), error);
      throw error;
    }
  });
  app.use(onlyKnownHosts(names));
  app.use(refuseOtherSites);
  app.use(onlyRoutesOf(router));
  app.use(router.routes());
  return app;
}
