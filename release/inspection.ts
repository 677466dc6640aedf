import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { extract, type Header } from "tar-stream";

/**
 * Inspects a package's archive before it goes into a release: plain files and folders of usual modes below one top folder,
 * whatever its name (`npm pack` takes "package", some publishers another one), so that it unpacks into its own place and
 * nowhere else.
 * @param name the archive's name, for the error
 * @param bytes the .tgz
 * @throws Error naming archive and entry
 */
export async function inspectArchive(name: string, bytes: Buffer): Promise<void> {
  const entries = extract();
  const tops = new Set<string>();
  let fault: string | undefined;
  entries.on("entry", (header, stream, next) => {
    fault ??= faultOf(header);
    tops.add(header.name.split("/")[0] ?? "");
    stream.on("end", () => next());
    stream.resume();
  });
  try {
    await pipeline([bytes], createGunzip(), entries as unknown as NodeJS.WritableStream);
  } catch (error) {
    fault ??= `cannot be read (${(error as Error).message})`;
  }
  if (tops.size !== 1) fault ??= `has ${tops.size} top folders and not one`;
  if (fault !== undefined) {
    throw new Error(`${name} ${fault}. It is not taken into a release: choose another version of the package`);
  }
}

/** setuid, setgid and sticky, of a mode: whoever unpacks as root would make a program that runs as root. */
const SPECIAL_BITS = 0o7000;

/** GNU tar unpacks an entry with one of these under the name that is in it (gnu.org, "Storing Sparse Files"). */
const SPARSE = "GNU.sparse.";

function faultOf({ name, type, mode = 0, pax }: Header): string | undefined {
  const holds = (what: string) => `holds ${JSON.stringify(name)}, ${what}`;
  if (Object.keys(pax ?? {}).some((key) => key.startsWith(SPARSE)))
    return holds("which is unpacked under another name");
  // A NUL ends the name for whoever unpacks, and a line end breaks what is printed of it.
  if (/\p{Cc}/u.test(name)) return holds("a name with control characters");
  if (type !== "file" && type !== "directory") return holds(`which is no file but a ${type ?? "thing unknown"}`);
  if (name.startsWith("/") || name.includes("\\") || /^[A-Za-z]:/.test(name)) return holds("an absolute path");
  const parts = name.replace(/\/$/, "").split("/");
  // A dot further in is harmless, and packages have them; at the front it would be taken for the top folder.
  if (parts[0] === "." || parts.some((part) => part === "" || part === "..")) {
    return holds("a path that leads elsewhere");
  }
  if ((mode & SPECIAL_BITS) !== 0) return holds(`with the mode ${mode.toString(8)}`);
  if (parts.length < 2 && type === "file") return holds("a file beside the top folder");
  return undefined;
}
