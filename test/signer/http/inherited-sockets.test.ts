import { writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import type { Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { takeInheritedSockets } from "../../../signer/http/inherited-sockets.ts";
import { LIMITS } from "../../../signer/http/limits.ts";
import { encode } from "../../../signer/tezos/crypto/base58.ts";
import { SqliteStore } from "../../../signer/watermark/stores/sqlite.ts";
import { sign } from "../../emulators/octez-client.ts";
import { temporaryFolder } from "../../emulators/signer-process.ts";
import { attestation } from "../../fixtures/payloads.ts";
import { writeLocalKey } from "../../harness/local-key.ts";
import { SocketUnits, type SocketUnitsOptions } from "../../harness/socket-units.ts";

const SETTINGS = {
  keys: { kind: "local", path: "keys" },
  watermarks: { kind: "sqlite", path: "watermarks.sqlite", initialise: "always", maxStep: "off" },
  policy: { default: { allow: ["attestation"] } },
};

/** A folder with a key and a store: Node's permissions, as the unit has them, do not allow the fsync of a new file. */
async function folder() {
  const made = await temporaryFolder();
  await writeLocalKey(join(made.path, "keys"));
  const store = new SqliteStore(join(made.path, "watermarks.sqlite"));
  await store.establish("5f0c2a9e17d34b68");
  await store.close();
  return made;
}

/** Sockets, and a signer on them whose settings name `listen` and `admin`. */
function open(
  path: string,
  settings: (ports: SocketUnits["ports"]) => object = ({ signer, admin }) => ({
    listen: { port: signer },
    admin: { port: admin },
  }),
  options: SocketUnitsOptions = {},
): Promise<SocketUnits> {
  const write = async (ports: SocketUnits["ports"]) => {
    await writeFile(join(path, "settings.yaml"), JSON.stringify({ ...SETTINGS, ...settings(ports) }));
    return ["--config", "settings.yaml"];
  };
  return SocketUnits.open(path, write, options);
}

/** The one key of the signer that was started first. */
function addressOf({ listening: [first] }: SocketUnits): string {
  return String((first as { readonly keys: readonly string[] }).keys[0]);
}

/** Exit code and message of a start that fails. */
async function failure(...args: Parameters<typeof open>): Promise<string> {
  await using units = await open(...args);
  return `${await units.end()}: ${units.errors.replaceAll(/\s+/g, " ")}`;
}

/** An attestation of a chain of its own, so that it may be asked in any order. */
function payload(id: number): string {
  const chain = Buffer.alloc(4);
  chain.writeUInt32BE(id);
  return attestation({ chainId: encode("Net", chain) }).toString("hex");
}

/** What both clients wait for at once, where the computer is too busy for the rate: fewer than the signer takes. */
const MOST_WAITING = 100;

describe("sockets from systemd", () => {
  const env = (names: string, more: object = {}): NodeJS.ProcessEnv => ({
    LISTEN_PID: String(process.pid),
    LISTEN_FDS: String(names.split(":").length),
    LISTEN_FDNAMES: names,
    ...more,
  });

  it("are found by their names, in whatever order, and their variables are removed", () => {
    const given = env("admin:signer");
    expect(takeInheritedSockets(given)).to.deep.equal({ signer: 4, admin: 3 });
    expect(given).to.deep.equal({});
  });

  it("are another process's where LISTEN_PID is, and are left alone", () => {
    const given = env("signer:admin", { LISTEN_PID: "1" });
    expect(takeInheritedSockets(given)).to.equal(undefined);
    expect(given).to.deep.equal({});
    expect(takeInheritedSockets({})).to.equal(undefined);
  });

  for (const [names, reason] of [
    ["signer", /no socket named admin/],
    ["admin", /no socket named signer/],
    ["signer:admin:metrics", /a socket named metrics/],
    ["signer:signer", /2 sockets named signer/],
    ["", /a socket named ;/],
  ] as const) {
    it(`are refused as "${names}", with the names that it takes`, () => {
      const refused = () => takeInheritedSockets(env(names));
      expect(refused).to.throw(reason);
      expect(refused).to.throw(/FileDescriptorName=/);
    });
  }

  it("are refused where systemd passes another number than names", () => {
    expect(() => takeInheritedSockets(env("signer", { LISTEN_FDS: "2" }))).to.throw(/2 sockets and 1 names \(signer\)/);
  });

  it("are served under the unit's permissions, and admit clients while no process is there", async function () {
    this.timeout(60_000);
    await using dir = await folder();
    await using units = await open(dir.path, undefined, { restart: true });
    const { ports } = units;
    // Nobody may listen yet: this waits in the socket's queue.
    const early = fetch(`http://127.0.0.1:${ports.admin}/healthz`);
    await units.served(1);
    expect((await early).status).to.equal(200);
    expect(units.listening[0]).to.include({ url: units.url, admin: `http://127.0.0.1:${ports.admin}` });
    const address = addressOf(units);
    process.kill(units.pid, "SIGKILL");
    expect((await sign(units.url, address, payload(1))).status).to.equal(200);
    expect(units.listening).to.have.length(2);
  });

  it("may be named by port 0", async function () {
    this.timeout(60_000);
    await using dir = await folder();
    await using units = await open(dir.path, () => ({ listen: { port: 0 }, admin: { port: 0 } }));
    await units.served(1);
    expect(units.listening[0]).to.include({ url: units.url });
  });

  it("end the start in a sentence where port, address or names are not those of the settings", async function () {
    this.timeout(60_000);
    await using dir = await folder();
    const otherPort = await failure(dir.path, ({ admin }) => ({ listen: { port: 6732 }, admin: { port: admin } }));
    expect(otherPort).to.match(
      /^4: The socket .*descriptor 3 is on 127\.0\.0\.1, port \d+, and the settings say 127\.0\.0\.1, port 6732/,
    );
    expect(otherPort).to.contain("make ListenStream= of the socket unit and the settings the same");
    const otherHost = await failure(dir.path, ({ signer, admin }) => ({
      listen: { port: signer },
      admin: { port: admin, host: "127.0.0.2" },
    }));
    expect(otherHost).to.match(/descriptor 4 is on 127\.0\.0\.1, port \d+, and the settings say 127\.0\.0\.2/);
    expect(await failure(dir.path, undefined, { names: "signer", count: 1 })).to.contain("no socket named admin");
  });

  for (const [rate, restarts] of [
    [10, 2],
    [50, 1],
  ] as const) {
    it(`lose no request of clients that ask ${rate} times a second, over ${restarts} restart${restarts > 1 ? "s" : ""} of the signer`, async function () {
      this.timeout(900_000);
      await using dir = await folder();
      await using units = await open(dir.path, undefined, { restart: true });
      await units.served(1);
      const address = addressOf(units);
      const connections = keepingAgent();
      let id = 0;
      const waits: number[] = [];
      const bad = new Set<string>();
      let waiting = 0;
      const timed = async (ask: () => Promise<number>) => {
        if (waiting >= MOST_WAITING) return;
        waiting += 1;
        const start = performance.now();
        const status = await ask().catch((error: Error) => error);
        waits.push(performance.now() - start);
        waiting -= 1;
        if (status !== 200) bad.add(String(status));
      };
      const kept = () => post(`${units.url}/keys/${address}`, payload(id++), connections);
      const fresh = async () => (await sign(units.url, address, payload(id++), { retries: 0 })).status;
      const asked: Promise<void>[] = [];
      const clock = setInterval(() => asked.push(timed(kept), timed(fresh)), 1_000 / rate);
      for (let restart = 1; restart <= restarts; restart++) {
        // Whoever waited for this process has an answer, and others are on their way.
        await Promise.all(asked.splice(0));
        await sleep(100);
        process.kill(units.pid, "SIGTERM");
        await units.served(restart + 1);
      }
      clearInterval(clock);
      await Promise.all(asked);
      connections.agent.destroy();
      console.log(`        ${waits.length} requests, the longest wait ${Math.round(Math.max(...waits))} ms`);
      expect([...bad]).to.deep.equal([]);
    });
  }
});

/** Notes when a connection was used last. */
function keepingAgent(): { readonly agent: Agent; readonly rested: (socket: Socket) => number } {
  const agent = new Agent({ keepAlive: true });
  const used = new WeakMap<object, number>();
  agent.on("free", (socket) => used.set(socket, performance.now()));
  return { agent, rested: (socket) => performance.now() - (used.get(socket) ?? performance.now()) };
}

/**
 * One request on a kept connection. One that rested for nearly as long as a stopping signer waits may be closed just when
 * it is used again, here where the computer is too busy for the rate; as Node's own page on `reusedSocket` says, that is
 * asked again.
 * @returns the status
 */
function post(url: string, hex: string, kept: ReturnType<typeof keepingAgent>): Promise<number> {
  return new Promise((resolve, reject) => {
    let rested = 0;
    const sent = request(url, { method: "POST", agent: kept.agent }, (response) => {
      const done = () => resolve(response.statusCode ?? 0);
      response.resume().on("end", done).on("error", reject);
    });
    sent.on("socket", (socket) => {
      rested = kept.rested(socket);
    });
    sent.on("error", (error) => {
      if (sent.reusedSocket && rested > LIMITS.quietTimeout - 100) resolve(post(url, hex, kept));
      else reject(error);
    });
    sent.end(`"${hex}"`);
  });
}
