import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import type { Middleware } from "koa";
import { SignerError } from "../errors.ts";

/**
 * Keeps web pages out. A browser on an allowed machine sends whatever any page asks it to, and no client of a signer is a
 * browser. Each rule stands alone, since a proxy in front may take a header away.
 * @module
 */

/** `NAME`, `IPv4` or `[IPv6]`, with or without a port; a zone (`[fe80::1%eth0]`) is of the client's own computer. */
const HOST = /^(?:\[(?<ipv6>[^\]%]+)(?:%[^\]]*)?\]|(?<name>[^:[\]]+))(?::\d*)?$/;

/** Types of a body that a page may send to anywhere without asking first (Fetch standard, "CORS-safelisted request-header"). */
const SIMPLE = /^(?:text\/plain|application\/x-www-form-urlencoded|multipart\/form-data)$/;

/**
 * Makes the middleware of a port that people look at. A page whose name was made to lead to this computer (DNS rebinding) counts as this port's own, and
 * its browser sends no Origin with a GET: only Host tells, and behind a proxy what the proxy says that Host was. An address
 * in Host cannot have been made to lead elsewhere.
 * @param names by which the port may be asked, besides localhost and IP addresses
 * @param setting that lists them
 * @throws SignerError `host-not-allowed` or `origin-not-allowed`
 */
export function onlyKnownHosts(names: readonly string[], setting: "admin.names" | "metrics.names"): Middleware {
  const known = new Set(["localhost", ...names.map((name) => name.toLowerCase())]);
  return async ({ req }, next) => {
    for (const host of [hostOf(req), ...forwardedHosts(req)]) {
      if (host === undefined || isIP(host) !== 0 || known.has(host)) continue;
      throw new SignerError("host-not-allowed", `ask by an IP address or localhost, or name the host in ${setting}`);
    }
    await next();
  };
}

/** Returns Host as nameOf does; undefined in HTTP/1.0 without one, which no browser speaks. */
function hostOf({ headers: { host }, httpVersion }: IncomingMessage): string | undefined {
  if (host === undefined) return httpVersion === "1.0" ? undefined : "";
  return nameOf(host);
}

/** Returns what the proxies in front were asked by, as far as they tell (RFC 7239, and the header from before it). */
function forwardedHosts({ headers: { forwarded = "", "x-forwarded-host": before = "" } }: IncomingMessage): string[] {
  const hosts = [...forwarded.matchAll(/\bhost="?([^";,]*)/gi)].map(([, host = ""]) => host);
  return [...hosts, ...String(before).split(",")]
    .map((host) => host.trim())
    .filter(Boolean)
    .map(nameOf);
}

/** Returns a Host without its port, in lower case; empty where there is none to be read. */
function nameOf(host: string): string {
  const { ipv6, name } = HOST.exec(host)?.groups ?? {};
  if (ipv6 !== undefined) return isIP(ipv6) === 6 ? ipv6 : "";
  return name?.toLowerCase().replace(/\.$/, "") ?? "";
}

/**
 * Makes the middleware that keeps pages of other sites out.
 * @throws SignerError `origin-not-allowed` for what a page of another site sends; one that came from this port may look
 * at it
 */
export const refuseOtherSites: Middleware = async ({ req }, next) => {
  const { origin, host, "sec-fetch-site": site } = req.headers;
  if (origin !== undefined && URL.parse(origin)?.host !== host)
    refuse("the request carries another site's Origin header");
  if (site !== undefined && site !== "none" && site !== "same-origin") refuse("Sec-Fetch-Site says that a page asks");
  await next();
};

/**
 * Refuses what any page sends, on a port that has none of its own. A rebound page counts as its own, so `same-origin` is
 * refused as well. Browsers send Sec-Fetch-Site to https and to this computer alone: elsewhere the body's type tells. octez,
 * Taquito and tzgo say that it is JSON, which a page of another site cannot without asking first; a rebound one can, and
 * every browser calls itself Mozilla.
 * @throws SignerError `origin-not-allowed`
 */
export const refuseWebPages: Middleware = async ({ req, method }, next) => {
  const { origin, "sec-fetch-site": site, "content-type": type, "user-agent": program } = req.headers;
  if (origin !== undefined) refuse("the request carries an Origin header");
  if (site !== undefined && site !== "none") refuse("Sec-Fetch-Site says that a page asks");
  if (method === "POST" && type !== undefined && SIMPLE.test(essenceOf(type))) {
    refuse("send the body as Content-Type: application/json");
  }
  if (method === "POST" && program?.startsWith("Mozilla/")) refuse("User-Agent says that a browser asks");
  await next();
};

function essenceOf(type: string): string {
  return (type.split(";")[0] ?? "").trim().toLowerCase();
}

function refuse(detail: string): never {
  throw new SignerError("origin-not-allowed", detail);
}
