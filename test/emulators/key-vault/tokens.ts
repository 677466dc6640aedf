import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";

export const TENANT = "b2a7f3c0-5d1e-4c6a-9f0b-3e8d7c6b5a49";
export const VAULT_AUDIENCE = "https://vault.azure.net";

/** Services whose tokens are for the resource just as it was asked for, with its slash or without. */
const AS_ASKED: ReadonlySet<string> = new Set(["https://monitoring.azure.com/"]);

/** Who a token speaks for. */
export interface Identity {
  /** The managed identity's client id (`appid` of the token). */
  readonly clientId: string;
  /** Its principal id (`oid` of the token), which access policies name. */
  readonly objectId: string;
}

export interface Claims {
  readonly aud: string;
  readonly iss: string;
  readonly tid: string;
  readonly appid: string;
  readonly oid: string;
  readonly iat: number;
  readonly nbf: number;
  readonly exp: number;
  /** Token id: two tokens of one second still differ. */
  readonly uti: string;
}

export type TokenFault = "malformed" | "expired" | "revoked" | { readonly audience: string };

/**
 * The emulated Entra tenant: issues access tokens and says whether one is good. Tokens are JWTs signed by HMAC with a
 * secret that processes may share; revocation is known to the process that revokes.
 */
export class TokenAuthority {
  readonly #secret: string;
  readonly #revoked = new Set<string>();

  constructor(secret = "emulated tenant") {
    this.#secret = secret;
  }

  /** @param lifetime seconds until the token expires */
  issue(identity: Identity, resource: string, lifetime: number): { token: string; claims: Claims } {
    const now = Math.floor(Date.now() / 1000);
    const claims: Claims = {
      aud: AS_ASKED.has(resource) ? resource : resource.replace(/\/$/, ""),
      iss: `https://sts.windows.net/${TENANT}/`,
      tid: TENANT,
      appid: identity.clientId,
      oid: identity.objectId,
      iat: now,
      nbf: now,
      exp: now + lifetime,
      uti: randomUUID(),
    };
    const content = [{ typ: "JWT", alg: "HS256" }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
      .join(".");
    return { token: `${content}.${this.#sign(content)}`, claims };
  }

  /** The claims of a good token, or what is wrong with it. */
  check(token: string, audience: string): Claims | TokenFault {
    const [header, payload, signature] = token.split(".");
    if (header === undefined || payload === undefined || signature === undefined) return "malformed";
    const expected = Buffer.from(this.#sign(`${header}.${payload}`));
    const given = Buffer.from(signature);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return "malformed";
    const claims: Claims = JSON.parse(Buffer.from(payload, "base64url").toString());
    if (claims.aud !== audience) return { audience: claims.aud };
    if (claims.exp <= Date.now() / 1000) return "expired";
    if (this.#revoked.has(claims.uti)) return "revoked";
    return claims;
  }

  /** Makes one token worthless. */
  revoke(token: string): void {
    const claims: Claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    this.#revoked.add(claims.uti);
  }

  /** Makes every token of `issued` worthless that was issued so far. */
  revokeAll(issued: Iterable<string>): void {
    for (const token of issued) this.revoke(token);
  }

  #sign(content: string): string {
    return createHmac("sha256", this.#secret).update(content).digest("base64url");
  }
}

/** How the service names a caller in its error texts. */
export const callerOf = (claims: Claims) => `appid=${claims.appid};oid=${claims.oid};iss=${claims.iss}`;
