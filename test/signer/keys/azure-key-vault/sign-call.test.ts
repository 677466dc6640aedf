import { once } from "node:events";
import { Agent, createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { VaultFault } from "../../../../signer/keys/azure-key-vault/fault.ts";
import { send } from "../../../../signer/keys/azure-key-vault/sign-call.ts";
import { NEVER } from "../../../fixtures/watermark-rows.ts";
import { rejection } from "../../../harness/rejection.ts";

/** Asks a vault that answers so. */
async function ask(answer: RequestListener) {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const agent = new Agent();
  try {
    const call = { url: new URL(`http://127.0.0.1:${port}/keys/baker/1/sign`), body: "{}", requestId: "1" };
    return await send(call, { agent, token: "a token", signal: NEVER });
  } finally {
    agent.destroy();
    server.close();
    server.closeAllConnections();
  }
}

describe("the vault's answer to one call", () => {
  it("is given up where it has no end", async () => {
    const fault = await rejection(
      ask((_request, response) => {
        const more = () => {
          while (response.write("x".repeat(16_384)));
        };
        response.on("drain", more);
        more();
      }),
      VaultFault,
    );
    expect(fault.kind).to.equal("answer");
    expect(fault.message).to.include("more than 65536 characters");
  });

  it("is none where it ends before its end", async () => {
    const fault = await rejection(
      ask((_request, response) => {
        response.writeHead(200, { "content-length": 100 });
        response.write('{"value":"', () => response.destroy());
      }),
      VaultFault,
    );
    expect(fault.kind).to.equal("answer");
    expect(fault.message).to.include("broke off");
  });

  it("is told whole, whatever it says", async () => {
    const { status, bodyAsText, headers } = await ask((_request, response) =>
      response.writeHead(429, { "retry-after": "7" }).end("not now"),
    );
    expect([status, bodyAsText, headers.get("retry-after")]).to.deep.equal([429, "not now", "7"]);
  });
});
