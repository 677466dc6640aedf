import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { verifySignature } from "@taquito/utils";
import { expect } from "chai";
import type { Context } from "mocha";
import { parseDocument } from "yaml";
import { publicKey, sign } from "../../emulators/octez-client.ts";
import { type SignerProcess, startSignerProcess, temporaryFolder } from "../../emulators/signer-process.ts";
import { attestation, block, preattestation, transfer } from "../../fixtures/payloads.ts";
import { writeLocalKey } from "../../harness/local-key.ts";
import { requires } from "../../harness/requires.ts";

const LOCAL = {
  listen: { port: 0 },
  admin: { port: 0 },
  keys: { kind: "local", path: "keys" },
  watermarks: { kind: "sqlite", path: "watermarks.sqlite", initialise: "always", maxStep: "off" },
  policy: { default: { allow: ["block", "preattestation", "attestation"] } },
};

/** A folder with settings and a key, made by the program itself. */
async function folder(settings: object = LOCAL) {
  const made = await temporaryFolder();
  await mkdir(join(made.path, "keys"), { mode: 0o700 });
  await writeLocalKey(join(made.path, "keys"));
  await writeFile(join(made.path, "settings.yaml"), JSON.stringify(settings));
  return made;
}

const CONFIG = ["--config", "settings.yaml"];

/** A program whose terminal is closed as soon as its first line has been run. */
const HUNG_UP = `data:text/javascript,${encodeURIComponent(
  'const look = setInterval(() => { if (process.listenerCount("SIGUSR1") === 0) return; clearInterval(look); process.kill(process.pid, "SIGHUP"); }, 1);',
)}`;

/** A program of which the system tells no network interface: EAFNOSUPPORT, as under RestrictAddressFamilies= of systemd. */
const NO_INTERFACES = `data:text/javascript,${encodeURIComponent(
  'import os from "node:os"; import { syncBuiltinESMExports } from "node:module"; os.networkInterfaces = () => { throw new Error("uv_interface_addresses returned 97"); }; syncBuiltinESMExports();',
)}`;

/** A signer on a folder of its own, and what goes with both. */
async function started() {
  await using parts = new AsyncDisposableStack();
  const dir = parts.use(await folder());
  const signer = parts.use(await startSignerProcess(dir.path, CONFIG));
  const kept = parts.move();
  return { signer, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

describe("serve", () => {
  /** For the tests that need no signer of their own: each asks at levels of its own. */
  let shared: Awaited<ReturnType<typeof started>>;
  before(async () => {
    shared = await started();
  });
  after(() => shared[Symbol.asyncDispose]());

  it("signs a block, a preattestation and an attestation for an octez-shaped client, and Taquito verifies them", async () => {
    const { signer } = shared;
    const address = signer.addresses[0] ?? "";
    const key = await publicKey(signer.url, address);
    for (const payload of [block({ level: 7 }), preattestation({ level: 7 }), attestation({ level: 7 })]) {
      const hex = payload.toString("hex");
      const { signature } = await sign(signer.url, address, hex);
      expect(verifySignature(hex, key, signature ?? "")).to.equal(true);
    }
  });

  it("refuses a transfer that no policy allows, and says which list lacks it", async () => {
    const { signer } = shared;
    const address = signer.addresses[0] ?? "";
    const answer = await sign(signer.url, address, transfer().toString("hex"));
    expect(answer.status).to.equal(403);
    expect(answer.message).to.contain(`transaction is not in the \`allow\` list of ${address}`);
  });

  it("counts what never reached a key's policy", async () => {
    const { signer } = shared;
    await fetch(`${signer.url}/other`);
    const text = await (await fetch(`${signer.adminUrl}/metrics`)).text();
    expect(text).to.contain('tezos_signer_refusals_total{code="unknown-path"} 1\n');
  });

  it("writes one line for each decision, without the signature", async () => {
    const { signer } = shared;
    const { signature } = await sign(signer.url, signer.addresses[0] ?? "", attestation({ level: 9 }).toString("hex"));
    const decided = () => signer.log.filter(({ verdict, level }) => verdict !== undefined && level === 9);
    while (decided().length === 0) await sleep(20); // the answer does not wait for the line
    const lines = decided();
    expect(lines).to.have.length(1);
    expect(lines[0]).to.include({ kind: "attestation", level: 9, round: 0, verdict: "signed" });
    expect(lines[0]?.milliseconds).to.include.keys("parse", "reserve", "sign", "total");
    expect(JSON.stringify(signer.log)).not.to.contain(signature);
  });

  it("goes on where its terminal is closed while it is being loaded", async () => {
    await using dir = await folder();
    await using signer = await startSignerProcess(dir.path, CONFIG, { NODE_OPTIONS: `--import=${HUNG_UP}` });
    expect(signer.addresses).to.have.length(1);
  });

  it("introduces itself and obeys a signal where it is told no address of this computer, as a service without AF_NETLINK", async () => {
    await using dir = await folder({ ...LOCAL, listen: { host: "0.0.0.0", port: 0 } });
    await using signer = await startSignerProcess(dir.path, CONFIG, { NODE_OPTIONS: `--import=${NO_INTERFACES}` });
    expect(signer.output()).to.match(/^Signer +http:\/\/127\.0\.0\.1:\d+$/m);
    expect(await signer.end("SIGTERM")).to.equal(0);
  });

  it("returns the very same block signature after a restart, and refuses another block there", async () => {
    await using dir = await folder();
    const payload = block({ level: 12 }).toString("hex");
    let first: string | undefined;
    {
      await using signer = await startSignerProcess(dir.path, CONFIG);
      first = (await sign(signer.url, signer.addresses[0] ?? "", payload)).signature;
      await signer.end("SIGKILL");
    }
    await using signer = await startSignerProcess(dir.path, CONFIG);
    const address = signer.addresses[0] ?? "";
    expect((await sign(signer.url, address, payload)).signature).to.equal(first);
    const other = block({ level: 12, timestamp: 5n }).toString("hex");
    expect((await sign(signer.url, address, other)).status).to.equal(409);
  });

  it("lets a second process on the same state say that the first holds it, and end", async () => {
    await using dir = await folder();
    await using _first = await startSignerProcess(dir.path, CONFIG);
    expect(await refusal(dir.path)).to.match(
      /^exit 12: \S*watermarks\.sqlite is held by another process\. Only one may open it: stop the other\. Never give a key a second file\.$/,
    );
  });

  it("says in a sentence, with an exit code of its own, why it cannot listen", async () => {
    await using dir = await folder();
    await using taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    for (const [listen, expected] of [
      [
        { port },
        `exit 12: Cannot listen on 127.0.0.1, port ${port}: the port is in use. Stop the other program, or set another port (listen.port, admin.port, metrics.port).`,
      ],
      [
        { port: 0, tls: { cert: "settings.yaml", key: "nowhere.pem" } },
        "exit 4: listen.tls.key cannot be read: nowhere.pem: no such file or directory.",
      ],
    ] as const) {
      await writeFile(join(dir.path, "settings.yaml"), JSON.stringify({ ...LOCAL, listen }));
      expect(await refusal(dir.path)).to.equal(expected);
    }
  });

  it("signs nothing on an older watermark file that was put back between two starts, and says why", async () => {
    await using dir = await folder();
    const file = join(dir.path, "watermarks.sqlite");
    const lives = [20, 21, 22];
    for (const level of lives) {
      await using signer = await startSignerProcess(dir.path, CONFIG);
      const { status } = await sign(signer.url, signer.addresses[0] ?? "", attestation({ level }).toString("hex"));
      expect(status).to.equal(level === 22 ? 500 : 200);
      const ready = await fetch(`${signer.adminUrl}/readyz`);
      expect(ready.status).to.equal(level === 22 ? 503 : 200);
      if (level === 22)
        expect(await ready.text()).to.match(/was at level 21 .* and is at level 20 .*docs\/recover\.md/);
      await signer.end("SIGTERM");
      if (level === 20) await copyFile(file, join(dir.path, "backup"));
      else await copyFile(join(dir.path, "backup"), file);
    }
  });

  it("signs on where the watermark file's witness cannot be written, and says so", async () => {
    await using dir = await folder();
    await mkdir(join(dir.path, "watermarks.sqlite.seen.new"));
    await using signer = await startSignerProcess(dir.path, CONFIG);
    const { status } = await sign(signer.url, signer.addresses[0] ?? "", attestation({ level: 9 }).toString("hex"));
    expect(status).to.equal(200);
    expect(JSON.stringify(signer.log)).to.match(/"severity":"warn".*watermarks\.sqlite\.seen cannot be written/);
  });

  it("loses nothing when a client hangs up: the same bytes get the same signature afterwards", async () => {
    const { signer } = shared;
    const address = signer.addresses[0] ?? "";
    const hex = block({ level: 30 }).toString("hex");
    const hangUp = new AbortController();
    const given = sign(signer.url, address, hex, { signal: hangUp.signal }).catch(() => undefined);
    setTimeout(() => hangUp.abort(), 3);
    await given;
    const again = await sign(signer.url, address, hex);
    expect((await sign(signer.url, address, hex)).signature).to.equal(again.signature);
  });

  it("ends at once on SIGTERM while it still starts, since nobody has been promised an answer", async () => {
    await using dir = await temporaryFolder();
    // A metadata service that takes connections and never answers keeps the start waiting.
    // The signer that ends resets its connection, which says nothing.
    const silent = createServer((socket) => socket.on("error", () => undefined)).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    const keys = { kind: "azure-key-vault", vault: `http://127.0.0.1:${port}` };
    const watermarks = { kind: "azure-table", endpoint: "https://127.0.0.1:9/account", table: "watermarks" };
    await writeFile(join(dir.path, "settings.yaml"), JSON.stringify({ ...LOCAL, keys, watermarks }));
    const env = { ...process.env, AZURE_POD_IDENTITY_AUTHORITY_HOST: `http://127.0.0.1:${port}` };
    const entry = resolve(import.meta.dirname, "../../../signer/tezos-signer.js");
    const child = spawn(process.execPath, [entry, "serve", ...CONFIG], { cwd: dir.path, env });
    let errors = "";
    child.stderr.on("data", (chunk) => (errors += chunk));
    await once(silent, "connection");
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    expect(await ended).to.deep.equal([0, null]);
    expect(errors).to.include("stopped before it listened").and.not.include('"msg":"listening"');
    silent.close();
  });

  it("ends with 0 on SIGTERM", async () => {
    await using dir = await folder();
    await using signer = await startSignerProcess(dir.path, CONFIG);
    expect(await signer.end("SIGTERM")).to.equal(0);
  });

  it("names every mistake of a settings file and ends", async () => {
    await using dir = await folder({ ...LOCAL, watermark: {}, listKnownKeys: "yes" });
    const message = await startSignerProcess(dir.path, CONFIG).catch((error: Error) => error.message);
    expect(message).to.match(/exit 4: /);
    expect(message).to.contain("watermark: there is no such setting");
    expect(message).to.contain("listKnownKeys:");
  });

  it("makes a test key on first use, prints the line for octez-client, and finds it again", async function () {
    await using dir = await temporaryFolder();
    let address: string | undefined;
    {
      await using signer = await onOwnPorts(this, dir.path);
      address = signer.addresses[0];
      expect(address).to.match(/^tz3/);
      expect(signer.output()).to.contain(`octez-client import secret key my_key http://127.0.0.1:6732/${address}`);
      expect((await sign(signer.url, address ?? "", attestation().toString("hex"))).status).to.equal(200);
      expect(await signer.end("SIGTERM")).to.equal(0);
    }
    await using signer = await onOwnPorts(this, dir.path);
    expect(signer.addresses).to.deep.equal([address]);
    expect(await readdir(join(dir.path, ".tezos-signer"))).to.include.members(["keys", "settings.yaml"]);
  });

  it("says in one sentence that an older Node will not do", function () {
    const older = ["/usr/bin/node", "/usr/local/bin/node"].find((path) => versionOf(path) < 24);
    requires(this, older !== undefined, "there is no Node older than 24 on this computer");
    const entry = resolve(import.meta.dirname, "../../../signer/tezos-signer.js");
    const run = () => execFileSync(older ?? "", [entry, "serve"], { stdio: "pipe", encoding: "utf8" });
    expect(run).to.throw(/tezos-signer needs Node\.js 24 or newer; this is v\d+/);
  });

  it("ships an example that is valid and that its comments describe", async () => {
    const { parseSettings } = await import("../../../signer/settings/parse.ts");
    const text = await readFile(resolve(import.meta.dirname, "../../../examples/local.yaml"), "utf8");
    expect(parseSettings(text, "examples/local.yaml").keys.kind).to.equal("local");
    expect(parseDocument(text).toJS()).to.have.nested.property("policy.default.allow");
  });
});

/** A signer without settings, on octez's port and the admin port. Skips the test where another program has one of them. */
async function onOwnPorts(context: Context, folder: string): Promise<SignerProcess> {
  // Asked by the start itself: a look beforehand would be out of date by then.
  return startSignerProcess(folder).catch((error: Error) => {
    const [inUse] = /port (6732|9583)\S* the port is in use/.exec(error.message) ?? [];
    requires(context, inUse === undefined, inUse ?? "");
    throw error;
  });
}

/** What a signer says that ends before it listens, its lines unwrapped. */
async function refusal(folder: string): Promise<string> {
  const ended = await startSignerProcess(folder, CONFIG).catch((error: Error) => error.message);
  if (typeof ended !== "string") throw new Error("it listens");
  return ended.trimEnd().replaceAll("\n", " ");
}

function versionOf(path: string): number {
  try {
    return Number(/\d+/.exec(execFileSync(path, ["--version"], { encoding: "utf8", stdio: "pipe" }))?.[0]);
  } catch {
    return Number.NaN;
  }
}
