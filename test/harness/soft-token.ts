import { execFileSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Context } from "mocha";
import type { PrivateKey } from "../../signer/key-files/private-key.ts";
import { subjectPublicKeyInfo } from "../../signer/key-files/private-key.ts";
import { FaultLog } from "../../signer/keys/fault-log.ts";
import { TokenConnection } from "../../signer/keys/pkcs11/connection.ts";
import type { Curve } from "../../signer/tezos/crypto/curve.ts";
import { hasProgram } from "../emulators/has-program.ts";
import type { SignerProcess } from "../emulators/signer-process.ts";
import { logLines } from "./log-lines.ts";
import { requires } from "./requires.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const INCLUDES = join(ROOT, "hardware/node_modules/pkcs11js/includes");

/** Debian's package libsofthsm2, on any processor. */
const [SOFTHSM = ""] = globSync("/usr/lib/{softhsm,*/softhsm}/libsofthsm2.so");

export const PIN = "correct-horse-7";

/** Skips the running test where SoftHSM2, or the package that loads it, is not there. */
export function requiresToken(context: Context): void {
  requires(context, SOFTHSM !== "" && hasProgram("softhsm2-util"), "SoftHSM2 is not installed (.ci/machine-tools)");
  requires(context, existsSync(INCLUDES), "pkcs11js is not built (npm run hardware)");
}

let folder: string | undefined;

/** The one folder of tokens of this process and its children: SoftHSM2 finds it by the environment. */
function tokenFolder(): string {
  if (folder !== undefined) return folder;
  const made = mkdtempSync(join(tmpdir(), "tokens-"));
  const conf = join(made, "softhsm2.conf");
  writeFileSync(conf, `directories.tokendir = ${made}\nobjectstore.backend = file\nlog.level = ERROR\n`);
  process.env.SOFTHSM2_CONF = conf;
  process.on("exit", () => rmSync(made, { recursive: true, force: true }));
  folder = made;
  return made;
}

let faultyModule: string | undefined;

/** Compiles the module that misbehaves when it is told to, once. @returns its path */
function buildFaultyModule(): string {
  if (faultyModule !== undefined) return faultyModule;
  const path = join(tokenFolder(), "faulty.so");
  const source = join(ROOT, "test/emulators/pkcs11/faulty-module.c");
  execFileSync("cc", ["-shared", "-fPIC", "-O1", `-I${INCLUDES}`, "-o", path, source, "-ldl"]);
  process.env.FAULTY_MODULE_TARGET = SOFTHSM;
  process.env.FAULTY_MODULE_FOLDER = tokenFolder();
  faultyModule = path;
  return path;
}

/** The process that the signer has the token's library in. */
export function libraryOf({ child: { pid } }: SignerProcess): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").map(Number);
  const [found] = children;
  if (found === undefined || found === 0) throw new Error("the signer has no process with the token's library");
  return found;
}

let tokens = 0;

/** A token of SoftHSM2, with a PIN in a file. */
export class SoftToken implements Disposable {
  readonly label: string;
  readonly pinFile: string;
  readonly module: string;

  private constructor(label: string, pinFile: string, module: string) {
    this.label = label;
    this.pinFile = pinFile;
    this.module = module;
  }

  /** @param kind `faulty`: by way of the module that misbehaves when it is told to */
  static make(kind: "plain" | "faulty" = "plain"): SoftToken {
    tokens += 1;
    const label = `token ${process.pid} ${tokens}`;
    const pinFile = join(tokenFolder(), `pin-${tokens}`);
    writeFileSync(pinFile, `${PIN}\n`, { mode: 0o600 });
    const words = ["--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "12345678"];
    execFileSync("softhsm2-util", words, { stdio: "ignore" });
    return new SoftToken(label, pinFile, kind === "faulty" ? buildFaultyModule() : SOFTHSM);
  }

  /** `keys` of a signer's settings. */
  get settings() {
    return { kind: "pkcs11" as const, module: this.module, tokenLabel: this.label, pin: { file: this.pinFile } };
  }

  /** Makes a key on it, as an administrator does with the product's own command. */
  async generate(label: string, curve: Curve, id = Buffer.from(label).toString("hex")): Promise<void> {
    await this.#ask((connection) => connection.ask("generate", { label, id, curve }, AbortSignal.timeout(30_000)));
  }

  /** Brings a key onto it. */
  async import(label: string, key: PrivateKey): Promise<void> {
    const point = Uint8Array.from(subjectPublicKeyInfo(key.publicKey).subarray(-65));
    const { curve } = key.publicKey;
    const id = Buffer.from(label).toString("hex");
    const scalar = key.withScalar((copy) => Uint8Array.from(copy));
    const ask = { label, id, curve, scalar, point };
    await this.#ask((connection) => connection.ask("import", ask, AbortSignal.timeout(30_000)));
  }

  /** Deletes it with SoftHSM2's own tool. */
  delete(): void {
    execFileSync("softhsm2-util", ["--delete-token", "--token", this.label], { stdio: "ignore" });
  }

  /** Writes the file of the PIN, as an operator does. */
  writePin(pin: string): void {
    writeFileSync(this.pinFile, `${pin}\n`);
    // Two writes within the file system's clock's grain are two all the same.
    utimesSync(this.pinFile, new Date(), new Date(Date.now() + 1_000 * (1 + Math.random())));
  }

  /** How often a function of the faulty module was called since the last `tell`. */
  calls(name: string): number {
    const text = readFileSync(join(tokenFolder(), "calls"), { encoding: "utf8", flag: "a+" });
    return text.split("\n").filter((line) => line === name).length;
  }

  /** Tells the faulty module how to misbehave: `FUNCTION WHAT [once]`; without words, not to. */
  tell(fault?: string): void {
    const file = join(tokenFolder(), "fault");
    writeFileSync(join(tokenFolder(), "calls"), "");
    if (fault === undefined) rmSync(file, { force: true });
    else writeFileSync(file, fault);
  }

  [Symbol.dispose](): void {
    if (this.module === faultyModule) this.tell();
    this.delete();
  }

  async #ask(work: (connection: TokenConnection) => Promise<unknown>): Promise<void> {
    const connection = new TokenConnection({
      place: { module: this.module, tokenLabel: this.label },
      pinFile: this.pinFile,
      log: new FaultLog(logLines().log, "the token"),
      patience: 30_000,
      onView: () => undefined,
    });
    try {
      await work(connection);
    } finally {
      await connection.close();
    }
  }
}
