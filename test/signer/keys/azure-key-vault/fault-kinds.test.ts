import { expect } from "chai";
import { faultOfAnswer, faultOfError, VaultFault } from "../../../../signer/keys/azure-key-vault/fault.ts";

/** An answer of the vault: a status, and the code in its body, or the body itself. */
function answer(
  status: number,
  body: string | { code: string; inner?: string } = { code: "SomeCode" },
  retryAfter?: string,
) {
  const headers = { get: (name: string) => (name === "retry-after" ? retryAfter : undefined) };
  if (typeof body === "string") return faultOfAnswer({ status, headers, bodyAsText: body });
  const innererror = body.inner === undefined ? {} : { innererror: { code: body.inner } };
  const error = { code: body.code, message: "What it says.\r\nCaller: nobody", ...innererror };
  return faultOfAnswer({ status, headers, bodyAsText: JSON.stringify({ error }) });
}

describe("kinds of vault faults", () => {
  const forbidden = (inner: string) => ({ code: "Forbidden", inner });
  const ANSWERS: readonly (readonly [number, Parameters<typeof answer>[1], string, boolean])[] = [
    [200, "", "answer", true],
    [200, "<html></html>", "answer", true],
    [200, "7", "answer", true],
    [301, undefined, "answer", true],
    [307, undefined, "answer", true],
    [400, { code: "BadParameter" }, "refused", false],
    [401, { code: "Unauthorized" }, "unauthorized", true],
    [403, forbidden("ForbiddenByPolicy"), "permission", false],
    [403, forbidden("ForbiddenByRbac"), "permission", false],
    [403, { code: "Forbidden" }, "permission", false],
    [403, "not JSON", "permission", false],
    [403, forbidden("ForbiddenByFirewall"), "firewall", false],
    [403, forbidden("ForbiddenByConnection"), "firewall", false],
    [403, forbidden("KeyDisabled"), "key-disabled", false],
    [403, forbidden("KeyExpired"), "key-unusable", false],
    [403, forbidden("KeyNotYetValid"), "key-unusable", false],
    [404, { code: "KeyNotFound" }, "key-missing", false],
    [405, undefined, "refused", false],
    [408, undefined, "service", true],
    [409, { code: "Conflict" }, "refused", false],
    [413, undefined, "refused", false],
    [429, { code: "Throttled" }, "throttled", true],
    [500, undefined, "service", true],
    [502, "", "service", true],
    [503, undefined, "service", true],
    [504, undefined, "service", true],
  ];
  for (const [status, body, kind, retryable] of ANSWERS) {
    it(`takes ${status} ${JSON.stringify(body) ?? ""} for ${kind}, ${retryable ? "and asks again" : "at once"}`, () => {
      const fault = answer(status, body);
      expect([fault?.kind, fault?.retryable, fault?.status]).to.deep.equal([kind, retryable, status]);
    });
  }

  it("finds nothing wrong with 2xx and a JSON object", () => {
    for (const status of [200, 201, 204]) expect(answer(status, "{}")).to.equal(undefined);
  });

  it("says the status, the inner code and the first line alone", () => {
    expect(answer(403, forbidden("KeyDisabled"))?.message).to.equal("It answered 403 KeyDisabled (What it says.).");
    expect(answer(500, "")?.message).to.equal("It answered 500 no code.");
  });

  it("reads how long it is to wait from Retry-After in seconds, and from nothing else", () => {
    const wait = (text?: string) => answer(429, undefined, text)?.retryAfter;
    expect([wait("7"), wait(), wait("soon"), wait("-1"), wait("1.5")]).to.deep.equal([
      7_000,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  const ERRORS: Readonly<Record<string, readonly string[]>> = {
    dns: ["ENOTFOUND", "EAI_AGAIN", "EAI_FAIL", "EAI_NODATA"],
    tls: [
      ...[
        "CERT_HAS_EXPIRED",
        "ERR_TLS_CERT_ALTNAME_INVALID",
        "ERR_SSL_WRONG_VERSION_NUMBER",
        "ERR_OSSL_EVP_UNSUPPORTED",
      ],
      ...["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "DEPTH_ZERO_SELF_SIGNED_CERT", "SELF_SIGNED_CERT_IN_CHAIN"],
      ...["HOSTNAME_MISMATCH", "INVALID_CA"],
    ],
    answer: ["PARSE_ERROR"],
    timeout: ["ETIMEDOUT"],
    connection: ["ECONNRESET", "ECONNREFUSED", "EPIPE", "EHOSTUNREACH", "REQUEST_SEND_ERROR", ""],
  };
  for (const [kind, codes] of Object.entries(ERRORS)) {
    for (const code of codes) {
      it(`takes ${code || "an error without a code"} for ${kind}`, () => {
        const fault = faultOfError(Object.assign(new Error("it broke"), { code }));
        expect([fault.kind, fault.retryable]).to.deep.equal([kind, kind !== "tls"]);
      });
    }
  }

  it("leaves a fault as it is", () => {
    const fault = new VaultFault("throttled", "It said so.");
    expect(faultOfError(fault)).to.equal(fault);
  });
});
