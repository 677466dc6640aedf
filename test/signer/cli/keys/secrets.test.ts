import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { formatKek, parseKek } from "../../../../signer/key-files/byok.ts";
import { decryptPem } from "../../../../signer/key-files/pem.ts";
import { PrivateKey } from "../../../../signer/key-files/private-key.ts";
import { encodeSecretKey } from "../../../../signer/tezos/crypto/secret-key.ts";
import { hasProgram } from "../../../emulators/has-program.ts";
import { shownPassphrase } from "../../../harness/keys-terminal.ts";
import { quickPem } from "../../../harness/local-key.ts";
import { type Answer, inTerminal, type Session } from "../../../harness/pseudo-terminal.ts";
import { requires } from "../../../harness/requires.ts";

const ENTRY = join(import.meta.dirname, "../../../../signer/tezos-signer.js");
const connected: readonly [RegExp, Answer] = [/here all the same\? \[y\/N\] $/, "y"];

/** A system call as strace prints it: its name, its arguments with file descriptors' paths, strings in \x form. */
interface Call {
  readonly name: string;
  readonly text: string;
}

/** Every form in which a key or passphrase might be found somewhere. */
function forms(key: PrivateKey, passphrase: string): Map<string, Buffer> {
  return key.withScalar((scalar) => {
    const bytes = Buffer.from(scalar);
    const pkcs8 = key.toPkcs8();
    return new Map([
      ["the passphrase", Buffer.from(passphrase)],
      ["the passphrase without dashes", Buffer.from(passphrase.replaceAll("-", ""))],
      ["the scalar", bytes],
      ["the scalar in hex", Buffer.from(bytes.toString("hex"))],
      ["the scalar in base64", Buffer.from(bytes.toString("base64").slice(0, 42))],
      ["the scalar in base64url", Buffer.from(bytes.toString("base64url").slice(0, 42))],
      ["the scalar in decimal", Buffer.from(BigInt(`0x${bytes.toString("hex")}`).toString())],
      ["the secret key of octez", Buffer.from(encodeSecretKey({ curve: key.publicKey.curve, scalar }))],
      ["the key in base64", Buffer.from(pkcs8.toString("base64").slice(40, 90))],
    ]);
  });
}

describe("secrets of the keys commands", function () {
  this.timeout(60_000);
  let directory: string;
  let key: PrivateKey;
  const passphrase = "correct horse battery staple";
  const at = (name: string) => join(directory, name);

  beforeEach(function () {
    requires(this, hasProgram("script"), "script(1) makes the pseudo-terminal");
    directory = mkdtempSync(join(tmpdir(), "tezos-signer-secrets-"));
    key = PrivateKey.generate("P-256K");
    writeFileSync(at("key.pem"), quickPem(key, Buffer.from(passphrase)));
  });
  afterEach(() => {
    if (directory !== undefined) rmSync(directory, { recursive: true });
  });

  /** Runs a command in a pseudo-terminal under strace. */
  async function traced(
    args: readonly string[],
    answers: readonly (readonly [RegExp, Answer])[],
  ): Promise<Session & { readonly calls: Call[] }> {
    const strace = ["strace", "-f", "-qq", "-v", "-y", "-xx", "-s", "1000000", "-o", at("trace")];
    const traces = ["-e", "trace=execve,%network,%file,write,writev,pwrite64,pwritev"];
    const session = await inTerminal(
      [...strace, ...traces, process.execPath, ENTRY, "keys", ...args],
      [...answers, connected],
      { cwd: directory, env: { UV_USE_IO_URING: "0" } },
    );
    const lines = readFileSync(at("trace"), "latin1").split("\n");
    const calls = lines.flatMap((text) => {
      const name = /^\d+ +(?:<\.\.\. )?(\w+)/.exec(text)?.[1];
      return name === undefined ? [] : [{ name, text: text.replace(/<(\\x[0-9a-f]{2})+>/g, plain) }];
    });
    rmSync(at("trace"));
    return { ...session, calls };
  }

  /** strace -xx escapes the paths of file descriptors as well. */
  function plain(text: string): string {
    return text.replace(/\\x([0-9a-f]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  }

  /** The bytes of all strings of a call. */
  function bytesOf({ text }: Call): Buffer {
    const strings = [...text.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map((match) => match[1] ?? "");
    return Buffer.from(strings.join("").replaceAll("\\x", ""), "hex");
  }

  function openedForWriting(calls: readonly Call[]): string[] {
    const opened = calls.filter(({ name, text }) => name.startsWith("open") && /O_WRONLY|O_RDWR|O_CREAT/.test(text));
    const paths = opened.map(({ text }) => plain(/"((?:\\x[0-9a-f]{2})+)"/.exec(text)?.[1] ?? "?"));
    return [...new Set(paths)].filter((path) => !/^\/dev\/(tty|null|pts\/\d+)$/.test(path)).sort();
  }

  /** Asserts that no call but a write to the terminal carries a secret. */
  function expectNoLeak(calls: readonly Call[], secrets: Map<string, Buffer>): void {
    expect(calls.filter(({ name }) => name === "execve")).to.have.length.greaterThan(0);
    expect(calls.filter(({ name }) => name === "write")).to.have.length.greaterThan(0);
    for (const call of calls) {
      if (call.name === "write" && /^\d+ +write\(\d+<\/dev\/(pts\/\d+|tty)>/.test(call.text)) continue;
      const bytes = bytesOf(call);
      for (const [what, secret] of secrets) {
        expect(bytes.includes(secret), `${what} in ${call.text.slice(0, 100)}`).to.equal(false);
      }
    }
  }

  /** Asserts that a command spoke to no network, and that it started no program but the one that forbids core files. */
  function expectAlone(calls: readonly Call[]): void {
    const sockets = calls.filter(({ name, text }) => name === "socket" && !text.includes("AF_NETLINK"));
    expect(sockets.map(({ text }) => text)).to.deep.equal([]);
    const programs = calls.filter(({ name, text }) => name === "execve" && text.endsWith("= 0"));
    const words = programs.map(({ text }) => [...plain(text).matchAll(/"([^"]*)"/g)].map((match) => match[1]));
    expect(words.map(([path]) => path?.split("/").at(-1))).to.deep.equal(["node", "prlimit"]);
    expect(words[1]?.slice(1, 5)).to.deep.equal(["prlimit", "--pid", words[1]?.[3], "--core=0:0"]);
  }

  it("would show on the screen of a terminal whose program does not care", async () => {
    const careless = ["sh", "-c", "printf 'Passphrase: '; read -r typed"];
    const { screen } = await inTerminal(careless, [[/Passphrase: $/, passphrase]]);
    expect(screen).to.include(passphrase);
  });

  describe("under strace", () => {
    before(function () {
      requires(this, hasProgram("strace"), "strace shows what a process does");
    });

    it("generate writes the secret to the terminal alone, and no file but the key", async () => {
      const { code, screen, calls } = await traced(
        ["generate", "--curve", "P-256", "--out", at("new.pem")],
        [
          [/hide it\. $/, ""],
          [/from the paper: $/, shownPassphrase],
        ],
      );
      expect(code, screen).to.equal(0);
      const made = shownPassphrase(screen);
      using opened = decryptPem(readFileSync(at("new.pem"), "utf8"), Buffer.from(made));
      expectNoLeak(calls, forms(opened, made));
      expectAlone(calls);
      expect(openedForWriting(calls)).to.deep.equal(["/proc/self/coredump_filter", at("new.pem")].sort());
      expect(screen.split(made), "shown once").to.have.length(2);
      // What the trace would have shown of a leak: it does show the key file's content, and the terminal's.
      expect(calls.some((call) => bytesOf(call).includes("BEGIN ENCRYPTED PRIVATE KEY"))).to.equal(true);
      expect(calls.some((call) => bytesOf(call).includes(made))).to.equal(true);
    });

    it("check writes no file and no secret", async () => {
      const { code, screen, calls } = await traced(["check", at("key.pem")], [[/from the paper: $/, passphrase]]);
      expect(code, screen).to.equal(0);
      expectNoLeak(calls, forms(key, passphrase));
      expectAlone(calls);
      expect(openedForWriting(calls)).to.deep.equal(["/proc/self/coredump_filter"]);
      expect(screen).not.to.include(passphrase);
    });

    it("wrap writes the blob alone, and no secret", async () => {
      const jwk = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ format: "jwk" });
      const kek = formatKek({
        kid: "https://example.vault.azure.net/keys/import-kek/0123456789abcdef0123456789abcdef",
        kty: "RSA-HSM",
        key_ops: ["import"],
        n: Buffer.from(jwk.n ?? "", "base64url"),
        e: Buffer.from(jwk.e ?? "", "base64url"),
      });
      writeFileSync(at("kek.json"), kek);
      const { code, screen, calls } = await traced(
        ["wrap", at("key.pem"), "--kek", at("kek.json"), "--out", at("key.byok")],
        [
          [/groups of 4\): $/, parseKek(kek).fingerprint],
          [/from the paper: $/, passphrase],
        ],
      );
      expect(code, screen).to.equal(0);
      expectNoLeak(calls, forms(key, passphrase));
      expectAlone(calls);
      expect(openedForWriting(calls)).to.deep.equal(["/proc/self/coredump_filter", at("key.byok")].sort());
      expect(screen).not.to.include(passphrase);
    });
  });

  describe("in a core file", () => {
    before(function () {
      const pattern = readFileSync("/proc/sys/kernel/core_pattern", "utf8");
      requires(this, /^core\b/.test(pattern), "core files go elsewhere on this computer (kernel.core_pattern)");
    });

    /** Runs words in a pseudo-terminal with core files allowed. `kill` at the prompt; @returns the core file */
    async function coreOf(words: readonly string[], answers: readonly (readonly [RegExp, Answer])[]): Promise<Buffer> {
      const start = `ulimit -c unlimited; echo $$ >'${at("pid")}'; exec "$@"`;
      await inTerminal(["sh", "-c", start, "sh", ...words], answers, { cwd: directory });
      const name = readdirSync(directory).find((each) => /^core/.test(each));
      return name === undefined ? Buffer.alloc(0) : readFileSync(at(name));
    }
    const abort = () => {
      execFileSync("kill", ["-ABRT", readFileSync(at("pid"), "utf8").trim()]);
      return "";
    };

    it("there is nothing, though there would be the passphrase without our care", async () => {
      const control = await coreOf(["sh", "-c", "echo ready; read -r typed", passphrase], [[/ready/, abort]]);
      expect(control.includes(passphrase), "a core file of a process that does not care").to.equal(true);
      for (const name of readdirSync(directory).filter((each) => /^core/.test(each))) rmSync(at(name));

      let made = "";
      const core = await coreOf(
        [process.execPath, ENTRY, "keys", "generate", "--curve", "P-256", "--out", at("new.pem")],
        [
          [/hide it\. $/, ""],
          [
            /from the paper: $/,
            (screen) => {
              made = shownPassphrase(screen);
              return abort();
            },
          ],
          connected,
        ],
      );
      expect(made).to.match(/^(\w{4}-){6}\w{4}$/);
      expect(core.length, "bytes of a core file").to.equal(0);
      expect(existsSync(at("new.pem"))).to.equal(false);
    });
  });
});
