/**
 * Leads what a process asks of the Internet to the network that a test plays, whose port is in PLAYED_NETWORK: vaults and
 * accounts answer as to a stranger, and no port of a machine answers at all.
 * @module
 */
import { EventEmitter } from "node:events";
import { syncBuiltinESMExports } from "node:module";
import net from "node:net";

const real = globalThis.fetch;

globalThis.fetch = (input, init) => {
  const url = input instanceof Request ? input.url : String(input);
  if (url.startsWith("https://api.ipify.org")) return Promise.resolve(new Response("198.51.100.9"));
  if (!/^https:\/\/[^/]+\.(?:vault\.azure|blob\.core\.windows)\.net\//.test(url)) return real(input, init);
  return real(`http://127.0.0.1:${process.env.PLAYED_NETWORK}/from-here?url=${encodeURIComponent(url)}`, init);
};

const connect = net.connect;

net.connect = ((...args: Parameters<typeof connect>) => {
  const [where] = args as unknown as [{ readonly host?: string }];
  if (typeof where !== "object" || where.host === undefined || where.host === "127.0.0.1") return connect(...args);
  const silent = Object.assign(new EventEmitter(), { destroy: () => silent });
  setImmediate(() => silent.emit("timeout"));
  return silent;
}) as typeof connect;
syncBuiltinESMExports();
