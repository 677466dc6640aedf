import Koa, { type Middleware } from "koa";
import type { Logger } from "pino";
import { prometheusContentType } from "prom-client";
import { plainAddress } from "../admission/address-allow-list.ts";
import { RefusalLog } from "../observability/refusal-log.ts";
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

/** Answers by what an admin port shows, a way each. */
export const SHOWN = {
  readiness: (admin: Pick<Admin, "ready">): Middleware => {
    return (ctx) => {
      const state = admin.ready();
      sendJson(ctx, state.ready ? 200 : 503, state);
    };
  },
  metrics: (admin: Pick<Admin, "metrics">): Middleware => {
    return async (ctx) => {
      const text = await admin.metrics();
      ctx.set("Content-Type", prometheusContentType);
      ctx.body = text;
    };
  },
  page: (admin: Pick<Admin, "page">): Middleware => {
    return async (ctx) => {
      const { html, policy } = await admin.page();
      ctx.set({
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
      });
      ctx.body = html;
    };
  },
} as const;

/**
 * Makes the admin port's app: for the operator and for probes, on a loopback address. It changes nothing.
 * @param names by which it may be asked, besides localhost and IP addresses
 */
export function createAdminApp(admin: Admin, log: Logger, names: readonly string[] = []): Koa {
  const router = new Router({ sensitive: true, strict: true });
  router.get("/healthz", (ctx) => sendJson(ctx, 200, { alive: true }));
  router.get("/readyz", SHOWN.readiness(admin));
  router.get("/status", async (ctx) => sendJson(ctx, 200, await admin.status()));
  router.get("/metrics", SHOWN.metrics(admin));
  router.get("/", SHOWN.page(admin));
  return appOf(router, log, [onlyKnownHosts(names, "admin.names"), refuseOtherSites]);
}

/** Makes the app of a port that shows something, and asks for nothing to be signed. @param guards each in front of the next */
export function appOf(router: Router, log: Logger, guards: readonly Middleware[]): Koa {
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
  for (const guard of guards) app.use(guard);
  app.use(onlyRoutesOf(router));
  app.use(router.routes());
  return app;
}
