import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { MAINTENANCE } from "../../signer/contract.ts";
import { replaceLink } from "./disk.ts";

/** What the stack says about the machine itself. */
export interface Parameters {
  readonly ssh: boolean;
  /** HH:MM in UTC; signer/azure/user-data-document.ts has checked it. */
  readonly maintenance: string;
  /** IPv4 addresses and blocks that may read the metrics port; it has checked these too. */
  readonly metrics: readonly string[];
}

/** Copied by machine/bin/apply, since sudo asks for a mode that a link cannot have. */
const COPIED = /^etc\/sudoers\.d\//;
const UNITS = "etc/systemd/system";

/**
 * The machine's own files: links to those of the release in use, so that switching the release switches them all at once.
 */
export class MachineFiles {
  readonly #root: string;
  readonly #opt: string;

  /**
   * @param root `/`
   * @param opt where the releases are
   */
  constructor(root: string, opt: string) {
    this.#root = root;
    this.#opt = opt;
  }

  /**
   * Links every file of a release's machine/files, and the places where its units want to be started.
   * @param isStarted false where nothing is to be started yet, at the next boot neither
   */
  link(release: string, isStarted = true): void {
    const files = join(release, "machine/files");
    for (const file of listed(files)) {
      if (!COPIED.test(file)) this.#lead(file, file);
      if (!file.startsWith(UNITS) || !isStarted) continue;
      for (const [, target = ""] of readFileSync(join(files, file), "utf8").matchAll(/^WantedBy=(\S+)$/gm)) {
        this.#lead(join(UNITS, `${target}.wants`, file.slice(UNITS.length + 1)), file);
      }
    }
  }

  /**
   * Removes links that lead to nothing in the release in use.
   * @param others folders of the releases whose files may have been linked
   */
  unlinkDead(others: readonly string[]): void {
    const present = new Set(listed(join(this.#opt, "current/machine/files")));
    const folders = others.flatMap((release) => listed(join(release, "machine/files"))).map((file) => dirname(file));
    for (const folder of new Set([UNITS, ...folders])) {
      for (const { link, file } of this.#links(folder)) if (!present.has(file)) rmSync(link);
    }
  }

  /**
   * Writes what the stack says for machine/bin/apply; undefined leaves what it said last.
   * @returns the text that is there now
   */
  set(parameters: Parameters | undefined): string {
    const path = join(this.#root, "etc/tezos-signer/machine.env");
    const present = textOf(path);
    if (parameters === undefined && present !== undefined) return present;
    const { ssh, maintenance, metrics } = parameters ?? { ssh: false, maintenance: MAINTENANCE, metrics: [] };
    const lines = [`SSH=${ssh ? "on" : "off"}`, `MAINTENANCE=${maintenance}`, `METRICS='${metrics.join(", ")}'`];
    const text = `# Written by the updater from the machine's userData.\n${lines.join("\n")}\n`;
    if (text === present) return text;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
    return text;
  }

  #lead(place: string, file: string): void {
    const link = join(this.#root, place);
    const target = join(this.#opt, "current/machine/files", file);
    if (targetOf(link) === target) return;
    mkdirSync(dirname(link), { recursive: true });
    replaceLink(target, link);
  }

  /** Our links in a folder and, for units, in the folders of what wants them. */
  #links(folder: string): { link: string; file: string }[] {
    const prefix = join(this.#opt, "current/machine/files/");
    const folders = [join(this.#root, folder)];
    if (folder === UNITS) folders.push(...wants(join(this.#root, UNITS)));
    return folders.flatMap((each) =>
      names(each).flatMap((name) => {
        const target = targetOf(join(each, name));
        return target?.startsWith(prefix) ? [{ link: join(each, name), file: target.slice(prefix.length) }] : [];
      }),
    );
  }
}

function targetOf(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function wants(units: string): string[] {
  return names(units)
    .filter((name) => name.endsWith(".wants"))
    .map((name) => join(units, name));
}

/** The files below a folder, as paths from there; none where there is no folder. */
function listed(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}
