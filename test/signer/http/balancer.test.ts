import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { PROBE } from "../../../signer/contract.ts";
import { Balancer } from "../../../signer/http/balancer.ts";

const INTERVAL = PROBE.interval * 1_000;

/** A port on which every connection seems to come from one address; what the balancer does not answer, the app does. */
async function portOf(balancer: Balancer, from: string) {
  const server = createServer((request: IncomingMessage, response) => {
    Object.defineProperty(request.socket, "remoteAddress", { configurable: true, value: from });
    if (!balancer.answer(request, response)) response.end("the app");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    ask: (path: string = PROBE.path, init: RequestInit = {}) => fetch(`http://127.0.0.1:${port}${path}`, init),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe("the balancer in front of the machine", () => {
  it("is told whether the signer is ready, on a connection of its own each time", async () => {
    let ready = false;
    const balancer = new Balancer(() => ready);
    await using port = await portOf(balancer, PROBE.from);
    expect((await port.ask()).status).to.equal(503);
    ready = true;
    const answer = await port.ask();
    expect([answer.status, answer.headers.get("connection")]).to.deep.equal([200, "close"]);
    await port.ask();
    expect(balancer.look()).to.include({ ready: true, times: 2, leaving: null, left: false });
  });

  it("gets nothing else from that address: not a key, not a signature", async () => {
    const balancer = new Balancer(() => true);
    await using port = await portOf(balancer, PROBE.from);
    for (const [path, init] of [
      ["/authorized_keys", {}],
      ["/keys/tz3", { method: "POST", body: '"11"' }],
      [PROBE.path, { method: "POST", body: "" }],
      [`${PROBE.path}?x`, {}],
      [`/prefix${PROBE.path}`, {}],
    ] as const) {
      const answer = await port.ask(path, init);
      expect(answer.status, path).to.equal(403);
      expect(await answer.text()).to.include("168.63.129.16 is the balancer's");
    }
    expect(balancer.look()).to.equal(null);
  });

  it("is nobody else: its path from another address is the app's", async () => {
    const balancer = new Balancer(() => true);
    await using port = await portOf(balancer, "203.0.113.7");
    expect(await (await port.ask()).text()).to.equal("the app");
    expect(balancer.asks).to.equal(false);
  });

  it("is left once it has heard so once more than it needs, and found again by staying", async () => {
    const balancer = new Balancer(() => true);
    await using port = await portOf(balancer, PROBE.from);
    await port.ask();
    let left = false;
    const leaving = balancer.leave("the machine goes down").then(() => {
      left = true;
    });
    for (let heard = 1; heard <= PROBE.threshold; heard += 1) {
      expect((await port.ask()).status).to.equal(503);
      expect(left, `after ${heard}`).to.equal(false);
    }
    expect(balancer.look()).to.include({ leaving: "the machine goes down", left: false });
    await port.ask();
    await leaving;
    expect(balancer.look()).to.include({ ready: false, left: true });
    balancer.stay();
    expect((await port.ask()).status).to.equal(200);
    expect(balancer.isLeaving).to.equal(false);
  });

  it("is left for good where the machine goes down, whatever was announced is over", async () => {
    const balancer = new Balancer(() => true);
    await using port = await portOf(balancer, PROBE.from);
    await port.ask();
    const announced = balancer.leave("Azure announces: Freeze");
    const down = balancer.goDown(true);
    balancer.stay();
    for (let heard = 0; heard <= PROBE.threshold; heard += 1) expect((await port.ask()).status).to.equal(503);
    await Promise.all([announced, down]);
    expect(balancer.look()).to.include({ ready: false, left: true });
  });

  it("is told to its end that it is ready where no other machine takes what is new, and is not waited for", async () => {
    const balancer = new Balancer(() => true);
    await using port = await portOf(balancer, PROBE.from);
    await port.ask();
    await balancer.goDown(false);
    expect((await port.ask()).status).to.equal(200);
    expect(balancer.look()).to.include({ leaving: "the machine goes down", left: true });
    expect(balancer.isLeaving).to.equal(true);
  });

  it("is not waited for where there is none, nor where it has not asked for three of its looks", async () => {
    let now = 0;
    const balancer = new Balancer(
      () => true,
      () => now,
      1,
    );
    await balancer.leave("the machine goes down");
    balancer.stay();
    await using port = await portOf(balancer, PROBE.from);
    await port.ask();
    now = 3 * INTERVAL - 1;
    expect(balancer.asks).to.equal(true);
    now += 1;
    expect([balancer.asks, balancer.look()]).to.deep.equal([false, null]);
    await balancer.leave("the machine goes down");
    balancer.stay();
    await port.ask();
    const leaving = balancer.leave("the machine goes down");
    now += 3 * INTERVAL; // it has gone before it heard
    await leaving;
  });
});
