/**
 * The two computers of the key ceremony, each with a person's terminal, and the drives that go between them.
 * @module
 */
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { PROMPTS, SHELL, Terminal } from "./terminal.ts";

const ROOT = resolve(import.meta.dirname, "../..");
/** As Debian's live system names its user; Ubuntu's is called ubuntu. */
const LIVE_USER = "user";
const LIVE_ID = 1000;
const DRIVES = ["TRANSPORT", "BACKUP1", "BACKUP2"];

/** Makes the drives: folders in a folder. */
export function makeDrives(folder: string): void {
  for (const drive of DRIVES) mkdirSync(join(folder, drive), { recursive: true });
}

/** A drive is mostly FAT, where whoever puts it in owns every file. */
export function putIn(drives: string): void {
  execFileSync("chown", ["--recursive", `${LIVE_ID}:${LIVE_ID}`, drives]);
}

/**
 * A computer that was started from a live drive: no network but its own loopback, and a user of its own.
 * @param folder on a disk, for what it writes
 */
export async function offlineComputer(folder: string, drives: string): Promise<Terminal> {
  const { BOOT_ROOT: root = "" } = process.env;
  const disk = join(folder, "disk");
  for (const part of ["upper", "work", "disk"]) mkdirSync(join(folder, part), { recursive: true });
  const layers = `lowerdir=${root},upperdir=${folder}/upper,workdir=${folder}/work`;
  execFileSync("mount", ["-t", "overlay", "overlay", "-o", layers, disk]);
  execFileSync("chroot", [disk, "useradd", "--create-home", "--uid", `${LIVE_ID}`, "--shell", "/bin/bash", LIVE_USER]);
  const environment = { ...PROMPTS, PATH: "/usr/local/bin:/usr/bin:/bin" };
  return Terminal.open(
    [
      "systemd-nspawn",
      ...["--quiet", "--register=no", "--keep-unit", "--as-pid2", "--machine=offline", "--private-network"],
      ...["--directory", disk, `--user=${LIVE_USER}`, `--chdir=/home/${LIVE_USER}`],
      ...DRIVES.map((drive) => `--bind=${join(drives, drive)}:/media/${LIVE_USER}/${drive}`),
      ...Object.entries(environment).map(([name, value]) => `--setenv=${name}=${value}`),
      ...SHELL,
    ],
    { PATH: process.env.PATH, SYSTEMD_NSPAWN_LOCK: "0" },
  );
}

/** What the world of {@link onlineComputer} is like. */
export interface OnlineOptions {
  /** Names beside this computer's own, in the form of /etc/hosts. */
  readonly hosts: string;
  /** PEM of the authorities that it trusts besides the public ones. */
  readonly authorities: string;
  /** A token for the vault, which `az` hands out to whoever is signed in. */
  readonly token: string;
}

/** Where the words of the last `az vm run-command` are, each ended by a zero byte. */
export const RUN_COMMAND = "run-command";

const AZ = `#!/bin/sh
# Stands for the Azure CLI of somebody who is signed in.
case "$1 $2" in
  "account get-access-token") cat "$(dirname "$0")/token.json" ;;
  "vm run-command") printf '%s\\0' "$@" >"$(dirname "$0")/${RUN_COMMAND}" ;;
  *) echo "az: there is no Azure here for: $*" >&2; exit 2 ;;
esac
`;

/**
 * The computer from which the stack is run: a copy of the checkout as git would archive it, and this computer's own
 * Node.js and npm first on PATH. The packages are this checkout's, mounted: the world has no registry for `npm ci`.
 * @param folder on a disk; `az` and what it was asked are in its folder `bin`
 */
export async function onlineComputer(folder: string, drives: string, options: OnlineOptions): Promise<Terminal> {
  const copy = join(folder, "tezos-signer");
  const bin = join(folder, "bin");
  for (const each of [join(copy, "node_modules"), bin]) mkdirSync(each, { recursive: true });
  // What is changed and not committed yet is in it too, as everywhere else in a test.
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: ROOT });
  for (const file of listed.toString().split("\0").filter(Boolean)) {
    if (existsSync(join(ROOT, file))) cpSync(join(ROOT, file), join(copy, file));
  }
  writeFileSync(join(folder, "hosts"), `${readFileSync("/etc/hosts", "utf8")}\n${options.hosts}`);
  writeFileSync(join(folder, "authorities.pem"), options.authorities);
  const expires_on = Math.floor(Date.now() / 1000) + 3600;
  writeFileSync(
    join(bin, "token.json"),
    JSON.stringify({ accessToken: options.token, expires_on, tokenType: "Bearer" }),
  );
  writeFileSync(join(bin, "az"), AZ);
  chmodSync(join(bin, "az"), 0o755);
  const start = `
    mount --bind "$0/hosts" /etc/hosts
    mount --bind ${ROOT}/node_modules node_modules
    mount -o remount,ro,bind node_modules
    mount -t tmpfs tmpfs /media
    mkdir -p "/media/$USER/TRANSPORT"
    mount --bind "$1/TRANSPORT" "/media/$USER/TRANSPORT"
    shift
    exec "$@"`;
  const path = (process.env.PATH ?? "").split(":").filter((each) => !each.includes("node_modules"));
  const inCopy = ["env", `--chdir=${copy}`, "unshare", "--mount", "sh", "-ec", start];
  return Terminal.open([...inCopy, folder, drives, ...SHELL], {
    ...PROMPTS,
    PATH: [bin, ...path].join(":"),
    HOME: process.env.HOME,
    ...(process.env.XDG_CACHE_HOME ? { XDG_CACHE_HOME: process.env.XDG_CACHE_HOME } : {}),
    USER: "you",
    NODE_EXTRA_CA_CERTS: join(folder, "authorities.pem"),
    // The machine's metadata service is in this network too, and would be asked first.
    AZURE_TOKEN_CREDENTIALS: "AzureCliCredential",
  });
}
