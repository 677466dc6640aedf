import { cp, mkdir, rm, symlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { temporaryFolder } from "../emulators/signer-process.ts";

const ROOT = resolve(import.meta.dirname, "../..");

/** This checkout's signer, unpacked as a release is: it takes its folder's name for its hash. */
export interface ReleaseFolder extends AsyncDisposable {
  /** The program, for startSignerProcess. */
  readonly entry: string;
}

/** @param sha256 64 hex digits */
export async function releaseFolder(sha256: string): Promise<ReleaseFolder> {
  const outer = await temporaryFolder();
  const folder = join(outer.path, "releases", sha256);
  await mkdir(folder, { recursive: true });
  for (const name of ["signer", "package.json"]) await cp(join(ROOT, name), join(folder, name), { recursive: true });
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
  return {
    entry: join(folder, "signer/tezos-signer.js"),
    [Symbol.asyncDispose]: () => rm(outer.path, { recursive: true, force: true }),
  };
}
