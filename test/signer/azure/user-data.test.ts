import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate } from "node:timers/promises";
import { expect } from "chai";
import { UserData, type UserDataOptions } from "../../../signer/azure/user-data.ts";
import { notedPauses } from "../../harness/noted-pauses.ts";

const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("userData", () => {
  let server: Server;
  let answer: RequestListener;
  let asked: number;
  let subject: UserData | undefined;

  const says = (body: string, status = 200) => {
    answer = (_request, response) => response.writeHead(status).end(body);
  };

  beforeEach(async () => {
    asked = 0;
    server = createServer((request, response) => {
      asked += 1;
      answer(request, response);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
  });

  afterEach(async () => {
    subject?.stop();
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });

  function userData(options: Partial<UserDataOptions> = {}): UserData {
    const { port } = server.address() as AddressInfo;
    subject = new UserData({ url: `http://127.0.0.1:${port}/userData`, apply: () => {}, ...options });
    return subject;
  }

  /** The texts applied, and a way to wait until IMDS was asked so often again. */
  function watched(current: string, refuse: (text: string) => boolean = () => false) {
    const applied: string[] = [];
    const data = userData({
      interval: 2,
      longestInterval: 4,
      timeout: 500,
      apply(text) {
        if (refuse(text)) throw new Error(`no ${text}`);
        applied.push(text);
      },
    });
    data.watch(current);
    const rounds = async (count: number) => {
      for (const goal = asked + count; asked < goal; ) await new Promise((resolve) => setTimeout(resolve, 2));
    };
    return { data, applied, rounds };
  }

  it("is read with the header that IMDS wants, and decoded", async () => {
    answer = (request, response) =>
      response.writeHead(request.headers.metadata === "true" ? 200 : 400).end(base64("é: 1\n"));
    expect(await userData().read()).to.equal("é: 1\n");
  });

  for (const [title, body, status, reason] of [
    ["an empty answer", "", 200, "the machine has none"],
    ["a machine without userData", "", 404, "the machine has none"],
    ["IMDS that is throttling", "", 429, "status 429"],
    ["text that is not base64", "listen: {}", 200, "not base64"],
    ["base64 that was cut", "YWJjZ", 200, "not base64"],
    ["bytes that are not UTF-8", "/w==", 200, "not UTF-8"],
    ["an endless answer", "A".repeat(200_000), 200, "more than 100000 characters"],
  ] as const) {
    it(`refuses ${title}`, async () => {
      says(body, status);
      const data = userData();
      const error = await data.read().catch((thrown: Error) => thrown);
      expect(error).to.be.an("error").with.property("message").that.includes(reason);
      expect(data.state.failure).to.include(reason);
    });
  }

  it("gives up on an answer that does not come", async () => {
    answer = () => {};
    const error = await userData({ timeout: 20 })
      .read()
      .catch((thrown: Error) => thrown);
    expect(error).to.be.an("error").with.property("message").that.includes("no answer within 20 ms");
  });

  it("says what is wrong when nothing listens", async () => {
    const error = await userData({ url: "http://127.0.0.1:1/" })
      .read()
      .catch((thrown: Error) => thrown);
    expect(error).to.be.an("error").with.property("message").that.includes("ECONNREFUSED");
  });

  it("is applied once for each change, and not while it stays the same", async () => {
    says(base64("one"));
    const { applied, rounds } = watched("one");
    await rounds(3);
    expect(applied).to.deep.equal([]);
    says(base64("two"));
    await rounds(4);
    expect(applied).to.deep.equal(["two"]);
  });

  it("is not applied again after a reading that failed", async () => {
    says(base64("one"));
    const { data, applied, rounds } = watched("one");
    says("", 500);
    await rounds(3);
    expect(data.state.failure).to.include("status 500");
    says(base64("one"));
    await rounds(3);
    expect(applied).to.deep.equal([]);
    expect(data.state.failure).to.equal(undefined);
  });

  it("is offered once when refused, and the next text is taken", async () => {
    let refused = 0;
    const { data, applied, rounds } = watched("one", (text) => text === "bad" && ++refused > 0);
    says(base64("bad"));
    await rounds(4);
    expect(refused).to.equal(1);
    expect(data.state.refusal).to.equal("no bad");
    says(base64("one"));
    await rounds(3);
    expect(applied).to.deep.equal(["one"]);
    expect(data.state.refusal).to.equal(undefined);
  });

  it("is asked every three seconds, less often while readings fail, and every two minutes at least", async () => {
    using pauses = notedPauses(() => 0, true);
    const until = async (count: number) => {
      while (pauses.length < count) await setImmediate();
      return pauses.slice(0, count);
    };
    says("", 500);
    userData().watch("one");
    const grown = [3_000, 6_000, 12_000, 24_000, 48_000, 96_000, 120_000, 120_000, 120_000];
    expect(await until(grown.length)).to.deep.equal(grown);
    says(base64("one"));
    while (pauses.at(-1) !== 3_000) await setImmediate();
    const { length } = pauses;
    expect((await until(length + 2)).slice(length)).to.deep.equal([3_000, 3_000]);
  });

  it("is not asked after stop()", async () => {
    says(base64("one"));
    const { data, rounds } = watched("one");
    await rounds(2);
    data.stop();
    const before = asked;
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(asked).to.be.within(before, before + 1);
  });
});
