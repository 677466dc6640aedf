import type { IncomingMessage } from "node:http";
import { clientAddress, type Firewall, type Policies } from "./access.ts";
import * as refuse from "./errors.ts";
import { revocation } from "./replies.ts";
import { type Route, route } from "./routes.ts";
import type { Throttle } from "./throttle.ts";
import { type Claims, callerOf, TENANT, type TokenAuthority, VAULT_AUDIENCE } from "./tokens.ts";

/** Data-plane versions that the service is known to have. */
const API_VERSIONS = ["7.0", "7.1", "7.2", "7.3", "7.4", "7.5", "7.6", "2025-07-01"];
const KEY_NAME = /^[0-9a-zA-Z-]{1,127}$/;

export interface Admitted {
  readonly found: Route;
  readonly claims: Claims;
  readonly query: URLSearchParams;
}

/** What a request must pass before it does anything, in the service's order: token, firewall, version, policy. */
export class Gate {
  readonly #url: string;
  readonly #vault: string;
  readonly #tokens: TokenAuthority;
  readonly #firewall: Firewall;
  readonly #policies: Policies;
  readonly #throttle: Throttle;

  /** @param vault the vault as error texts name it */
  constructor(
    url: string,
    vault: string,
    checks: { tokens: TokenAuthority; firewall: Firewall; policies: Policies; throttle: Throttle },
  ) {
    this.#url = url;
    this.#vault = vault;
    this.#tokens = checks.tokens;
    this.#firewall = checks.firewall;
    this.#policies = checks.policies;
    this.#throttle = checks.throttle;
  }

  /** Checks token and path. */
  admit(request: IncomingMessage): Admitted {
    const url = new URL(request.url ?? "/", this.#url);
    const claims = this.#authenticate(request.headers.authorization);
    const found = route(request.method ?? "", url.pathname);
    if (found === undefined) throw new refuse.VaultRefusal(404, "NotFound", "No such operation");
    return { found, claims, query: url.searchParams };
  }

  /** Checks firewall, API version, name and policy. */
  permit({ found, claims, query }: Admitted, request: IncomingMessage): void {
    const address = clientAddress(request.socket.remoteAddress);
    if (!this.#firewall.admits(address)) throw refuse.forbiddenByFirewall(address, callerOf(claims), this.#vault);
    const version = query.get("api-version");
    if (version === null) throw refuse.badParameter("api-version must be specified");
    if (!API_VERSIONS.includes(version)) {
      throw refuse.badParameter(
        `The specified version (${version}) is not recognized. Consider using the latest supported version (${API_VERSIONS.at(-1)}).`,
      );
    }
    if (found.name !== "" && !KEY_NAME.test(found.name)) {
      throw refuse.badParameter(`The request URI contains an invalid name: ${found.name}`);
    }
    if (!this.#policies.allows(claims.oid, found.permission)) {
      throw refuse.forbiddenByPolicy(found.permission, callerOf(claims), this.#vault);
    }
  }

  #authenticate(authorization: string | undefined): Claims {
    const deny = (message: string, extra = "") => refuse.unauthorized(message, TENANT, extra);
    const token = /^Bearer (.+)$/.exec(authorization ?? "")?.[1];
    if (token === undefined) throw deny("AKV10000: Request is missing a Bearer or PoP token.");
    const claims = this.#tokens.check(token, VAULT_AUDIENCE);
    if (claims === "expired") throw deny("AKV10001: Token has expired.", ', error="invalid_token"');
    if (claims === "malformed") throw deny("AKV10046: Unable to resolve the key used for signature validation.");
    if (claims === "revoked") throw deny("AKV10005: The token has been revoked.", revocation());
    if ("audience" in claims) {
      throw deny(`AKV10022: Invalid audience. Expected ${VAULT_AUDIENCE}, found: ${claims.audience}.`);
    }
    return claims;
  }

  /** Counts the operation against the vault's limits. @param kty of the key that is made or used; "" for lists */
  meter(found: Route, kty: string): void {
    const hsm = kty.endsWith("HSM");
    const creates = found.operation === "create";
    const bucket = creates ? (hsm ? "hsmCreate" : "softwareCreate") : hsm ? "hsm" : "software";
    if (!this.#throttle.admits(bucket)) throw refuse.throttled();
  }
}
