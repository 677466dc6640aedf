import Koa, { type Middleware } from "koa";
import type { Logger } from "pino";
import { requireAllowedAddress } from "../admission/allowed-addresses.ts";
import type { AuditLog } from "../signing/audit-log.ts";
import type { RemoteSigner } from "../signing/remote-signer.ts";
import type { CurrentSettings } from "../signing/request-context.ts";
import { answerErrors } from "./error-response.ts";
import { onlyRoutesOf } from "./known-routes.ts";
import { type RequestState, recordOutcomes } from "./outcomes.ts";
import { routes } from "./routes.ts";
import { refuseWebPages } from "./web-pages.ts";

/** What the signing port is made of. */
export interface AppParts {
  readonly signer: RemoteSigner;
  readonly settings: CurrentSettings;
  readonly audit: Pick<AuditLog, "recordAnswered">;
  readonly log: Logger;
}

/** Makes the signing port's app. */
export function createApp({ signer, settings, audit, log }: AppParts): Koa<RequestState> {
  const router = routes(signer);
  const app = new Koa<RequestState>();
  app.on("error", (error: Error) => log.debug({ error: error.message }, "connection lost while answering"));
  app.use(answerErrors);
  app.use(recordOutcomes(settings, audit));
  app.use(onlyAllowedAddresses);
  app.use(refuseWebPages);
  app.use(withoutPrefix);
  app.use(onlyRoutesOf(router));
  app.use(router.routes());
  return app;
}

const onlyAllowedAddresses: Middleware<RequestState> = async (ctx, next) => {
  const { settings, client } = ctx.state.request;
  requireAllowedAddress(settings, client);
  await next();
};

const OWN_PATH = /^.*(\/(?:authorized_keys|known_keys|keys\/[^/]+|bls_prove_possession\/[^/]+))$/;

/**
 * octez keeps the path of a signer's URI before its own (http_gen.ml), so that a signer can stand behind a proxy's
 * path. Any prefix is taken rather than one that the settings name: no access depends on the path, and a setting
 * that has to agree with the baker's URI would be one more way to miss a block.
 */
const withoutPrefix: Middleware = async (ctx, next) => {
  const own = OWN_PATH.exec(ctx.path)?.[1];
  if (own !== undefined) ctx.path = own;
  await next();
};
