import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { Imds } from "../../emulators/imds/imds.ts";
import { KeyVaultEmulator } from "../../emulators/key-vault/emulator.ts";
import { sign } from "../../emulators/octez-client.ts";
import { startSignerProcess, temporaryFolder } from "../../emulators/signer-process.ts";
import { attestation } from "../../fixtures/payloads.ts";
import { writeLocalKey } from "../../harness/local-key.ts";

const ENTRY = resolve(import.meta.dirname, "../../../signer/tezos-signer.js");
const SIGNER = {
  clientId: "11111111-2222-4333-8444-555555555555",
  objectId: "66666666-7777-4888-8999-aaaaaaaaaaaa",
};

/** NODE_OPTIONS that run a module before the program. */
const preloaded = (code: string) => ({ NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(code)}` });

describe("a start of the signer", function () {
  this.timeout(90_000);
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(() => folder[Symbol.asyncDispose]());

  const write = (settings: object) =>
    writeFile(
      join(folder.path, "settings.yaml"),
      JSON.stringify({
        listen: { port: 0 },
        admin: { port: 0 },
        watermarks: { kind: "sqlite", path: "watermarks.sqlite", initialise: "always", maxStep: "off" },
        policy: { default: { allow: ["attestation"] } },
        ...settings,
      }),
    );

  /** What `serve` writes, and its end. */
  function serve(words: readonly string[], env: object) {
    const child = spawn(process.execPath, [ENTRY, "serve", ...words], {
      cwd: folder.path,
      env: { ...process.env, ...env },
    });
    let errors = "";
    child.stderr.on("data", (chunk) => (errors += chunk));
    return { child, ended: once(child, "close"), errors: () => errors };
  }

  it("ends at once on SIGTERM while the machine's userData does not come", async () => {
    const silent = createServer((socket) => socket.on("error", () => undefined)).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    const asked = once(silent, "connection");
    const { child, ended, errors } = serve(["--user-data"], {
      AZURE_POD_IDENTITY_AUTHORITY_HOST: `http://127.0.0.1:${port}`,
    });
    await asked;
    child.kill("SIGTERM");
    expect(await ended).to.deep.equal([0, null]);
    // With an attempt that has failed, it would have waited for its end.
    expect(errors()).to.include("stopped before it listened").and.not.include("userData");
    silent.close();
  });

  it("ends at once on SIGTERM while its program is being loaded, and loads no more of it", async () => {
    await writeLocalKey(join(folder.path, "keys"));
    await write({ keys: { kind: "local", path: "keys" } });
    const hook = `import { registerHooks } from "node:module";
      import { writeSync } from "node:fs";
      registerHooks({ load(url, context, next) {
        if (url.endsWith("/signer/http/server.ts")) process.kill(process.pid, "SIGTERM");
        if (url.endsWith("/signer/http/app.ts")) writeSync(2, "the app was loaded\\n");
        return next(url, context);
      } });`;
    const { ended, errors } = serve(["--config", "settings.yaml"], preloaded(hook));
    expect(await ended).to.deep.equal([0, null]);
    expect(errors()).to.include("stopped before it listened").and.not.include("the app was loaded");
  });

  it("asks vault and table at once, and loads no HTTP client besides Node's own", async () => {
    const imds = await Imds.start({ identities: [SIGNER] });
    const policies = { [SIGNER.objectId]: ["get", "list", "sign"] as const };
    const vault = await KeyVaultEmulator.start({ tokens: imds.tokens, policies });
    vault.createKey("baker", { crv: "P-256" });
    const keys = { kind: "azure-key-vault", vault: vault.url, clientId: SIGNER.clientId };
    const table = { kind: "azure-table", endpoint: "https://127.0.0.1:9/account", table: "watermarks" };
    await write({ keys, watermarks: table });
    const hook = `process.on("exit", () => {
      const undici = process.moduleLoadList.filter((name) => name.includes("undici/undici"));
      process.getBuiltinModule("fs").writeSync(2, JSON.stringify({ msg: "loaded", undici }) + "\\n");
    });`;
    const env = { ...preloaded(hook), AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.url };
    await using signer = await startSignerProcess(folder.path, ["--config", "settings.yaml"], env);
    await (await fetch(`${signer.adminUrl}/status`)).json();
    await (await fetch(`${signer.adminUrl}/metrics`)).text();
    const hex = attestation({ level: 5 }).toString("hex");
    const { status } = await sign(signer.url, signer.addresses[0] ?? "", hex, { retries: 0 });
    expect(status).to.equal(502); // nobody has the table
    await signer.end("SIGTERM");
    await Promise.all([vault.stop(), imds.stop()]);
    expect(signer.log.find(({ msg }) => msg === "loaded")).to.deep.include({ undici: [] });
  });
});
