import type Router from "@koa/router";
import type { Middleware } from "koa";
import { SignerError } from "../errors.ts";

/**
 * Refuses what the router has no route for, before it runs. The router's own allowedMethods() answers OPTIONS and
 * HEAD with 200, which no client of a signer asks for and a web page may.
 * @throws SignerError `unknown-path` or `method-not-allowed`
 */
export function onlyRoutesOf(router: Router): Middleware {
  return async (ctx, next) => {
    const { path: routes } = router.match(ctx.path, ctx.method);
    if (routes.length === 0) throw new SignerError("unknown-path", "docs/reference/http.md lists the paths");
    const methods = routes.flatMap((route) => route.methods).filter((method) => method !== "HEAD");
    if (!methods.includes(ctx.method)) {
      const allow = methods.join(", ");
      ctx.set("Allow", allow); // RFC 9110 15.5.6 wants it with 405
      throw new SignerError("method-not-allowed", `it takes ${allow}`);
    }
    await next();
  };
}
