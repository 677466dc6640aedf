import { SignerError } from "../errors.ts";
import { AddressAllowList, plainAddress } from "./address-allow-list.ts";
import { memoize } from "./memoize.ts";

/** The settings that say from which addresses signatures may be asked for; absent: from any. */
export interface AddressSettings {
  /** IPv4 or IPv6 addresses, alone or as CIDR ranges. */
  readonly allowedAddresses?: readonly string[] | undefined;
}

const allowList = memoize((entries) => new AddressAllowList(entries));

/**
 * Makes the filter of connections, by the settings as they are when one comes; each request is asked about again.
 * @returns a predicate on a socket's remoteAddress
 */
export function addressFilter(settings: {
  readonly current: AddressSettings;
}): (remoteAddress: string | undefined) => boolean {
  return (remoteAddress) => isAllowed(settings.current, remoteAddress);
}

/**
 * Requires that a request's client is among the addresses that settings name.
 * @throws SignerError `address-not-allowed`
 */
export function requireAllowedAddress(settings: AddressSettings, client: string): void {
  if (isAllowed(settings, client)) return;
  throw new SignerError("address-not-allowed", `${client} is not among allowedAddresses`);
}

/** Makes of settings that change the same ones with an empty list of addresses that may ask. */
export function admittingNobody<S extends AddressSettings>(settings: { readonly current: S }): { readonly current: S } {
  const nobody: string[] = [];
  return {
    get current() {
      return { ...settings.current, allowedAddresses: nobody };
    },
  };
}

function isAllowed({ allowedAddresses }: AddressSettings, remoteAddress: string | undefined): boolean {
  return allowedAddresses === undefined || allowList(allowedAddresses).allows(plainAddress(remoteAddress));
}
