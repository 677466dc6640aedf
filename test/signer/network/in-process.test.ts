import { createServer, request } from "node:http";
import type { Duplex } from "node:stream";
import { expect } from "chai";
import { inProcessAgent } from "../../../signer/network/in-process.ts";

describe("connections within this process", () => {
  it("are kept and used again, and gather nothing by it, however often", async () => {
    let connections = 0;
    const server = createServer((_, response) => response.end("here")).on("connection", () => (connections += 1));
    const agent = inProcessAgent(server);
    const listeners: number[] = [];
    for (let times = 0; times < 30; times++) {
      const text = await new Promise<string>((resolve, reject) => {
        const asked = request("http://nobody.invalid/", { agent }, (response) => {
          let text = "";
          response.setEncoding("utf8").on("data", (more) => (text += more));
          response.on("end", () => resolve(text));
        });
        asked.on("socket", (socket: Duplex) => listeners.push(socket.listenerCount("error"))).on("error", reject);
        asked.end();
      });
      expect(text).to.equal("here");
      await new Promise(setImmediate);
    }
    expect(connections).to.equal(1);
    expect(new Set(listeners.slice(1)).size, listeners.join()).to.equal(1);
    agent.destroy();
  });
});
