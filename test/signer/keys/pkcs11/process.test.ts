import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { sign } from "../../../emulators/octez-client.ts";
import { startSignerProcess, temporaryFolder } from "../../../emulators/signer-process.ts";
import { attestation } from "../../../fixtures/payloads.ts";
import { libraryOf, PIN, requiresToken, SoftToken } from "../../../harness/soft-token.ts";

describe("the process with a token's library", function () {
  this.timeout(120_000);

  it("outlives what systemd sends to all of a service, and ends with its signer, gently stopped or killed while the library hangs", async function () {
    requiresToken(this);
    await using folder = await temporaryFolder();
    using token = SoftToken.make("faulty");
    token.tell();
    await token.generate("baker", "P-256");
    const settings = {
      listen: { port: 0 },
      admin: { port: 0 },
      keys: token.settings,
      watermarks: { kind: "sqlite", path: "watermarks.sqlite", initialise: "always", maxStep: "off" },
      policy: { default: { allow: ["attestation"] } },
    };
    writeFileSync(join(folder.path, "settings.yaml"), JSON.stringify(settings));
    for (const [level, signal] of ["SIGTERM", "SIGKILL"].entries()) {
      await using signer = await startSignerProcess(folder.path, ["--config", "settings.yaml"]);
      const library = libraryOf(signer);
      for (const sent of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.kill(library, sent);
      const [address = ""] = signer.addresses;
      const { status } = await sign(signer.url, address, attestation({ level: level + 1 }).toString("hex"));
      expect(status).to.equal(200);
      expect(libraryOf(signer)).to.equal(library);
      if (signal === "SIGKILL") {
        token.tell("C_Sign hang\nC_Finalize hang");
        const next = attestation({ level: level + 2 }).toString("hex");
        sign(signer.url, address, next, { retries: 0 }).catch(() => undefined);
        while (token.calls("C_Sign") === 0) await sleep(20);
      }
      await signer.end(signal as NodeJS.Signals);
      while (existsSync(`/proc/${library}`)) await sleep(20);
      expect(JSON.stringify(signer.log) + signer.output()).not.to.include(PIN);
    }
  });
});
