import { expect } from "chai";
import { isLoopback, type PlainHttp, portOf, readServiceUrl } from "../../../signer/network/url.ts";

describe("the URL of a service", () => {
  const fault = (text: string, plainHttp: PlainHttp, more: object = {}) => {
    const read = readServiceUrl(text, { plainHttp, path: "refused", ...more });
    return read instanceof URL ? undefined : read.fault;
  };

  it("may be of plain HTTP as far as its form allows", () => {
    const hosts = { "127.0.0.1": "loopback", "10.1.2.3": "private", "20.1.2.3": "any" } as const;
    const rank: readonly PlainHttp[] = ["never", "loopback", "private", "any"];
    for (const [host, needs] of Object.entries(hosts)) {
      for (const allowed of rank) {
        const isTaken = fault(`http://${host}`, allowed) === undefined;
        expect(isTaken, `${host} ${allowed}`).to.equal(rank.indexOf(allowed) >= rank.indexOf(needs));
      }
      expect(fault(`https://${host}`, "never")).to.equal(undefined);
    }
  });

  it("has a path or a query only where its form says so, and a user, a password or a fragment never", () => {
    expect(fault("https://example.org/a", "never")).to.match(/a path/);
    expect(fault("https://example.org/?a=b", "never")).to.match(/a query/);
    const form = { path: "taken", query: "taken" } as const;
    expect(fault("https://example.org/a?b=c", "never", form)).to.equal(undefined);
    for (const text of ["https://me@example.org", "https://:word@example.org", "https://me:word@example.org/a?b"]) {
      expect(fault(text, "never", form), text).to.match(/a user or a password/);
    }
    expect(fault("https://example.org/a#b", "never", form)).to.match(/after #/);
  });

  it("leads to this computer by localhost, 127.0.0.0/8 and ::1, in any spelling, and by nothing else", () => {
    for (const host of ["localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]", "[::ffff:127.0.0.1]", "0:0:0:0:0:0:0:1"])
      expect(isLoopback(host), host).to.equal(true);
    for (const host of ["128.0.0.1", "0.0.0.0", "::2", "localhost.example.org", "127.0.0.1.example.org", "127.1", ""])
      expect(isLoopback(host), host).to.equal(false);
  });

  it("leads to the port that it names, or to its scheme's", () => {
    for (const [text, port] of [
      ["https://example.org", 443],
      ["http://example.org", 80],
      ["https://example.org:8732", 8732],
      ["http://[::1]:1", 1],
    ] as const) {
      expect(portOf(new URL(text)), text).to.equal(port);
    }
  });
});
