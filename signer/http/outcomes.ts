import type { Middleware } from "koa";
import { plainAddress } from "../admission/address-allow-list.ts";
import type { AuditLog } from "../signing/audit-log.ts";
import type { CurrentSettings, RequestContext } from "../signing/request-context.ts";

/** What the signing port's middleware share of a request. */
export interface RequestState {
  request: RequestContext;
}

/** Opens each request's context, with the settings of this moment, and has its outcome recorded once it is answered. */
export function recordOutcomes(
  settings: CurrentSettings,
  audit: Pick<AuditLog, "recordAnswered">,
): Middleware<RequestState> {
  return async (ctx, next) => {
    const request: RequestContext = {
      settings: settings.current,
      client: plainAddress(ctx.req.socket.remoteAddress),
    };
    ctx.state.request = request;
    try {
      await next();
    } catch (error) {
      audit.recordAnswered(request, error);
      throw error;
    }
    if (request.signing !== undefined) audit.recordAnswered(request);
  };
}
