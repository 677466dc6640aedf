/**
 * Pulumi runs the program in the preview and again after the "yes", and each time makes the release of the checkout as
 * it is then. `npm run up` announces one release, so the program takes that one and no other.
 * @module
 */

/** The environment variable with the SHA-256 of the release that `npm run up` announced; `pulumi up` alone sets none. */
export const ANNOUNCED_RELEASE = "TEZOS_SIGNER_RELEASE";

/**
 * Compares a release with the one that was announced.
 * @param sha256 of the release that was made now, hex
 * @param announced of the one that was announced, hex; undefined where none was
 * @returns one sentence where they differ
 */
export function otherThanAnnounced(sha256: string, announced: string | undefined): string | undefined {
  if (announced === undefined || announced === sha256) return undefined;
  return (
    `the release is ${sha256.slice(0, 12)} now and not ${announced.slice(0, 12)}, which was announced: ` +
    "a file of it was changed meanwhile, so nothing was done; run `npm run up` again"
  );
}
