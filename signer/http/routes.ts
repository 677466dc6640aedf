import Router from "@koa/router";
import type { Context } from "koa";
import { SignerError } from "../errors.ts";
import type { RemoteSigner } from "../signing/signing-service.ts";
import { decode, EncodingError } from "../tezos/crypto/base58.ts";
import { type Access, remembered } from "./access.ts";
import { plainAddress } from "./address-allow-list.ts";
import { authenticate, authorizedAddresses } from "./authentication.ts";
import { readPayload } from "./body.ts";
import { answerJson } from "./send-json.ts";

/** The contract that octez-client and Taquito speak: octez src/lib_signer_services/signer_services.ml. */
export function routes(signer: RemoteSigner, access: () => Access): Router {
  const router = new Router({ sensitive: true, strict: true });
  const authorized = remembered(authorizedAddresses);

  router.get("/authorized_keys", (ctx) => {
    const { authorizedKeys = [], needsAuthentication = () => true } = access();
    // Where no key here wants it, a client without an authorized key must not be turned away.
    const served = signer.addresses();
    const isWanted = served.length === 0 || served.some(needsAuthentication);
    const addresses = authorized(isWanted ? authorizedKeys : []);
    // Never an empty list: with [] octez insists on authentication and finds no key for it; {} means none is needed.
    answerJson(ctx, 200, addresses.length === 0 ? {} : { authorized_keys: addresses });
  });

  router.get("/known_keys", (ctx) => {
    if (!access().listKnownKeys) {
      throw new SignerError("listing-not-allowed", "listKnownKeys in the signer's settings allows it");
    }
    answerJson(ctx, 200, { known_keys: signer.addresses() });
  });

  router.get("/keys/:pkh", (ctx) => {
    const address = parseAddress(ctx.params.pkh);
    const publicKey = signer.publicKey(address);
    if (publicKey === undefined) throw new SignerError("unknown-key", address);
    answerJson(ctx, 200, { public_key: publicKey });
  });

  router.post("/keys/:pkh", async (ctx) => {
    const address = parseAddress(ctx.params.pkh);
    const { authentication } = parseQuery(ctx.querystring);
    const { authorizedKeys: all, needsAuthentication = () => true } = access();
    const authorizedKeys = needsAuthentication(address) ? all : undefined;
    if (authorizedKeys !== undefined && authentication === undefined) {
      throw new SignerError("authentication-missing", "GET /authorized_keys names the keys");
    }
    const payload = await readPayload(ctx.req);
    if (authorizedKeys !== undefined && authentication !== undefined) {
      authenticate(authorizedKeys, authentication, address, payload);
    }
    answerJson(ctx, 200, { signature: await sign(ctx, address, payload) });
  });

  router.get("/bls_prove_possession/:pkh", () => {
    throw new SignerError("proof-of-possession", "use a tz2 or tz3 key");
  });

  return router;

  /** A client that hangs up is told to the signer, and changes nothing else. */
  async function sign(ctx: Context, address: string, payload: Uint8Array): Promise<string> {
    const { socket } = ctx.req;
    const gone = new AbortController();
    const hungUp = () => gone.abort();
    socket.once("close", hungUp);
    if (socket.destroyed) hungUp();
    ctx.state.asked = true; // from here on the pipeline logs what it decides
    try {
      return await signer.sign(address, payload, { address: plainAddress(socket.remoteAddress), gone: gone.signal });
    } finally {
      socket.off("close", hungUp);
    }
  }
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
 * `version` chooses a BLS scheme (0 to 3 in octez src/lib_crypto/signature.ml); it means nothing to ECDSA keys and
 * never changes how a payload is read.
 */
function parseQuery(text: string): { authentication?: string } {
  const query = new URLSearchParams(text);
  const version = single(query, "version");
  if (version !== undefined && !/^[0-3]$/.test(version)) {
    throw new SignerError("malformed-request", "the parameter version must be 0, 1, 2 or 3");
  }
  const authentication = single(query, "authentication");
  return authentication === undefined ? {} : { authentication };
}

function single(query: URLSearchParams, name: string): string | undefined {
  const values = query.getAll(name);
  if (values.length > 1) throw new SignerError("malformed-request", `the parameter ${name} is given twice`);
  return values[0];
}
