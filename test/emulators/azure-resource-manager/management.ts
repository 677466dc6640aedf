import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { accountAnswer } from "./account-answers.ts";
import { stackAnswer } from "./stack-answers.ts";
import type { Subscription } from "./subscription.ts";

/**
 * The part of https://management.azure.com that a program asks by itself, for whoever has a token of this fake Azure: what
 * compute there is, and what Azure says of the subscription. `management-endpoint.ts` leads requests here.
 */
export class Management {
  readonly #server: Server;
  readonly port: number;
  /** What was asked, in order: method and path. */
  readonly asked: string[] = [];
  /** Is told each as it comes. */
  onAsked: (line: string) => void = () => undefined;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  static async start(cloud: Subscription): Promise<Management> {
    const server = createServer((request, response) => void respond(cloud, request, response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const management = new Management(server);
    server.on("request", ({ method, url }) => {
      const line = `${method} ${url?.split("?")[0]}`;
      management.asked.push(line);
      management.onAsked(line);
    });
    cloud.managementToken = `fake-azure-${management.port}`;
    return management;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

async function respond(cloud: Subscription, request: IncomingMessage, response: ServerResponse): Promise<void> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk;
  const { pathname, searchParams } = new URL(request.url ?? "", "https://management.azure.com");
  const fault = cloud.account.faults.find(
    ({ path, method, times = 1 }) => times > 0 && path.test(pathname) && (method ?? request.method) === request.method,
  );
  if (fault?.times !== undefined) fault.times -= 1;
  if (fault?.silent) return;
  if (fault !== undefined) {
    const headers = { "content-type": "application/json", ...fault.headers };
    response.writeHead(fault.status ?? 200, headers).end(fault.body ?? "");
    return;
  }
  if (request.headers.authorization === `Bearer ${cloud.managementToken}`) {
    const own = await stackAnswer(cloud, request.method ?? "", request.url ?? "", text);
    if (own !== undefined) {
      const headers = { "content-type": "application/json", ...own.headers };
      response.writeHead(own.status, headers).end(own.body === undefined ? "" : JSON.stringify(own.body));
      return;
    }
  }
  const { status, body, location } = answer(cloud, request, text);
  const skip = Number(searchParams.get("$skiptoken") ?? 0);
  const shown = paged(body, skip, cloud.account.pageSize, request.url ?? "");
  response.writeHead(status, { "content-type": "application/json", ...(location && { location }) });
  response.end(JSON.stringify(shown));
}

/** A list in pages, each with the address of the next one, as Azure gives them. */
function paged(body: unknown, skip: number, size: number, url: string): unknown {
  const { value } = (body ?? {}) as { value?: unknown };
  if (!Array.isArray(value) || value.length <= size) return body;
  const page = value.slice(skip, skip + size);
  if (skip + size >= value.length) return { value: page };
  const next = `https://management.azure.com${url.replace(/&\$skiptoken=\d+/, "")}&$skiptoken=${skip + size}`;
  return { value: page, nextLink: next };
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly location?: string;
}

function answer(cloud: Subscription, { url = "", headers, method = "GET" }: IncomingMessage, text: string): Answer {
  const { pathname, searchParams } = new URL(url, "https://management.azure.com");
  if (headers.authorization !== `Bearer ${cloud.managementToken}`) {
    const isAnEarlierOne = headers.authorization?.startsWith("Bearer fake-azure-");
    return refused(401, isAnEarlierOne ? "ExpiredAuthenticationToken" : "InvalidAuthenticationToken");
  }
  if (!searchParams.has("api-version")) return refused(400, "MissingApiVersionParameter");
  if (!`${pathname}/`.toLowerCase().startsWith(`${cloud.subscription}/`.toLowerCase())) {
    return refused(404, "SubscriptionNotFound");
  }
  const own = accountAnswer(cloud, method, pathname, searchParams.get("api-version") ?? "", text);
  if (own !== undefined) return own;
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
  if (found === undefined) return refused(404, "ImageNotFound");
  const { imagePlan: plan } = cloud.account;
  return { status: 200, body: { properties: { ...found, ...(plan === undefined ? {} : { plan }) } } };
}

function refused(status: number, code: string): Answer {
  return { status, body: { error: { code, message: `Refused with ${code}.` } } };
}
