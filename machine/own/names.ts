import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { LAYOUT, UNITS, USER } from "./layout.ts";
import { HEADER, OVERRIDES } from "./overrides.ts";

/** Names in /opt/tezos-signer that are ours; what else is there is another's. */
const OWN_NAMES = ["current", "previous", "releases"];
/** Where packages and administrators put units. */
const ELSEWHERE = ["/usr/lib/systemd/system", "/lib/systemd/system", "/usr/local/lib/systemd/system"];

/**
 * Finds what has a name of ours on this computer and is not ours: nothing of it is written over.
 * @param root `/`
 * @returns a sentence for each, with what to do
 */
export function foreignNames(root: string): string[] {
  const at = (path: string) => join(root, path);
  if (existsSync(at(`${LAYOUT.units}/tezos-signer-updater.service`))) {
    return ["This is the machine of a stack, whose release and settings come by `npm run up`."];
  }
  return [...foreignFolders(at), ...foreignFiles(at), ...foreignUser(at)];
}

function* foreignFolders(at: (path: string) => string): Iterable<string> {
  for (const folder of [LAYOUT.opt, LAYOUT.settingsFolder, LAYOUT.state, LAYOUT.updater]) {
    if (existsSync(at(folder)) && !lstatSync(at(folder)).isDirectory()) yield `${folder} is no folder. Move it away.`;
  }
  // Root runs what is in the one, and reads the other's `environment` as a shell does.
  for (const folder of [LAYOUT.opt, LAYOUT.settingsFolder, LAYOUT.updater]) {
    const found = lstatSync(at(folder), { throwIfNoEntry: false });
    if (found?.isDirectory() && (found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0))
      yield `${folder} may be written by others than root. See what is in it, then: chown root ${folder} && chmod go-w ${folder}`;
  }
  const others = names(at(LAYOUT.opt)).filter((name) => !OWN_NAMES.includes(name.replace(/\.new$/, "")));
  if (others.length > 0) yield `${LAYOUT.opt} has ${others[0]} in it, which is not this signer's. Move it away.`;
}

function* foreignFiles(at: (path: string) => string): Iterable<string> {
  for (const file of [...UNITS.map((unit) => `${LAYOUT.units}/${unit}`), "/usr/local/bin/tezos-signer"]) {
    if (lstatSync(at(file), { throwIfNoEntry: false }) !== undefined && !isOurs(at(file)))
      yield `${file} is another program's. Remove it, with what it belongs to.`;
  }
  for (const file of Object.values(OVERRIDES)) {
    if (existsSync(at(file)) && !readFileSync(at(file), "utf8").startsWith(HEADER))
      yield `${file} is not this command's own, which writes its own there. Give it another name.`;
  }
  for (const file of ELSEWHERE.flatMap((folder) => UNITS.map((unit) => `${folder}/${unit}`))) {
    if (existsSync(at(file))) yield `${file} is another program's. Remove it, with what it belongs to.`;
  }
}

function* foreignUser(at: (path: string) => string): Iterable<string> {
  const users = existsSync(at("/etc/passwd")) ? readFileSync(at("/etc/passwd"), "utf8") : "";
  const [, , , , , home, shell] = (users.split("\n").find((line) => line.startsWith(`${USER}:`)) ?? "").split(":");
  if (home === undefined) return;
  if (home !== LAYOUT.state || !/\/nologin$/.test(shell ?? ""))
    yield `There is a user ${USER} whose home is ${home}, and it is not this signer's. Remove or rename it.`;
}

/** Whether a link leads to the release in use. */
function isOurs(path: string): boolean {
  try {
    return readlinkSync(path).startsWith(`${LAYOUT.opt}/current/`);
  } catch {
    return false;
  }
}

function names(folder: string): string[] {
  return existsSync(folder) && lstatSync(folder).isDirectory() ? readdirSync(folder) : [];
}
