import { execFile } from "node:child_process";
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { temporaryFolder } from "../emulators/signer-process.ts";
import { SOURCE } from "../fixtures/payloads.ts";

/**
 * The lines of the pages that a reader sends to the machine by Azure's run command, and a machine to send them to: `az`
 * runs the script here, among programs that print what the machine's own print at their longest.
 * @module
 */

const root = resolve(import.meta.dirname, "../..");
const ENTRY = join(root, "signer/tezos-signer.js");

/** What run command keeps of a script's output: its end. https://learn.microsoft.com/azure/virtual-machines/linux/run-command */
export const KEPT_BYTES = 4_096;

/** What a page sends. */
export interface PageScripts {
  readonly page: string;
  /** The page's own definition of `on`, where it has one. */
  readonly definition: string;
  /** Lines for a shell, in the page's order. */
  readonly lines: readonly string[];
}

/** Every page that sends something. */
export function pageScripts(): PageScripts[] {
  return globSync(["*.md", "docs/**/*.md"], { cwd: root })
    .sort()
    .map((page) => {
      const code = codeOf(readFileSync(join(root, page), "utf8"));
      const lines = code.filter((line) => /(?:^|\()on ['"a-z]|^az vm run-command .*--scripts |^--scripts /.test(line));
      return { page, definition: code.find((line) => line.startsWith("on() {")) ?? "", lines: lines.map(whole) };
    })
    .filter(({ lines }) => lines.length > 0);
}

/** Lines of code blocks, those that a backslash joins as one, and what stands in backquotes. */
function codeOf(text: string): string[] {
  const fence = /^ *```\w*\n([\s\S]*?)^ *```$/gm;
  const blocks = [...text.matchAll(fence)].flatMap(([, code = ""]) => code.replaceAll(/ \\\n\s*/g, " ").split("\n"));
  const quoted = [...text.replaceAll(fence, "").matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code);
  return [...blocks, ...quoted.map((code) => code.replaceAll("\\|", "|"))].map((line) => line.trim());
}

function whole(line: string): string {
  return line.startsWith("--scripts ") ? `az vm run-command invoke ${line}` : line;
}

/** What the machine's programs print. */
export interface MachinePrints {
  /** Settings of the store that `watermarks` commands work on. */
  readonly config: string;
  /** The admin port that `status` asks. */
  readonly adminUrl: string;
  /** The whole log, a line each. */
  readonly log: readonly string[];
  /** userData's text, and the updater's state. */
  readonly userData: string;
  readonly state: string;
}

/** An operator's folder, with an `az` that reaches a machine. */
export class Stage implements AsyncDisposable {
  /** Where the operator's lines run. */
  readonly folder: string;
  readonly #root: string;

  private constructor(path: string) {
    this.#root = path;
    this.folder = join(path, "operator");
  }

  static async make({ config, adminUrl, log, userData, state }: MachinePrints): Promise<Stage> {
    const { path } = await temporaryFolder();
    const stage = new Stage(path);
    for (const folder of ["operator", "bin", "machine"]) mkdirSync(join(path, folder));
    writeFileSync(join(path, "log"), log.map((line) => `${line}\n`).join(""));
    writeFileSync(join(path, "user-data"), Buffer.from(userData).toString("base64"));
    writeFileSync(join(path, "state.json"), state);
    stage.#program("bin/pulumi", "echo $4");
    // The words of Azure's answer, each stream cut as Azure cuts it; the sizes before that are what tests look at.
    stage.#program(
      "bin/az",
      `while [ $# -gt 0 ]; do if [ "$1" = --scripts ]; then script=$2; fi; shift; done
       cd ${path}/machine
       PATH=${path}/machine:$PATH sh -c "$script" >${path}/out 2>${path}/err </dev/null
       cat ${path}/out ${path}/err | wc -c >>${path}/sizes
       printf 'Enable succeeded: \\n[stdout]\\n'; tail -c ${KEPT_BYTES} ${path}/out
       printf '\\n[stderr]\\n'; tail -c ${KEPT_BYTES} ${path}/err`,
    );
    const signer = `exec ${process.execPath} ${ENTRY} "$@"`;
    stage.#program(
      "machine/tezos-signer",
      `case $1 in
       watermarks) set -- $(echo "$@" | sed 's#--user-data#--config ${config}#'); ${signer};;
       status) ${signer} --admin ${adminUrl};;
       keys) echo 'Both signatures verify under one public key: the backup is the key in the vault.' >&2
         echo '  Address  tz3fYtKV7WUDpZHjphnM2ARKEJrE3RkzCVRT'
         echo '  Vault    https://tezos-0a1b2c3d.vault.azure.net/keys/baker/0123456789abcdef0123456789abcdef';;
       esac`,
    );
    stage.#program(
      "machine/journalctl",
      `lines=100000; while [ $# -gt 0 ]; do if [ "$1" = --lines ]; then lines=$2; fi; shift; done
       tail -n $lines ${path}/log`,
    );
    stage.#program(
      "machine/curl",
      `case "$*" in *userData*) cat ${path}/user-data;; *) echo 'curl: (28) Connection timed out after 10001 ms' >&2;; esac`,
    );
    const hit = "Hit:1 http://azure.archive.ubuntu.com/ubuntu noble-updates InRelease";
    stage.#program(
      "machine/apt-get",
      `for each in $(seq 100); do echo '${hit}'; done; echo 'Reading package lists...'`,
    );
    stage.#program(
      "machine/chronyc",
      "echo '#* PHC0                         0   3   377     8   -1us[   -2us] +/-   13us'",
    );
    stage.#program("machine/uptime", "echo ' 12:00:00 up 90 days,  3:02,  1 user,  load average: 0.00, 0.01, 0.05'");
    for (const name of ["tezos-signer-retry", "systemctl"]) stage.#program(`machine/${name}`, "true");
    return stage;
  }

  /**
   * Runs a line of a page as its reader does, with the page's own `on`.
   * @returns what the reader sees, and how many bytes each script printed
   */
  async run({ definition }: PageScripts, line: string): Promise<{ readonly seen: string; readonly sizes: number[] }> {
    const sizes = join(this.#root, "sizes");
    writeFileSync(sizes, "");
    const script = line
      .replaceAll("/tmp/marks", join(this.#root, "marks"))
      .replaceAll("/var/lib/tezos-signer-updater/state.json", join(this.#root, "state.json"))
      .replaceAll(/\bLEVEL\b/g, "9123456")
      .replaceAll("tz3…", SOURCE);
    const env = {
      ...process.env,
      PATH: `${join(this.#root, "bin")}:${process.env.PATH}`,
      HEAD: "9123456",
      VAULT: "https://tezos-0a1b2c3d.vault.azure.net",
      GROUP: "tezos",
    };
    const { stdout, stderr } = await promisify(execFile)("bash", ["-c", `${definition}\n${script}`], {
      cwd: this.folder,
      env,
    });
    const counted = readFileSync(sizes, "utf8").split("\n").filter(Boolean).map(Number);
    return { seen: stdout + stderr, sizes: counted };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.#root, { recursive: true, force: true });
  }

  #program(name: string, text: string): void {
    writeFileSync(join(this.#root, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  }
}
