/**
 * The release of this checkout, as a Pulumi program uploads it.
 * @module
 */
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { type Release as MadeRelease, makeRelease } from "../../release/make.ts";
import type { Release } from "../components/releases.ts";
import { ANNOUNCED_RELEASE, otherThanAnnounced } from "./announced-release.ts";

/**
 * Returns the checkout's release, made now unless it is there.
 * @throws pulumi.RunError where it cannot be made, or is not the one that `npm run up` announced
 */
export async function checkoutRelease(): Promise<Release> {
  const say = (line: string) => void pulumi.log.info(line);
  let made: MadeRelease;
  try {
    made = await makeRelease(join(import.meta.dirname, "../.."), say);
  } catch (error) {
    throw new pulumi.RunError(`the release was not made: ${error instanceof Error ? error.message : error}`);
  }
  const { version, sha256, name, file } = made;
  const refusal = otherThanAnnounced(sha256, process.env[ANNOUNCED_RELEASE]);
  if (refusal !== undefined) throw new pulumi.RunError(refusal);
  return { version, sha256, name, source: new pulumi.asset.FileAsset(file) };
}
