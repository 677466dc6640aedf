import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type Azurite, azurite, tableCredential } from "../../emulators/azurite.ts";
import { Imds } from "../../emulators/imds/imds.ts";
import type { Permission } from "../../emulators/key-vault/access.ts";
import { KeyVaultEmulator } from "../../emulators/key-vault/emulator.ts";
import { temporaryFolder } from "../../emulators/signer-process.ts";

/** What is answered, before it goes out. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** Changes an answer. */
export interface Twist {
  readonly host: RegExp;
  readonly path: RegExp;
  readonly method?: string;
  readonly change: (answer: Answer) => void;
}

/** By the clocks of machine and table. */
const NOW = "2026-11-29T12:00:00Z";

/** The machine's identity. */
export const SIGNER = {
  clientId: "aaaaaaaa-1111-4222-8333-444444444444",
  objectId: "bbbbbbbb-1111-4222-8333-444444444444",
};

/** Programs that the machine has, and this computer may not: each prints a text and ends with a code. */
export const PROGRAMS = {
  "apt-get": ["Hit:1 http://azure.archive.ubuntu.com/ubuntu noble InRelease\nReading package lists...", 0],
  chronyc: ["#* PHC0  0  3  377  5  +8ns[ +14ns] +/-  2000ns", 0],
  systemctl: ["", 0],
  journalctl: ["tezos-signer-bootstrap: 403, again\ntezos-signer-bootstrap: the release is on the disk", 0],
  ls: ["/dev/ptp_hyperv", 0],
  test: ["", 0],
} as const;

type Program = keyof typeof PROGRAMS;

/**
 * Leads every connection of the machine's script to the services that are played here, by the host that it means, and every
 * pause to their clock.
 */
const LED = `
import http.client as _http, socket as _socket
_create = _socket.create_connection
def _led(address, *rest):
    if address[0] == "nodejs.org":
        import os as _os
        if _os.environ["ELSEWHERE"] == "silent": raise TimeoutError()
        return _create(("127.0.0.1", PORT))
    return _create(address, *rest)
_socket.create_connection = _led
class _Led(_http.HTTPConnection):
    def connect(self): self.sock = _create(("127.0.0.1", PORT), self.timeout)
def _sleep(seconds):
    line = _http.HTTPConnection("127.0.0.1", PORT)
    line.request("GET", "/%s" % seconds, headers={"Host": "clock"})
    line.getresponse().read()
_ticks = iter(range(10**9))
class _Clock:
    sleep = staticmethod(_sleep)
    monotonic = staticmethod(lambda: next(_ticks) * SECONDS)
    time = staticmethod(lambda: NOW)
_http.HTTPConnection, _Plain = _Led, _http.HTTPConnection
_http.HTTPSConnection = _Led
`;

/** Everything that a machine of Azure's asks: metadata, vaults, table, releases; and the machine itself. */
export class PlayedNetwork implements AsyncDisposable {
  readonly twists: Twist[] = [];
  readonly programs: Record<Program, readonly [text: string, code: number]> = { ...PROGRAMS };
  /** How a connection to nodejs.org goes, which the firewall does not let out. */
  elsewhere: "silent" | "open" = "silent";
  /** Each look at the machine's clock is seconds after the one before. */
  slow = false;
  /** Whether the watermarks' account takes shared keys. */
  takesSharedKeys = false;
  /** Scripts that ran on the machine. */
  readonly scripts: string[] = [];
  /** Called before a script runs. */
  before: (script: string) => void | Promise<void> = () => undefined;
  /** Vaults by name. */
  readonly vaults = new Map<string, KeyVaultEmulator>();
  readonly imds: Imds;
  readonly #server: Server;
  readonly #azurite: Azurite;
  readonly #folder: Awaited<ReturnType<typeof temporaryFolder>>;
  readonly #now = Date.now;
  #later = 0;

  private constructor(imds: Imds, table: Azurite, folder: Awaited<ReturnType<typeof temporaryFolder>>) {
    this.imds = imds;
    this.#azurite = table;
    this.#folder = folder;
    mkdirSync(join(folder.path, "bin"));
    this.#server = createServer(async (request, response) => {
      const { host = "" } = request.headers;
      const answer = this.#twisted(await this.#answer(request), host, request.url ?? "", request.method ?? "");
      response.writeHead(answer.status, answer.headers).end(answer.body);
    });
    // The emulators' clock: whoever pauses on the machine moves it on.
    Date.now = () => this.#now() + this.#later;
  }

  static async start(): Promise<PlayedNetwork> {
    const imds = await Imds.start({ identities: [SIGNER] });
    const played = new PlayedNetwork(imds, await azurite(), await temporaryFolder());
    await new Promise<void>((resolve) => played.#server.listen(0, "127.0.0.1", resolve));
    await played.#table("POST", "/Tables", JSON.stringify({ TableName: "watermarks" }));
    return played;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** A vault that answers. @param policies by object id */
  async vault(name: string, policies: Readonly<Record<string, readonly string[]>>): Promise<KeyVaultEmulator> {
    const known = policies as Readonly<Record<string, readonly Permission[]>>;
    const vault = await KeyVaultEmulator.start({ tokens: this.imds.tokens, policies: known, deleteDelay: 3_000 });
    this.vaults.set(name, vault);
    return vault;
  }

  async close(name: string): Promise<void> {
    await this.vaults.get(name)?.stop();
    this.vaults.delete(name);
  }

  /** Runs a script as Azure's agent does. @returns what it printed */
  async run(script: string): Promise<string> {
    this.scripts.push(script);
    await this.before(script);
    const { path } = this.#folder;
    for (const [name, [text, code]] of Object.entries(this.programs)) {
      const file = join(path, "bin", name);
      writeFileSync(file, `#!/bin/sh\ncat <<'X'\n${text}\nX\nexit ${code}\n`);
      chmodSync(file, 0o755);
    }
    const start = "exec python3 -I - <<'END_OF_PROGRAM'\n";
    const led = script
      .replace(start, () => start + this.#led())
      .replace("\nimport time\n", "\ntime = _Clock\n")
      .replace("test -e /opt/", "env test -e /opt/"); // the shell has one of its own
    const env = { PATH: `${join(path, "bin")}:${process.env.PATH}`, ELSEWHERE: this.elsewhere };
    return new Promise((resolve) => {
      execFile("bash", ["-c", led], { env, cwd: path, maxBuffer: 2 ** 24 }, (_, stdout, stderr) => {
        resolve(stdout === "" ? stderr : stdout);
      });
    });
  }

  #led(): string {
    const values = { PORT: this.port, SECONDS: this.slow ? 3 : 0.002, NOW: Date.parse(NOW) / 1_000 };
    return Object.entries(values).reduce((text, [name, value]) => text.replaceAll(name, String(value)), LED);
  }

  /** What this computer is answered, which is no machine's. */
  async outside(url: string, headers: Readonly<Record<string, string>>): Promise<{ status: number; text: string }> {
    const { host, pathname } = new URL(url);
    const { status, body } = this.#twisted(this.#toStrangers(host, headers), `from-here.${host}`, pathname, "GET");
    return { status, text: status < 400 ? "" : body };
  }

  #toStrangers(host: string, headers: Readonly<Record<string, string>>): Answer {
    if (!host.endsWith(".vault.azure.net")) return noRelease("PublicAccessNotPermitted");
    if (headers.authorization === undefined) return { status: 401, headers: {}, body: "" };
    const error = {
      code: "Forbidden",
      message: "Client address is not authorized",
      innererror: { code: "ForbiddenByFirewall" },
    };
    return { status: 403, headers: {}, body: JSON.stringify({ error }) };
  }

  #twisted(answer: Answer, host: string, path: string, method: string): Answer {
    for (const twist of this.twists) {
      const isOf = twist.host.test(host) && twist.path.test(path);
      if (isOf && (twist.method ?? method) === method) twist.change(answer);
    }
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    Date.now = this.#now;
    this.#server.closeAllConnections();
    this.#server.close();
    for (const name of [...this.vaults.keys()]) await this.close(name);
    await this.imds.stop();
    await this.#folder[Symbol.asyncDispose]();
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const host = request.headers.host ?? "";
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    const path = request.url ?? "";
    // What a process of its own asks from this computer: from-here.ts leads it here.
    if (path.startsWith("/from-here?")) {
      const url = new URL(path, "http://x").searchParams.get("url") ?? "";
      const { authorization } = request.headers;
      const heard = await this.outside(url, authorization === undefined ? {} : { authorization });
      return { status: heard.status, headers: {}, body: heard.text };
    }
    if (host === "clock") {
      this.#later += Number(path.slice(1)) * 1_000;
      return { status: 200, headers: {}, body: "" };
    }
    if (host === "169.254.169.254") return this.#pass(this.imds.url + path, request, body);
    const vault = this.vaults.get(host.split(".")[0] ?? "");
    // A key of half the length is made in a tenth of the time.
    if (vault !== undefined)
      return this.#pass(vault.url + path, request, body.replace('"key_size": 4096', '"key_size": 2048'));
    if (host.endsWith(".blob.core.windows.net")) return this.#release(request);
    if (host.endsWith(".table.core.windows.net")) return this.#row(request, path, body);
    return { status: 502, headers: {}, body: "" };
  }

  async #pass(url: string, { method = "", headers }: IncomingMessage, body: string): Promise<Answer> {
    const kept = ["authorization", "metadata", "content-type"].flatMap((name) => {
      const value = headers[name];
      return typeof value === "string" ? [[name, value] as const] : [];
    });
    const sent = ["GET", "HEAD"].includes(method) ? {} : { body };
    return read(await fetch(url, { method, headers: Object.fromEntries(kept), ...sent }));
  }

  #isKnown({ headers }: IncomingMessage, audience: string): boolean {
    const token = /^Bearer (.+)$/.exec(headers.authorization ?? "")?.[1] ?? "";
    const claims = this.imds.tokens.check(token, audience);
    return typeof claims === "object" && "oid" in claims && claims.oid === SIGNER.objectId;
  }

  #release(request: IncomingMessage): Answer {
    if (this.#isKnown(request, "https://storage.azure.com")) {
      return { status: 200, headers: { "Content-Length": "116000000", "x-ms-blob-type": "BlockBlob" }, body: "" };
    }
    return noRelease(request.headers.authorization === undefined ? "PublicAccessNotPermitted" : "AuthenticationFailed");
  }

  async #row(request: IncomingMessage, path: string, body: string): Promise<Answer> {
    const { method = "", headers } = request;
    if (headers.authorization?.startsWith("SharedKey")) {
      const code = this.takesSharedKeys ? "AuthenticationFailed" : "KeyBasedAuthenticationNotPermitted";
      return { status: 403, headers: {}, body: JSON.stringify({ "odata.error": { code } }) };
    }
    if (!this.#isKnown(request, "https://storage.azure.com")) {
      return { status: 403, headers: {}, body: '{"odata.error":{"code":"AuthorizationPermissionMismatch"}}' };
    }
    const match = headers["if-match"];
    const answer = await this.#table(method, path, body, typeof match === "string" ? { "If-Match": match } : {});
    return { ...answer, headers: { ...answer.headers, date: new Date(NOW).toUTCString() } };
  }

  async #table(method: string, path: string, body: string, more: Record<string, string> = {}): Promise<Answer> {
    const token = (await tableCredential.getToken("https://storage.azure.com/.default"))?.token;
    const headers = {
      authorization: `Bearer ${token}`,
      "x-ms-version": "2019-02-02",
      accept: "application/json;odata=minimalmetadata",
      "content-type": "application/json",
      ...more,
    };
    const sent = ["GET", "HEAD"].includes(method) ? {} : { body };
    return read(await fetch(this.#azurite.endpoint + path, { method, headers, ...sent }));
  }
}

function noRelease(code: string): Answer {
  return { status: 409, headers: {}, body: `<?xml version="1.0"?><Error><Code>${code}</Code></Error>` };
}

async function read(response: Response): Promise<Answer> {
  const left = new Set(["connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding"]);
  const headers = Object.fromEntries([...response.headers].filter(([name]) => !left.has(name)));
  return { status: response.status, headers, body: await response.text() };
}
