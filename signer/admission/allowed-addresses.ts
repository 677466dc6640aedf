import { SignerError } from "../errors.ts";
import type { CurrentSettings, RequestSettings } from "../signing/request-context.ts";
import { AddressAllowList, plainAddress } from "./address-allow-list.ts";
import { memoizeLast } from "./memoize-last.ts";

/**
 * Makes the filter of connections, by the settings as they are when one comes; each request is asked about again.
 * @returns a predicate on a socket's remoteAddress
 */
export function addressFilter(settings: CurrentSettings): (remoteAddress: string | undefined) => boolean {
  const isAllowed = allowance();
  return (remoteAddress) => isAllowed(settings.current, remoteAddress);
}

/**
 * Makes the check of a request's client by given settings.
 * @returns a function that throws SignerError `address-not-allowed`
 */
export function requireAllowedAddress(): (settings: RequestSettings, client: string) => void {
  const isAllowed = allowance();
  return (settings, client) => {
    if (!isAllowed(settings, client)) {
      throw new SignerError("address-not-allowed", `${client} is not among allowedAddresses`);
    }
  };
}

/** @returns whether settings let a peer ask; the list that it has read last is kept */
function allowance(): (settings: RequestSettings, remoteAddress: string | undefined) => boolean {
  const list = memoizeLast((entries) => new AddressAllowList(entries));
  return ({ allowedAddresses }, remoteAddress) =>
    allowedAddresses === undefined || list(allowedAddresses).allows(plainAddress(remoteAddress));
}
