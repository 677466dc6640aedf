import { BlockList, isIP } from "node:net";

/** Hosts that plain HTTP may lead to: this computer; a private network besides; any; or none. */
export type PlainHttp = "loopback" | "private" | "any" | "never";

/** What the URL of a service may have, besides scheme, host and port. */
export interface ServiceUrlForm {
  readonly plainHttp: PlainHttp;
  /** Whether the service may lie below a path of its host. */
  readonly path: "taken" | "refused";
  /** A query, where that is what lets one in; refused unless this is said. */
  readonly query?: "taken";
}

/**
 * Reads the URL of a service, for settings and command lines alike: https, or plain HTTP where the form allows its host.
 * Most that use a URL would drop a query, and a user's password would be repeated by whatever fails later.
 * @returns the URL, or which part of the text is not taken; that repeats nothing of the text
 */
export function readServiceUrl(text: string, form: ServiceUrlForm): URL | { readonly fault: string } {
  const url = URL.parse(text);
  const fault = faultOf(text, url, form);
  if (fault !== undefined) return { fault };
  return url ?? { fault: "it is no URL" };
}

function faultOf(text: string, url: URL | null, { plainHttp, path, query }: ServiceUrlForm): string | undefined {
  // What URL itself skips in silence.
  if (/[\s\p{C}\\]/u.test(text)) return "it has a blank, a backslash or a character that is not printed";
  if (/^https?:\/*[^/?#]*@/i.test(text)) return "it has a user or a password, which are not taken";
  if (url === null || !["https:", "http:"].includes(url.protocol)) return "it is no URL that begins with https://";
  if (text.includes("#")) return "it has a part after #, which is not taken";
  if (query !== "taken" && text.includes("?")) return "it has a query (?), which is not taken";
  if (path === "refused" && url.pathname !== "/") return "it has a path, which is not taken";
  return url.protocol === "https:" ? undefined : faultOfPlainHttp(url.hostname, plainHttp);
}

function faultOfPlainHttp(hostname: string, plainHttp: PlainHttp): string | undefined {
  if (plainHttp === "never") return "it must begin with https://";
  if (plainHttp === "any" || isLoopback(hostname) || (plainHttp === "private" && isPrivate(hostname))) return undefined;
  return plainHttp === "private"
    ? "http: is for a private or loopback address only"
    : "http: is for a loopback address only";
}

/** Returns the port that a URL of http or https leads to. */
export function portOf({ port, protocol }: URL): number {
  return port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
}

const LOOPBACK = listOf(["127.0.0.0", 8], ["::1", 128]);
/** RFC 1918 and RFC 4193. */
const PRIVATE = listOf(["10.0.0.0", 8], ["172.16.0.0", 12], ["192.168.0.0", 16], ["fc00::", 7]);

function listOf(...ranges: readonly (readonly [address: string, prefix: number])[]): BlockList {
  const list = new BlockList();
  for (const [address, prefix] of ranges) list.addSubnet(address, prefix, address.includes(":") ? "ipv6" : "ipv4");
  return list;
}

/** Tells whether a URL's host is this computer: `localhost`, 127.0.0.0/8 or `[::1]`. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || isIn(LOOPBACK, hostname);
}

/** Whether a URL's host is an address of a private network. */
function isPrivate(hostname: string): boolean {
  return isIn(PRIVATE, hostname);
}

/** An IPv4 address within an IPv6 one (`[::ffff:10.0.0.5]`) counts as itself. */
function isIn(list: BlockList, hostname: string): boolean {
  const address = hostname.replace(/^\[(.*)\]$/, "$1");
  const version = isIP(address);
  return version !== 0 && list.check(address, version === 6 ? "ipv6" : "ipv4");
}
