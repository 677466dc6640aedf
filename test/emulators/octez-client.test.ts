import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { InMemorySigner } from "@taquito/signer";
import { expect } from "chai";
import { knownKeys, publicKey, sign } from "./octez-client.ts";

const ADDRESS = "tz3hn6kY29WuHKMuUzwVTNyEtmqttSoJy4Um";
const KEY = new InMemorySigner("p2sk2fMr5KdWtUJrKsLaXjCmEZBEyotHsXjUJg3C4Ea9DHSuQKJZMh");

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly body: string;
  readonly headers: IncomingMessage["headers"];
  readonly socket: Socket;
}

type Reply = readonly [status: number, body: unknown, type?: string];

/** A signer of a few lines that notes what it is asked. @param reply to each request, in turn */
async function standIn(...replies: readonly Reply[]) {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { method = "", url = "", headers, socket } = request;
    const [status, answer, type = "application/json"] = replies[asked.length] ?? [500, []];
    asked.push({ method, url, body, headers, socket });
    response.writeHead(status, { "content-type": type }).end(JSON.stringify(answer));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, asked, [Symbol.asyncDispose]: () => new Promise<void>((closed) => server.close(() => closed())) };
}

describe("the octez client", () => {
  it("asks for the authorized keys, then for the signature, each on a connection of its own", async () => {
    await using signer = await standIn([200, {}], [200, { signature: "sig" }]);
    expect(await sign(signer.url, ADDRESS, "11ab")).to.deep.equal({ status: 200, signature: "sig", attempts: 1 });
    expect(signer.asked.map(({ method, url, body }) => `${method} ${url} ${body}`)).to.deep.equal([
      "GET /authorized_keys ",
      `POST /keys/${ADDRESS}?version=3 "11ab"\n`,
    ]);
    expect(new Set(signer.asked.map(({ socket }) => socket)).size).to.equal(2);
    expect(signer.asked[1]?.headers).to.include({ "content-type": "application/json", connection: "close" });
  });

  it("asks again after a 502 as often as octez does, and after nothing else", async () => {
    const busy: Reply = [502, [{ msg: "vault" }]];
    await using restless = await standIn([200, {}], busy, busy, [200, { signature: "sig" }]);
    expect(await sign(restless.url, ADDRESS, "11ab")).to.include({ signature: "sig", attempts: 3 });
    await using refusing = await standIn([200, {}], [500, [{ msg: "no" }]]);
    expect(await sign(refusing.url, ADDRESS, "11ab")).to.deep.equal({ status: 500, message: "no", attempts: 1 });
    await using gone = await standIn([200, {}], busy, busy);
    expect(await sign(gone.url, ADDRESS, "11ab", { retries: 1 })).to.include({ status: 502, attempts: 2 });
  });

  it("signs the request itself where the signer lists its key, and stops where it has none that is listed", async () => {
    const listed: Reply = [200, { authorized_keys: [await KEY.publicKeyHash()] }];
    await using signer = await standIn(listed, [200, { signature: "sig" }]);
    await sign(signer.url, ADDRESS, "11ab", { authenticate: KEY });
    expect(signer.asked[1]?.url).to.match(/\?authentication=p2sig\w+&version=3$/);
    await using stranger = await standIn(listed);
    expect((await sign(stranger.url, ADDRESS, "11ab")).message).to.contain("no authorized key was found");
    expect(stranger.asked).to.have.length(1);
  });

  it("reads an error from JSON alone", async () => {
    await using signer = await standIn([200, {}], [404, "nowhere", "text/plain"]);
    expect((await sign(signer.url, ADDRESS, "11ab")).message).to.equal('unexpected content type text/plain: "nowhere"');
  });

  it("reads a public key, and the list of keys", async () => {
    await using signer = await standIn([200, { public_key: "p2pk" }], [200, { known_keys: [ADDRESS] }]);
    expect(await publicKey(signer.url, ADDRESS)).to.equal("p2pk");
    expect(await knownKeys(signer.url)).to.deep.equal([ADDRESS]);
    expect(signer.asked.map(({ url }) => url)).to.deep.equal([`/keys/${ADDRESS}`, "/known_keys"]);
  });
});
