import type { Agent, Server } from "node:http";
import { type Duplex, duplexPair } from "node:stream";
import { http } from "./node-http.ts";

/** Connects to a server of this process that need not listen. @returns the client's end; no socket is opened */
export function connectInProcess(server: Server): Duplex {
  const [near, far] = duplexPair();
  server.emit("connection", far);
  return near;
}

/** What an agent tells a socket that it keeps, and these connections need not know. */
const UNHEARD = {
  setKeepAlive: () => undefined,
  setTimeout: () => undefined,
  ref: () => undefined,
  unref: () => undefined,
};

/** Makes an agent whose connections all lead to one server of this process, and are kept as an agent keeps others. */
export function inProcessAgent(server: Server): Agent {
  const agent = new http.Agent({ keepAlive: true });
  return Object.assign(agent, { createConnection: () => Object.assign(connectInProcess(server), UNHEARD) });
}

/** Sends a whole request on a connection of its own. @returns the whole answer, once the server has closed it */
export async function askInProcess(server: Server, request: string): Promise<string> {
  const connection = connectInProcess(server);
  connection.write(request);
  let text = "";
  for await (const chunk of connection.setEncoding("latin1")) text += chunk;
  return text;
}
