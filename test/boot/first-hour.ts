/**
 * `npm run first-hour`: types what README.md and docs/deploy.md say, in their order, as somebody would who has read nothing
 * else, on a Debian that has Node.js, npm and git of its own and nothing of this project. Prints the transcript, with the time
 * of each step, and all of them in a table at its end: apt's and `npm ci`'s too. It needs root, what .ci/machine-tools names, and a network to Debian's and npm's registries. Where Azure
 * begins, it ends: there is no account, and what the commands say to that is a part of it.
 * @module
 */
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { commandLine } from "../emulators/command-line.ts";
import { sign } from "../emulators/octez-client.ts";
import { transfer } from "../fixtures/payloads.ts";
import { code, promptOf } from "../harness/operator.ts";
import { type Answers, PROMPTS, SHELL, Terminal } from "./terminal.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const HOME = "/root";
const CHECKOUT = `${HOME}/tezos-signer`;
/** All packages on a slow line, or on a computer that does much else, in milliseconds: they took more than half an hour there. */
const PATIENCE = 3 * 60 * 60_000;

/** What a page presupposes, and what shows that it is there. */
const BEFORE = [
  "export DEBIAN_FRONTEND=noninteractive",
  "apt-get -q update && apt-get -qy install --no-install-recommends nodejs npm git make",
  "node --version; npm --version; pulumi version",
  "ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id_ed25519",
];

/** What nobody can type here, and why. */
const NOT_TYPED: readonly (readonly [call: RegExp, why: string])[] = [
  [/^az |^for name in/, "asks Azure, and there is no account"],
  [/^octez-client /, "octez is in no registry; its requests are sent by test/emulators/octez-client.ts"],
  [/^npm ci && npm test/, "is what CI does, in minutes"],
  [/npm run up$/, "builds in Azure, and there is no account"],
];

/** What a person answers. */
const ANSWERS: Readonly<Record<string, Answers>> = {
  "npm run setup": [
    // The second page has it once more.
    [/is there\. Change it[^\n]*\[y\/N\] \S*$/, "y"],
    [/test or production \[test\]: \S*$/, ""],
    [/stack's name \[test\]: \S*$/, ""],
    [/Network[^\n]*: \S*$/, ""],
    [/region[^\n]*: \S*$/, "northeurope"],
    [/baker's address[^\n]*: \S*$/, "20.50.1.2"],
    [/public key[^\n]*: \S*$/, ""],
    [/SSH[^\n]*: \S*$/, ""],
  ],
};

/** A computer that was installed a minute ago: the packages that a page presupposes, and the project as it is cloned. */
function computer(folder: string): string {
  const disk = join(folder, "disk");
  for (const part of ["upper", "work", "disk"]) mkdirSync(join(folder, part));
  const base = execFileSync(join(ROOT, ".ci/debian-root"), { encoding: "utf8" }).trim();
  const layers = `lowerdir=${base},upperdir=${folder}/upper,workdir=${folder}/work`;
  execFileSync("mount", ["-t", "overlay", "overlay", "-o", layers, disk]);
  execFileSync("mount", ["-t", "proc", "proc", join(disk, "proc")]);
  execFileSync("mount", ["--rbind", "/dev", join(disk, "dev")]);
  for (const file of ["/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt"]) copyFileSync(file, join(disk, file));
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: ROOT });
  for (const file of listed.toString().split("\0").filter(Boolean)) {
    if (!existsSync(join(ROOT, file))) continue;
    mkdirSync(dirname(join(disk, CHECKOUT, file)), { recursive: true });
    cpSync(join(ROOT, file), join(disk, CHECKOUT, file));
  }
  const pulumi = execFileSync(join(ROOT, ".ci/pulumi-cli"), { encoding: "utf8" }).trim();
  copyFileSync(join(pulumi, "pulumi"), join(disk, "usr/local/bin/pulumi"));
  return disk;
}

function window(disk: string): Promise<Terminal> {
  const authorities = ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "npm_config_cafile"].map(
    (name) => `${name}=/etc/ssl/certs/ca-certificates.crt`,
  );
  const environment = Object.entries({ ...PROMPTS, HOME, PATH: "/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin" });
  const set = [...environment.map(([name, value]) => `${name}=${value}`), ...authorities];
  return Terminal.open(["chroot", disk, "env", "-i", `--chdir=${CHECKOUT}`, ...set, ...SHELL], process.env, PATIENCE);
}

/** The commands of a part of a page: its blocks, line by line, and in README.md the two that stand in its sentences. */
function commandsOf(page: string, from: string, to: string): string[] {
  const text = readFileSync(join(ROOT, page), "utf8");
  const part = text.slice(text.indexOf(from), text.indexOf(to));
  const found = part.matchAll(/^ *```(?:sh)?\n([\s\S]*?)^ *```$|`(npm run (?:demo|setup)[^`]*)`/gm);
  return [...found]
    .flatMap(([, block = "", named]) => named ?? block.replaceAll(/; do\n[\s\S]*?^done$/gm, "; do … done").split("\n"))
    .filter((line) => /^(?:npm|pulumi|az|export|mkdir|cp|octez-client|for) /.test(line));
}

/** What was typed, how it ended, and the seconds that it took, for the table at the end. */
const steps: (readonly [page: string, typed: string, ended: number | string, seconds: string])[] = [];

/** A step, as it is printed. */
function tell(page: string, typed: string, outcome: string, screen = ""): void {
  console.log(`\n## ${page}: \`${typed}\`\n\n${outcome}`);
  const lines = stripVTControlCharacters(screen).trimEnd().split("\n");
  const shown = lines.length > 40 ? [...lines.slice(0, 12), "…", ...lines.slice(-26)] : lines;
  if (screen.trim() !== "") console.log(`\n\`\`\`text\n${shown.join("\n")}\n\`\`\``);
}

/** `npm start`; in a second window a transfer is confirmed, and the signer stopped. */
async function start(first: Terminal, disk: string): Promise<void> {
  const began = performance.now();
  const ended = first.type(["npm start"]);
  const introduction = await Promise.race([first.shows(/Ctrl-C stops it\.\n/), ended.then(({ output }) => output)]);
  const ready = since(began);
  steps.push(["README.md", "npm start", "ready", ready]);
  tell("README.md", "npm start", `Ready after ${ready}.`, introduction);
  const [, url = "", address = ""] = /(http:\/\/[\d.:]+)\/(tz3\w+)/.exec(introduction) ?? [];
  const payload = Buffer.from(transfer({ source: address, fee: 423n, counter: 10n, amount: 500_000n })).toString("hex");
  const refused = await sign(url, address, payload);
  tell("README.md", "a transfer, while nobody confirms", `${refused.status}: ${refused.message}`);
  const second = await window(disk);
  const before = performance.now();
  const asked = second.shows(/Waiting for signing requests/).then(() => sign(url, address, payload));
  const { status, output } = await second.type(["npm run signer -- confirm --once"], [[promptOf(1), code]]);
  const confirmed = since(before);
  steps.push(["README.md", "npm run signer -- confirm", status, confirmed]);
  tell("README.md", "npm run signer -- confirm", `${confirmed}; the transfer: ${(await asked).status}`, output);
  const interrupted = performance.now();
  await second.type(["kill -INT $(pgrep -nf 'tezos-signer.js serve')"]);
  const { status: last } = await ended;
  const stopped = since(interrupted);
  await second.close();
  steps.push(["README.md", "Ctrl-C", last, stopped]);
  tell("README.md", "Ctrl-C", `Ended with ${last} after ${stopped}.`);
}

function since(began: number): string {
  return `${((performance.now() - began) / 1_000).toFixed(1)} s`;
}

/** Types a line, and tells how it ended and what it took. */
async function step(terminal: Terminal, page: string, line: string, answers: Answers = []): Promise<void> {
  const began = performance.now();
  const { status, output } = await terminal.type([line], answers);
  const took = since(began);
  steps.push([page, line, status, took]);
  tell(page, line, `Ended with ${status} after ${took}.`, output);
}

/** @param folder empty, on a disk; what is mounted below it goes with this process */
async function main(folder: string): Promise<void> {
  const disk = computer(folder);
  const terminal = await window(disk);
  const began = performance.now();
  for (const line of BEFORE) await step(terminal, "before", line);
  const pages = [
    ["README.md", "## Five minutes", "## How safe"],
    ["docs/deploy.md", "## Look before", "## 3. "],
  ] as const;
  const done = new Set<string>();
  for (const [page, from, to] of pages) {
    for (const line of commandsOf(page, from, to)) {
      // Whoever comes to the second page has fetched the packages on the first.
      const again = line === "npm ci" && done.has(line) ? "was typed above" : undefined;
      done.add(line);
      const why = again ?? NOT_TYPED.find(([call]) => call.test(line))?.[1];
      if (line === "npm start") await start(terminal, disk);
      else if (line === "npm run signer -- confirm")
        continue; // in the second window, meanwhile
      else if (why !== undefined && line !== "npm run up") tell(page, line, `Not typed: ${why}.`);
      else {
        const typed = line
          .replace("'…'", "chosen")
          .replace("edpk…", "edpkuBknW28nW72KG6RoHtYW7p12T6GKc7nAbwYX5m8Wd9sDVC9yav");
        await step(terminal, page, typed, ANSWERS[line] ?? []);
        if (line === "npm ci") await step(terminal, "after it", "du -sm node_modules");
      }
    }
  }
  await terminal.close();
  const rows = steps.map(([page, typed, ended, took]) => `| ${page} | \`${typed}\` | ${ended} | ${took} |`);
  console.log(`\n## All steps, in ${since(began)}\n`);
  console.log(["| page | typed | ended with | took |", "| --- | --- | --- | --- |", ...rows].join("\n"));
}

/** Names the folder to the process that is in namespaces of its own. */
const INSIDE = "FIRST_HOUR_FOLDER";
const { [INSIDE]: inside } = process.env;
commandLine(
  "first-hour",
  "Types what README.md and docs/deploy.md say on a new Debian, and prints the transcript.",
).parse();
if (inside !== undefined) {
  // The first process of a namespace ends by no signal that it does not take.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
  await main(inside);
  process.exit();
}
const folder = mkdtempSync("/var/tmp/first-hour-");
// Mounts and processes go with it, however it ends; so what is deleted below is its own.
const words = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", process.execPath, import.meta.filename];
const env = { ...process.env, [INSIDE]: folder };
process.exitCode = spawnSync("unshare", words, { stdio: "inherit", env }).status ?? 1;
rmSync(folder, { recursive: true, force: true });
