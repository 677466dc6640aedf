import type { Socket } from "node:net";
import { authorizedAddresses, authorizedKeysFor, requireAuthenticated } from "../admission/authentication.ts";
import { SignerError } from "../errors.ts";
import type { RemoteSigner } from "../signing/remote-signer.ts";
import { signingCall } from "../signing/request-context.ts";
import { decode, EncodingError } from "../tezos/crypto/base58.ts";
import { readPayload } from "./body.ts";
import type { RequestState } from "./outcomes.ts";
import { Router } from "./router.ts";
import { sendJson } from "./send-json.ts";

/** Makes the routes that octez-client and Taquito ask for: octez src/lib_signer_services/signer_services.ml. */
export function routes(signer: RemoteSigner): Router<RequestState> {
  const router = new Router<RequestState>({ sensitive: true, strict: true });

  router.get("/authorized_keys", (ctx) => {
    const { settings } = ctx.state.request;
    // Where no key here wants it, a client without an authorized key must not be turned away.
    const served = signer.addresses();
    const isWanted =
      served.length === 0 || served.some((address) => authorizedKeysFor(settings, address) !== undefined);
    const keys = isWanted ? settings.authentication?.keys : undefined;
    // Never an empty list: with [] octez insists on authentication and finds no key for it; {} means none is needed.
    sendJson(ctx, 200, keys === undefined || keys.length === 0 ? {} : { authorized_keys: authorizedAddresses(keys) });
  });

  router.get("/known_keys", (ctx) => {
    if (!ctx.state.request.settings.listKnownKeys) {
      throw new SignerError("listing-not-allowed", "listKnownKeys in the signer's settings allows it");
    }
    sendJson(ctx, 200, { known_keys: signer.addresses() });
  });

  router.get("/keys/:pkh", (ctx) => {
    const address = parseAddress(ctx.params.pkh);
    sendJson(ctx, 200, { public_key: signer.publicKey(address) });
  });

  router.post("/keys/:pkh", async (ctx) => {
    const { request } = ctx.state;
    const address = parseAddress(ctx.params.pkh);
    const { authentication } = parseQuery(ctx.querystring);
    requireAuthenticated(request.settings, authentication, address);
    const payload = await readPayload(ctx.req);
    requireAuthenticated(request.settings, authentication, address, payload);
    // A client that hangs up is told to the signer, and changes nothing else.
    using hangUp = watchHangUp(ctx.req.socket);
    request.signing = signingCall(request, { address, payload, authentication, gone: hangUp.signal });
    sendJson(ctx, 200, { signature: await signer.sign(request.signing) });
  });

  router.get("/bls_prove_possession/:pkh", () => {
    throw new SignerError("proof-of-possession", "use a tz2 or tz3 key");
  });

  return router;
}

/** Watches a connection until disposed of. @returns a signal that ends when the client hangs up before that */
function watchHangUp(socket: Socket): Disposable & { readonly signal: AbortSignal } {
  const gone = new AbortController();
  const hungUp = () => gone.abort();
  socket.once("close", hungUp);
  if (socket.destroyed) hungUp();
  return { signal: gone.signal, [Symbol.dispose]: () => void socket.off("close", hungUp) };
}

function parseAddress(text: string | undefined): string {
  try {
    decode(text ?? "", "tz1", "tz2", "tz3", "tz4");
  } catch (error) {
    if (error instanceof EncodingError) throw new SignerError("malformed-request", `the address: ${error.message}`);
    throw error;
  }
  return text ?? "";
}

/**
 * Query of POST /keys/…; parameters of other names are ignored.
 * `version` chooses a BLS scheme (0 to 3 in octez src/lib_crypto/signature.ml, and more to come); it means nothing to ECDSA
 * keys and never changes how a payload is read, so any number passes: a newer octez must not stop a baker.
 */
function parseQuery(text: string): { authentication?: string } {
  const query = new URLSearchParams(text);
  const version = single(query, "version");
  if (version !== undefined && !/^\d+$/.test(version)) {
    throw new SignerError("malformed-request", "the parameter version must be a number, such as 3");
  }
  const authentication = single(query, "authentication");
  return authentication === undefined ? {} : { authentication };
}

function single(query: URLSearchParams, name: string): string | undefined {
  const values = query.getAll(name);
  if (values.length > 1) throw new SignerError("malformed-request", `the parameter ${name} is given twice`);
  return values[0];
}
