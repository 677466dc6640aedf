/**
 * What a stack tells of a signer that was waited for. Pure.
 * @module
 */
import type { Report } from "./report.ts";

/** A key that the signer has, and how octez-client takes it. */
export interface Address {
  readonly address: string;
  readonly publicKey: string;
  readonly importCommand: string;
}

/** An output of the stack. What is undefined is not there. */
export interface Told {
  /** The release in use. */
  readonly inUse: string;
  readonly addresses: readonly Address[];
  /** How many more there are; undefined where those are all. */
  readonly moreAddresses: string | undefined;
  /** What only a person can do; undefined where nothing is missing. */
  readonly nextStep: string | undefined;
}

/** Words what an `up` tells of the signer. @param signerUrl where the baker asks */
export function told({ version, release, keys, more, missing }: Report, signerUrl: string): Told {
  return {
    inUse: `${version} (${release.slice(0, 12)})`,
    addresses: keys.map(({ address, publicKey }) => {
      const alias = keys.length === 1 ? "signer" : `signer-${address.slice(0, 8)}`;
      return { address, publicKey, importCommand: `octez-client import secret key ${alias} ${signerUrl}/${address}` };
    }),
    moreAddresses: more === undefined ? undefined : `${more} more, which statusCommand shows`,
    nextStep:
      missing === undefined
        ? undefined
        : `${missing}: import one (npm run signer -- keys import, docs/keys.md), or have the HSM make one for a test network ` +
          "(keys, docs/change.md). The signer finds it within a minute; npm run up names its address here",
  };
}
