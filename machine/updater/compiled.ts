import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { messageOf } from "../../signer/errors.ts";
import { oneLine } from "./checks.ts";
import type { Ended, Run } from "./command.ts";
import { syncFolder } from "./disk.ts";

const UNIT = "tezos-signer-compile";
/** Where the signer's service finds it, in the folder of its release (NODE_COMPILE_CACHE= of the unit). */
const FOLDER = "compiled";
/** Says for which Node.js and which processor it was made. */
const MARK = "made-for";
/** How Node.js names the files of its compile cache, and the folder for one user's: the user's number comes last. */
const FILE = /^[0-9a-f]{8}$/;
const USERS_FOLDER = /^(.+-)\d+$/;
/** Prints what must be the same for V8 to take what it made. */
const FINGERPRINT = "[process.version, process.arch, v8.cachedDataVersionTag()].join(' ')";

/** Writes nothing but the result, reaches nobody, and gives way to the signer beside it. */
const SANDBOX = [
  "DynamicUser=yes",
  "PrivateNetwork=yes",
  "PrivateUsers=yes",
  "PrivateDevices=yes",
  "ProtectSystem=strict",
  "ProtectHome=yes",
  "ProtectProc=invisible",
  "ProtectKernelTunables=yes",
  "ProtectControlGroups=yes",
  "NoNewPrivileges=yes",
  "CapabilityBoundingSet=",
  "RestrictAddressFamilies=AF_UNIX",
  "RestrictNamespaces=yes",
  "SystemCallFilter=@system-service",
  `RuntimeDirectory=${UNIT}`,
  "RuntimeDirectoryPreserve=yes",
  "RuntimeMaxSec=120",
  "MemoryMax=320M",
  "MemorySwapMax=0",
  "OOMScoreAdjust=900",
  "CPUWeight=10",
  "IOWeight=10",
];

/**
 * What Node.js makes of a release's modules before it runs them (types stripped, code compiled), kept in the release's
 * folder: a third of a start. It is code, and nothing checks it when it is run. So it is made on this machine, from the
 * release's own files alone, by a user who has no network and whom nobody else is, and it is root's from then on: the
 * service can only read it. A start without it, or with a damaged one, takes longer and works.
 */
export class Compiled {
  readonly #run: Run;
  readonly #output: string;
  readonly #places: readonly string[];
  readonly #program: string;

  /**
   * @param runtime /run
   * @param program compile.ts, where a user without a home can read it
   */
  constructor(run: Run, runtime = "/run", program = join(import.meta.dirname, "compile.ts")) {
    this.#run = run;
    this.#program = program;
    this.#output = join(runtime, UNIT);
    // systemd keeps that of a passing user apart, and leads there.
    this.#places = [this.#output, join(runtime, "private", UNIT)];
  }

  /**
   * Makes that of the release at a place, where it has none for this Node.js on this processor. Killed at any point, it
   * leaves a whole one or none.
   * @returns why there is none, in words; undefined where there is one
   */
  make(place: string): string | undefined {
    const node = join(place, "node/bin/node");
    const flags = flagsOf(place);
    const asked = this.#run(node, ...flags, "--print", FINGERPRINT);
    if (asked.status !== 0) return oneLine(asked.output);
    const folder = join(place, FOLDER);
    if (textOf(join(folder, MARK)) === asked.output) return undefined;
    this.#clean();
    try {
      const { status, output } = this.#compile(place, [node, ...flags]);
      return status === 0 ? this.#keep(folder, asked.output) : oneLine(output);
    } catch (error) {
      return oneLine(messageOf(error));
    } finally {
      this.#clean();
    }
  }

  #compile(place: string, node: readonly string[]): Ended {
    const own = [`WorkingDirectory=${place}`, `Environment=NODE_COMPILE_CACHE=${this.#output}`];
    const properties = [...SANDBOX, ...own].map((property) => `--property=${property}`);
    const options = ["--quiet", "--wait", "--collect", "--pipe", `--unit=${UNIT}`];
    // Node.js takes no rights where it is not told to ask for them.
    const asked = node.includes("--permission") ? ["read", "write"] : [];
    const rights = asked.map((right) => `--allow-fs-${right}=${this.#output}`);
    return this.#run("systemd-run", ...options, ...properties, ...node, ...rights, this.#program);
  }

  /** Copies what was made, once its maker has ended: plain files alone, under the number of the user who is to read them. */
  #keep(folder: string, mark: string): string | undefined {
    const reader = this.#run("id", "--user", "tezos-signer").output;
    const [made] = readdirSync(this.#output).filter((name) => USERS_FOLDER.test(name));
    if (made === undefined) return "Node.js has written nothing";
    const draft = `${folder}.new`;
    rmSync(draft, { recursive: true, force: true });
    const into = join(draft, made.replace(USERS_FOLDER, `$1${reader}`));
    mkdirSync(into, { recursive: true });
    for (const entry of readdirSync(join(this.#output, made), { withFileTypes: true })) {
      if (!entry.isFile() || !FILE.test(entry.name)) continue;
      writeFileSync(join(into, entry.name), readFileSync(join(this.#output, made, entry.name)));
    }
    writeFileSync(join(draft, MARK), mark);
    const synced = this.#run("sync", "--file-system", draft);
    if (synced.status !== 0) return oneLine(synced.output);
    rmSync(folder, { recursive: true, force: true });
    renameSync(draft, folder);
    syncFolder(dirname(folder));
    return undefined;
  }

  /** Ends what a killed updater has left, and removes it. */
  #clean(): void {
    this.#run("systemctl", "stop", `${UNIT}.service`);
    for (const place of this.#places) rmSync(place, { recursive: true, force: true });
  }
}

/** The flags that the service gives to Node.js: with others of V8 it takes nothing of what was made. */
function flagsOf(place: string): readonly string[] {
  const unit = textOf(join(place, "machine/files/etc/systemd/system/tezos-signer.service")) ?? "";
  return /^ExecStart=\S+ (.*) signer\/tezos-signer\.js /m.exec(unit)?.[1]?.split(" ") ?? [];
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
