import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { Agent, createServer, request as requestHttps } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Azurite } from "./azurite.ts";

/** What the proxy does to one request. */
export type ProxyFault =
  /** Milliseconds before the request goes on. */
  | { readonly delay: number }
  /** The request goes on once this has happened. */
  | { readonly once: Promise<unknown> }
  /** The connection is reset, the request not passed on. */
  | "reset"
  /** The request is done and its answer lost: the connection is reset. */
  | "lost-answer"
  /** The request is done and never answered. */
  | "silence-afterwards"
  /** Nothing is passed on and nothing is answered. */
  | "silence"
  /** The answer comes without any version of the row: neither the header ETag nor `odata.etag`. */
  | "without-etag"
  /** A read of a row is answered with the first state of it that passed here. */
  | "stale"
  /** As the firewall or a missing role answers. */
  | "forbidden"
  | "busy";

export interface TableProxy extends AsyncDisposable {
  readonly endpoint: string;
  /** Asked for each request; undefined passes it on. */
  fault: (request: { readonly method: string; readonly path: string }) => ProxyFault | undefined;
  /** Requests that arrived. */
  readonly count: number;
}

/** A proxy over HTTPS in front of Azurite that does what a network and a table service do on their bad days. */
export async function tableProxy(azurite: Azurite): Promise<TableProxy> {
  let count = 0;
  const proxy = { fault: (): ProxyFault | undefined => undefined };
  const agent = new Agent({ keepAlive: true, ca: azurite.ca });
  const server = createServer(azurite.certificate, async (incoming, outgoing) => {
    count += 1;
    const fault = self.fault({ method: incoming.method ?? "", path: incoming.url ?? "" });
    if (fault === "silence") return;
    if (fault === "reset") return void incoming.socket.destroy();
    if (fault === "forbidden") return answer(outgoing, 403, "AuthorizationPermissionMismatch");
    if (fault === "busy") return answer(outgoing, 503, "ServerBusy");
    const old = earliest.get(incoming.url ?? "");
    if (fault === "stale" && old !== undefined) return void outgoing.writeHead(200, old.headers).end(old.body);
    if (typeof fault === "object") await ("once" in fault ? fault.once : sleep(fault.delay));
    pass(incoming, outgoing, fault);
  });

  /** The first answer to each read. */
  const earliest = new Map<string, { readonly headers: IncomingHttpHeaders; readonly body: Buffer }>();
  function keep(path: string, response: IncomingMessage): void {
    if (earliest.has(path)) return;
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("end", () => earliest.set(path, { headers: response.headers, body: Buffer.concat(chunks) }));
  }

  function pass(incoming: IncomingMessage, outgoing: ServerResponse, fault: ProxyFault | undefined): void {
    const { method, url: path, headers } = incoming;
    const onward = requestHttps({ host: "127.0.0.1", port: azurite.port, method, path, headers, agent });
    onward.on("response", (response) => {
      if (fault === "without-etag") return void passWithoutEtag(response, outgoing);
      if (fault === "lost-answer") {
        response.resume();
        response.on("end", () => incoming.socket.destroy());
        return;
      }
      if (fault === "silence-afterwards") {
        response.resume();
        return;
      }
      outgoing.writeHead(response.statusCode ?? 0, response.headers);
      response.pipe(outgoing);
      if (method === "GET" && response.statusCode === 200) keep(path ?? "", response);
    });
    onward.on("error", () => incoming.socket.destroy());
    incoming.pipe(onward);
  }

  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  const self: TableProxy = {
    ...proxy,
    endpoint: `https://127.0.0.1:${port}/devstoreaccount1`,
    get count() {
      return count;
    },
    async [Symbol.asyncDispose]() {
      agent.destroy();
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
  return self;
}

async function passWithoutEtag(response: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const text = (await response.setEncoding("utf8").toArray()).join("");
  const body = text.replace(/"odata.etag":"(?:[^"\\]|\\.)*",?/, "");
  const { etag: _, "content-length": __, "transfer-encoding": ___, ...headers } = response.headers;
  outgoing.writeHead(response.statusCode ?? 0, headers).end(body);
}

/** The service's own form of an error. */
function answer(outgoing: ServerResponse, status: number, code: string): void {
  const body = JSON.stringify({ "odata.error": { code, message: { lang: "en-US", value: code } } });
  outgoing.writeHead(status, { "content-type": "application/json;odata=minimalmetadata", "x-ms-error-code": code });
  outgoing.end(body);
}
