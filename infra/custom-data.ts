/**
 * What the machine runs on its first boot. Stands in until cloud-init/user-data.ts is there: it writes one line, and
 * installs no signer.
 * @module
 */

/** The customData of the machine, base64. */
export function bootScript(): string {
  const cloudConfig = "#cloud-config\nruncmd: [[logger, tezos-signer is not installed by this image]]\n";
  return Buffer.from(cloudConfig).toString("base64");
}
