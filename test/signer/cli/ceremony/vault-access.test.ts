import { expect } from "chai";
import { explain } from "../../../../signer/cli/ceremony/vault-access.ts";

describe("errors of a vault", () => {
  const task = { vault: "https://example.vault.azure.net", permission: "get", name: "baker" } as const;
  const failure = (error: object) => explain(task, Object.assign(new Error("said the service"), error));

  it("a missing sign-in is answered by az login", () => {
    const { exit, message } = failure({ name: "CredentialUnavailableError" });
    expect(exit).to.equal("not-signed-in");
    expect(message).to.include("az login");
  });

  for (const [status, exit] of [
    [401, "not-signed-in"],
    [429, "unavailable"],
    [500, "unavailable"],
    [503, "unavailable"],
    [418, "failed"],
  ] as const) {
    it(`status ${status} ends as ${exit}`, () => {
      expect(failure({ statusCode: status }).exit).to.equal(exit);
    });
  }
});
