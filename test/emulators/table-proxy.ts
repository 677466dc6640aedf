import type { IncomingMessage, ServerResponse } from "node:http";
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
  /** Nothing is passed on and nothing is answered. */
  | "silence"
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
    if (typeof fault === "object") await ("once" in fault ? fault.once : sleep(fault.delay));
    pass(incoming, outgoing, fault === "lost-answer");
  });

  function pass(incoming: IncomingMessage, outgoing: ServerResponse, loseAnswer: boolean): void {
    const { method, url: path, headers } = incoming;
    const onward = requestHttps({ host: "127.0.0.1", port: azurite.port, method, path, headers, agent });
    onward.on("response", (response) => {
      if (loseAnswer) {
        response.resume();
        response.on("end", () => incoming.socket.destroy());
        return;
      }
      outgoing.writeHead(response.statusCode ?? 0, response.headers);
      response.pipe(outgoing);
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

/** The service's own form of an error. */
function answer(outgoing: ServerResponse, status: number, code: string): void {
  const body = JSON.stringify({ "odata.error": { code, message: { lang: "en-US", value: code } } });
  outgoing.writeHead(status, { "content-type": "application/json;odata=minimalmetadata", "x-ms-error-code": code });
  outgoing.end(body);
}
