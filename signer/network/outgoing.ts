import type { AgentOptions, Agent as HttpAgent, IncomingHttpHeaders } from "node:http";
import { StartError } from "../errors.ts";
import { http, https } from "./node-http.ts";
import { isLoopback } from "./url.ts";

/**
 * Every request that the program sends goes by an agent of this file, so one rule says which ones a proxy sees: what leads
 * to another computer, where HTTPS_PROXY or HTTP_PROXY names one and NO_PROXY does not except the host; never what leads
 * to this computer, nor to the machine's metadata service, whose answers are tokens, nor what `doctor` asks in octez's place. Node.js' own switch
 * (NODE_USE_ENV_PROXY) changes nothing: it is for its common agent, and for fetch.
 * @module
 */

/** Makes an agent for a service. @throws StartError for a proxy that cannot be used */
export function outgoingAgent({ protocol, hostname }: URL, options: AgentOptions = {}): HttpAgent {
  const proxy = isLoopback(hostname) ? {} : { proxyEnv: proxyVariables() };
  return new (protocol === "https:" ? https : http).Agent({ ...options, ...proxy });
}

/** An agent that never asks a proxy. */
export const direct = new http.Agent();

/** Makes an agent that never asks a proxy and keeps no connection. */
export function directAgent({ protocol }: URL): HttpAgent {
  return new (protocol === "https:" ? https : http).Agent();
}

/** The variables that name a proxy, as Node.js reads them; those in lower case count first. */
function proxyVariables(env: NodeJS.ProcessEnv = process.env) {
  const value = (name: string) => env[name.toLowerCase()] || env[name] || undefined;
  for (const name of ["HTTPS_PROXY", "HTTP_PROXY"]) {
    const text = value(name);
    if (text === undefined || /^https?:$/.test(URL.parse(text)?.protocol ?? "")) continue;
    throw new StartError("unusable", `${name} names no proxy: give its URL, such as http://proxy.example.org:3128.`);
  }
  return { HTTPS_PROXY: value("HTTPS_PROXY"), HTTP_PROXY: value("HTTP_PROXY"), NO_PROXY: value("NO_PROXY") };
}

/**
 * Makes this process's common agent keep to the rule too, for a library that takes no agent of ours.
 * @param direct host that no proxy is asked for
 */
export function bindCommonAgent(direct: string): void {
  const variables = proxyVariables();
  const NO_PROXY = [variables.NO_PROXY, direct, "localhost", "127.0.0.1", "[::1]"].filter(Boolean).join(",");
  process.env.NO_PROXY = NO_PROXY;
  process.env.no_proxy = NO_PROXY;
  http.setGlobalProxyFromEnv({ ...variables, NO_PROXY });
}

/** An answer, whatever its status; a redirection is one like any other. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: IncomingHttpHeaders;
}

/** How a service is asked. */
export interface AskOptions {
  readonly agent: HttpAgent;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Characters that an answer may have. */
  readonly most: number;
}

/**
 * Asks once.
 * @throws Error that says what is wrong: no answer, or one without end; the signal's own reason once it is over
 */
export function get(url: URL, options: AskOptions): Promise<Answer> {
  return ask(url, "GET", options);
}

/** Sends a text once, and takes the answer. @throws as get */
export function post(url: URL, body: string, options: AskOptions): Promise<Answer> {
  return ask(url, "POST", options, body);
}

function ask(url: URL, method: string, { agent, headers, signal, most }: AskOptions, body?: string): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const options = { method, agent, ...(headers && { headers }), ...(signal && { signal }) };
  const request = (url.protocol === "https:" ? https : http).request(url, options, (response) => {
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => {
      text += chunk;
      if (text.length > most) response.destroy(new Error(`it has more than ${most} characters`));
    });
    response.on("error", (error) => reject(signal?.aborted ? signal.reason : error));
    response.on("end", () => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }));
  });
  request.on("error", (error) => reject(signal?.aborted ? signal.reason : error));
  request.end(body);
  return promise;
}
