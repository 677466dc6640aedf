import type { Settings } from "../settings/schema.ts";
import { blake2b256 } from "../tezos/crypto/digest.ts";
import type { SigningRequest } from "../tezos/payload/payload.ts";

/** Settings that decide on requests. Live settings are replaced whole, so one object is one version of them all. */
export type RequestSettings = Pick<
  Settings,
  "allowedAddresses" | "authentication" | "head" | "listKnownKeys" | "policy"
>;

/** Settings that change while the signer runs. */
export interface CurrentSettings {
  readonly current: RequestSettings;
}

/** One request of a client, from its arrival to its outcome. */
export interface RequestContext {
  /** Taken once, when the request came: every stage goes by the same version. */
  readonly settings: RequestSettings;
  /** IP address of the client; IPv4-mapped IPv6 is given as IPv4. */
  readonly client: string;
  /** Set once the request has all that a key's policy is asked about. */
  signing?: SigningCall;
}

/** A request for a signature, and what becomes known of it while it is decided. */
export interface SigningCall {
  readonly settings: RequestSettings;
  readonly client: string;
  /** Public key hash of the key asked for. */
  readonly address: string;
  /** The bytes to be signed, magic byte first. */
  readonly payload: Uint8Array;
  /** Blake2b-256 of the payload, 32 bytes. */
  readonly digest: Uint8Array;
  /** The client's signature of its request; undefined where there is none. */
  readonly authentication?: string | undefined;
  /** Ends when the client hangs up; a signature in flight goes on all the same. */
  readonly gone: AbortSignal;
  /** performance.now() when the call was made. */
  readonly started: number;
  /** Milliseconds by stage; a stage that ran again has the sum. */
  readonly stages: Record<string, number>;
  /** The payload as read; undefined until then, and where it is malformed. */
  request?: SigningRequest;
  /** Where the signature came from; undefined until it is released. `kept`: the same bytes were signed before. */
  source?: "signed" | "kept";
}

/** Makes the request for a signature out of a client's request, and of what it asks. */
export function signingCall(
  { settings, client }: Pick<RequestContext, "settings" | "client">,
  asked: Pick<SigningCall, "address" | "payload" | "authentication" | "gone">,
): SigningCall {
  const started = performance.now();
  return { settings, client, ...asked, digest: blake2b256(asked.payload), started, stages: {} };
}
