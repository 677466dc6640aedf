import Koa, { type Middleware } from "koa";
import type { Logger } from "pino";
import { type ErrorCode, SignerError } from "../errors.ts";
import type { RemoteSigner } from "../signing/signing-service.ts";
import { type Access, remembered } from "./access.ts";
import { AddressAllowList, plainAddress } from "./address-allow-list.ts";
import { errorResponses } from "./error-response.ts";
import { onlyRoutesOf } from "./known-routes.ts";
import { routes } from "./routes.ts";

/** What the signing port is made of. */
export interface AppParts {
  readonly signer: RemoteSigner;
  /** Read for each request. */
  readonly access: () => Access;
  readonly log: Logger;
  /** Told each error of a request that did not reach the signer. */
  readonly refused: (code: ErrorCode) => void;
}

/** The signing port's app. */
export function createApp({ signer, access, log, refused }: AppParts): Koa {
  const router = routes(signer, access);
  const app = new Koa();
  app.on("error", (error: Error) => log.debug({ error: error.message }, "connection lost while answering"));
  app.use(errorResponses(log, refused));
  app.use(onlyFrom(addressFilter(access)));
  app.use(refuseWebPages);
  app.use(withoutPrefix);
  app.use(onlyRoutesOf(router));
  app.use(router.routes());
  return app;
}

/**
 * Whether a peer may ask at all, by the settings as they are now. The server asks the same for each connection.
 * @returns a predicate on a socket's remoteAddress
 */
export function addressFilter(access: () => Access): (remoteAddress: string | undefined) => boolean {
  const list = remembered((entries) => new AddressAllowList(entries));
  return (remoteAddress) => {
    const { allowedAddresses } = access();
    return allowedAddresses === undefined || list(allowedAddresses).allows(plainAddress(remoteAddress));
  };
}

function onlyFrom(admits: (remoteAddress: string | undefined) => boolean): Middleware {
  return async (ctx, next) => {
    const { remoteAddress } = ctx.req.socket;
    if (!admits(remoteAddress)) {
      throw new SignerError("address-not-allowed", `${plainAddress(remoteAddress)} is not among allowedAddresses`);
    }
    await next();
  };
}

/**
 * A browser on an allowed machine sends whatever any web page asks it to; with each such POST it sends Origin, which
 * no client of a signer does.
 */
const refuseWebPages: Middleware = async (ctx, next) => {
  if (ctx.req.headers.origin !== undefined) {
    throw new SignerError("origin-not-allowed", "the request carries an Origin header");
  }
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
