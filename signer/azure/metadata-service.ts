import { type Answer, direct, get } from "../network/outgoing.ts";

/** The metadata service (IMDS) of an Azure VM; the SDK's own variable moves it, for emulators. */
export function imdsHost(): string {
  return process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST ?? "http://169.254.169.254";
}

/** Azure's own limit of userData, 64 KiB, in base64 with line breaks, and some room; a token is far shorter. */
const MAX_ANSWER = 100_000;

/**
 * Asks the metadata service once, and never by way of a proxy: it is on the machine's own host, and a token is no proxy's
 * business.
 * @throws Error that says what is wrong: no answer, or one without end; the signal's own reason once it is over
 */
export function askMetadataService(url: string | URL, signal?: AbortSignal): Promise<Answer> {
  return get(new URL(url), { agent: direct, headers: { Metadata: "true" }, signal, most: MAX_ANSWER });
}
