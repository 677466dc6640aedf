import { type RequestSettings, type SigningCall, signingCall } from "../../signer/signing/request-context.ts";

/** Settings that decide on requests: everybody may ask, and no key may sign, unless a test says otherwise. */
export function requestSettings(own: Partial<RequestSettings> = {}): RequestSettings {
  return { policy: { keys: new Map() }, listKnownKeys: false, ...own };
}

/** A client on this computer that asks for a signature and does not hang up. */
export function callOf(settings: RequestSettings, address: string, payload: Uint8Array): SigningCall {
  return signingCall({ settings, client: "127.0.0.1" }, { address, payload, gone: new AbortController().signal });
}
