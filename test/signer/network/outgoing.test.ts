import { execFile } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { Imds } from "../../emulators/imds/imds.ts";
import { temporaryFolder } from "../../emulators/signer-process.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
const ENTRY = join(ROOT, "signer/tezos-signer.js");
const IDENTITY = { clientId: "0b4dd1f2-6f3a-4bd5-9b5c-2f8f3f0f6f01", objectId: "7a0c1f0e-3f57-4a55-8a39-51d0b1f0aa02" };

/** A proxy that notes for what it is asked, and reaches nothing. */
async function countingProxy() {
  const asked = new Set<string>();
  const server = createServer((request, response) => {
    asked.add(new URL(request.url ?? "").host);
    response.writeHead(502).end();
  });
  server.on("connect", (request, socket) => {
    asked.add(request.url ?? "");
    // The process that asked may have ended with it: a reset of its connection says nothing.
    socket.on("error", () => undefined).end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://somebody:sesame@127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stop = () => new Promise((closed) => server.close(closed).closeAllConnections());
  return { url, asked, [Symbol.asyncDispose]: async () => void (await stop()) };
}

/** Every variable that this Node.js, or a library, takes a proxy from. */
function proxyEverything(proxy: string, more: Readonly<Record<string, string>> = {}) {
  const { PATH = "" } = process.env;
  return { PATH, NODE_USE_ENV_PROXY: "1", HTTPS_PROXY: proxy, HTTP_PROXY: proxy, ...more };
}

const HOSTS = ["name.vault.azure.net:443", "account.table.core.windows.net:443", "node.example.org:443"];

function settings(credential: "managed-identity" | "default"): string {
  return JSON.stringify({
    keys: { kind: "azure-key-vault", vault: "https://name.vault.azure.net", credential },
    watermarks: { kind: "azure-table", endpoint: "https://account.table.core.windows.net", table: "watermarks" },
    head: { node: "https://node.example.org" },
  });
}

const from = (file: string) => JSON.stringify(join(ROOT, "signer", file));

/** Asks of vault, table and node what a signer with these settings asks of them. */
function askAll(credential: "managed-identity" | "default"): string {
  return `
    import { setTimeout as sleep } from "node:timers/promises";
    import { openWatermarkStore } from ${from("backends.ts")};
    import { azureCredential } from ${from("azure/credential.ts")};
    import { openAzureKeyVaultKeyring } from ${from("keys/azure-key-vault/keyring.ts")};
    import { HeadFollower } from ${from("policy/head-follower.ts")};
    import { parseSettings } from ${from("settings/parse.ts")};
    const settings = parseSettings(${JSON.stringify(settings(credential))}, "settings");
    const say = (...words) => console.log(...words);
    const logger = { info: say, warn: say, error: say };
    const store = await openWatermarkStore(settings, say);
    await store.identity(AbortSignal.timeout(5_000)).catch((error) => say(error.message));
    const told = Promise.withResolvers();
    const head = new HeadFollower({ rule: () => settings.head, onChange: told.resolve });
    head.start();
    say(await told.promise);
    await openAzureKeyVaultKeyring({ ...settings.keys, logger, include: () => "all", times: { startupTimeout: 1_000 } });
    process.exit();
  `;
}

/** Runs a module's text in a process of its own, which a test ends where it does not end by itself. */
async function inProcess(text: string, env: Readonly<Record<string, string>>): Promise<string> {
  const options = { env, timeout: 60_000 };
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", text], options);
  return stdout;
}

describe("requests to other computers", () => {
  for (const credential of ["managed-identity", "default"] as const) {
    it(`go by way of a proxy all alike, vault, table and node, and none for a token (credential: ${credential})`, async () => {
      const imds = await Imds.start({ identities: [IDENTITY] });
      await using proxy = await countingProxy();
      const env = proxyEverything(proxy.url, { AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.url });
      const said = await inProcess(askAll(credential), env).finally(() => imds.stop());
      expect([...proxy.asked].sort()).to.deep.equal([...HOSTS].sort());
      expect(said, "the proxy's password").to.not.include("sesame");
    });
  }

  it("go straight where NO_PROXY says so, and where they lead to this computer", async () => {
    await using proxy = await countingProxy();
    await using server = await answering("straight");
    const asks = `
      import { get, outgoingAgent } from ${JSON.stringify(join(ROOT, "signer/network/outgoing.ts"))};
      const ask = async (text) => {
        const url = new URL(text);
        const fault = (error) => ({ text: error.code ?? String(error) });
        return (await get(url, { agent: outgoingAgent(url), most: 100 }).catch(fault)).text;
      };
      const other = await fetch(${JSON.stringify(server.url)}).catch((error) => String(error.cause?.cause ?? error));
      console.log(JSON.stringify({ here: await ask(${JSON.stringify(server.url)}), excepted: await ask("http://name.invalid"), other }));
    `;
    const env = proxyEverything(proxy.url, { NO_PROXY: "name.invalid" });
    const { other, here, excepted } = JSON.parse(await inProcess(asks, env));
    expect(other, "the proxy is not in force, so this test shows nothing").to.include("Proxy response (502)");
    expect(here).to.equal("straight");
    expect(excepted).to.match(/^(ENOTFOUND|EAI_AGAIN)$/);
    expect([...proxy.asked]).to.deep.equal([new URL(server.url).host]);
  });

  it("are not sent at all where the proxy's name is no URL: that ends the start in a sentence without it", async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "settings.yaml");
    await writeFile(file, settings("managed-identity"));
    const env = { PATH: process.env.PATH, HTTPS_PROXY: "somebody:sesame@proxy" };
    const ended = await promisify(execFile)(process.execPath, [ENTRY, "serve", "--config", file], { env }).catch(
      (error) => error,
    );
    expect(ended.code).to.equal(4);
    expect(ended.stderr).to.match(/^HTTPS_PROXY names no proxy: give its URL, such as/m);
    expect(ended.stderr).to.not.match(/sesame|^\s+at /m);
  });
});

describe("the variable that moves the metadata service", () => {
  for (const [host, args] of [
    ["sesame", ["--user-data"]],
    ["http://somebody:sesame@127.0.0.1:1", ["--config", "settings.yaml"]],
  ] as const) {
    it(`ends the start in a sentence that repeats nothing of it, where it is ${host} (serve ${args.join(" ")})`, async () => {
      await using folder = await temporaryFolder();
      await writeFile(join(folder.path, "settings.yaml"), settings("managed-identity"));
      const env = { PATH: process.env.PATH, AZURE_POD_IDENTITY_AUTHORITY_HOST: host };
      const options = { env, cwd: folder.path, timeout: 30_000 };
      const ended = await promisify(execFile)(process.execPath, [ENTRY, "serve", ...args], options).catch(
        (error) => error,
      );
      expect(ended.code).to.equal(4);
      expect(ended.stderr.replaceAll(/\s+/g, " ")).to.match(
        /^AZURE_POD_IDENTITY_AUTHORITY_HOST must be the metadata service's address; it [^.]*\. $/,
      );
      expect(ended.stderr).to.not.include("sesame");
    });
  }
});

async function answering(text: string) {
  const server = createServer((_, response) => void response.end(text)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const stop = () => new Promise((closed) => server.close(closed).closeAllConnections());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { url, [Symbol.asyncDispose]: async () => void (await stop()) };
}
