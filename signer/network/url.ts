import { isIPv4 } from "node:net";

/** Hosts that plain HTTP may lead to: this computer; a private network besides; or none. */
export type PlainHttp = "loopback" | "private" | "never";

/**
 * Reads the URL of a service: https, or plain HTTP where `plainHttp` allows its host.
 * @returns undefined for any other text
 */
export function parseServiceUrl(text: string, plainHttp: PlainHttp): URL | undefined {
  const url = URL.parse(text);
  if (url?.protocol === "https:") return url;
  if (url?.protocol !== "http:" || plainHttp === "never") return undefined;
  return isLoopback(url.hostname) || (plainHttp === "private" && isPrivate(url.hostname)) ? url : undefined;
}

/** Whether a URL's host is this computer: `localhost`, 127.0.0.0/8 or `[::1]`. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || (isIPv4(hostname) && hostname.startsWith("127."));
}

/** RFC 1918. */
const PRIVATE = /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)/;

/** Whether a URL's host is an IPv4 address of a private network. */
function isPrivate(hostname: string): boolean {
  return isIPv4(hostname) && PRIVATE.test(hostname);
}
