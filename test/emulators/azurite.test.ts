import { createServer } from "node:net";
import { expect } from "chai";
import { azurite, freePort, tableCredential } from "./azurite.ts";

describe("Azurite as it is started here", function () {
  this.timeout(60_000);

  const ask = async (url: string, token?: string) => {
    const headers = { "x-ms-version": "2021-12-02", Accept: "application/json" };
    return fetch(url, { headers: token === undefined ? headers : { ...headers, Authorization: `Bearer ${token}` } });
  };
  const token = async () => (await tableCredential.getToken("https://storage.azure.com/.default"))?.token ?? "";

  it("serves the table of one account, and lets in by a token alone", async () => {
    const { endpoint } = await azurite();
    expect((await ask(`${endpoint}/Tables`, await token())).status).to.equal(200);
    expect((await ask(`${endpoint}/Tables`)).status).to.be.within(401, 403);
    expect((await ask(`${endpoint}/Tables`, "no.token.atall")).status).to.be.within(400, 403);
  });

  it("serves blobs as well, at a port of their own, and each service is started once", async () => {
    const [table, blob, again] = await Promise.all([azurite("table"), azurite("blob"), azurite("blob")]);
    expect((await ask(`${blob.endpoint}?comp=list`, await token())).status).to.equal(200);
    expect(blob.port).to.not.equal(table.port);
    expect(again).to.equal(blob);
  });

  it("is given a port on which nobody listens", async () => {
    const server = createServer();
    const port = await freePort();
    await new Promise<void>((listening) => server.listen(port, "127.0.0.1", listening));
    expect(server.listening).to.equal(true);
    server.close();
  });
});
