import { createHash } from "node:crypto";
import { cpSync, existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { messageOf } from "../../signer/errors.ts";
import { oneLine } from "../updater/checks.ts";
import type { Ended, Run } from "../updater/command.ts";
import { type Disk, type Sha256, syncFolder } from "../updater/disk.ts";
import { keepOwnFiles } from "./own-files.ts";
import { makeFolder } from "./root-files.ts";

const MANIFEST = "MANIFEST";

/**
 * Returns what tells an unpacked release from others: the SHA-256 of its MANIFEST, which has that of every other file.
 * @param source folder of the release, as it was unpacked
 * @throws Error where the folder is no unpacked release
 */
export function releaseHash(source: string): Sha256 {
  const manifest = join(source, MANIFEST);
  if (!existsSync(manifest)) {
    throw new Error(
      `${source} is no release: it has no MANIFEST. Make one with \`npm run release\`, unpack it on this computer, and run its own tezos-signer install.`,
    );
  }
  return createHash("sha256").update(readFileSync(manifest)).digest("hex");
}

/**
 * Copies an unpacked release to its place, where it is not there yet. Every file is held to MANIFEST once it is copied,
 * packages and Node.js are unpacked anew from their archives, and all is root's. A folder of that name is complete.
 * @param source folder of the release
 * @param sha256 by {@link releaseHash}
 */
export function copyRelease(source: string, sha256: Sha256, disk: Disk, run: Run): Ended {
  const place = disk.place(sha256);
  if (existsSync(place)) return { status: 0, output: "" };
  const releases = dirname(place);
  const draft = join(releases, `.${sha256}`);
  try {
    makeFolder(releases);
    rmSync(draft, { recursive: true, force: true });
    const manifest = readFileSync(join(source, MANIFEST), "utf8");
    const listed = [...manifest.matchAll(/^[0-9a-f]{64} [ *](.+)$/gm)].map(([, file = ""]) => file);
    for (const file of [MANIFEST, ...listed]) cpSync(join(source, file), join(draft, file));
    if (releaseHash(draft) !== sha256) return { status: 1, output: "the release changed while it was copied" };
    const steps: readonly [string, ...string[]][] = [
      [join(draft, "unpack")],
      ["chown", "--recursive", "root:root", draft],
      ["chmod", "--recursive", "u=rwX,go=rX", draft],
    ];
    for (const step of steps) {
      const { status, output } = run(...step);
      if (status !== 0) return { status: 1, output: oneLine(output) };
    }
    // What is installed from is not needed again: half of the disk that a release takes.
    rmSync(join(draft, "archives"), { recursive: true });
    keepOwnFiles(draft);
    const synced = run("sync", "--file-system", draft);
    if (synced.status !== 0) return { status: 1, output: oneLine(synced.output) };
    renameSync(draft, place);
    syncFolder(releases);
    return { status: 0, output: "" };
  } catch (error) {
    return { status: 1, output: oneLine(messageOf(error)) };
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}
