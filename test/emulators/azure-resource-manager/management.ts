import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Subscription } from "./subscription.ts";

/**
 * The part of https://management.azure.com that a program asks by itself, for whoever has a token of this fake Azure:
 * what compute there is. `management-endpoint.ts` leads requests here.
 */
export class Management {
  readonly #server: Server;
  readonly port: number;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  static async start(cloud: Subscription): Promise<Management> {
    const server = createServer((request, response) => {
      const { status, body } = answer(cloud, request);
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const management = new Management(server);
    cloud.managementToken = `fake-azure-${management.port}`;
    return management;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

function answer(cloud: Subscription, { url = "", headers }: IncomingMessage): Answer {
  const { pathname, searchParams } = new URL(url, "https://management.azure.com");
  if (headers.authorization !== `Bearer ${cloud.managementToken}`) return refused(401, "InvalidAuthenticationToken");
  if (!searchParams.has("api-version")) return refused(400, "MissingApiVersionParameter");
  if (pathname === cloud.subscription) {
    return { status: 200, body: { subscriptionId: cloud.subscription.split("/")[2], state: cloud.state } };
  }
  if (pathname.startsWith(`${cloud.subscription}/resourceGroups/`)) {
    if (!cloud.deployer.readsCompute) return refused(403, "AuthorizationFailed");
    const resource = cloud.get(pathname);
    return resource === undefined ? refused(404, "ResourceNotFound") : { status: 200, body: { id: resource.id } };
  }
  const compute = `${cloud.subscription}/providers/Microsoft.Compute/`;
  if (!pathname.startsWith(compute)) return refused(404, "InvalidResourceType");
  if (!cloud.deployer.readsCompute) return refused(403, "AuthorizationFailed");
  const path = pathname.slice(compute.length);
  const machines = [...cloud.resources.values()];
  if (path === "skus") {
    const location = /^location eq '(\w+)'$/.exec(searchParams.get("$filter") ?? "")?.[1];
    return { status: 200, body: { value: cloud.offer.skus(location ?? "everywhere", cloud.refusedSizes) } };
  }
  if (/^locations\/\w+\/usages$/.test(path)) return { status: 200, body: { value: cloud.offer.usages(machines) } };
  const image =
    /^locations\/\w+\/publishers\/([^/]+)\/artifacttypes\/vmimage\/offers\/([^/]+)\/skus\/([^/]+)\/versions(?:\/(.+))?$/;
  const [, publisher = "", offer = "", sku = "", version] = image.exec(path) ?? [];
  const found = cloud.offer.image(publisher, offer, sku);
  if (version === undefined) return { status: 200, body: found === undefined ? [] : [{ name: "24.04.202611010" }] };
  return found === undefined ? refused(404, "ImageNotFound") : { status: 200, body: { properties: found } };
}

function refused(status: number, code: string): Answer {
  return { status, body: { error: { code, message: `Refused with ${code}.` } } };
}
