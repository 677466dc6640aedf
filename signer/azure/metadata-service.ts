import { StartError } from "../errors.ts";
import { type Answer, direct, get, post } from "../network/outgoing.ts";
import { readServiceUrl } from "../network/url.ts";

/** The SDK's own variable, by which emulators stand in for the service. */
const VARIABLE = "AZURE_POD_IDENTITY_AUTHORITY_HOST";

/**
 * Returns the URL of the metadata service (IMDS) of an Azure VM.
 * @throws StartError where the variable that moves it has something else
 */
export function imdsHost(): string {
  const moved = process.env[VARIABLE];
  if (moved === undefined) return "http://169.254.169.254";
  const url = readServiceUrl(moved, { plainHttp: "any", path: "refused" });
  if (url instanceof URL) return url.href;
  throw new StartError("unusable", `${VARIABLE} must be the metadata service's address; ${url.fault}.`);
}

/** Azure's own limit of userData, 64 KiB, in base64 with line breaks, and some room; a token is far shorter. */
const MAX_ANSWER = 100_000;

/**
 * Asks the metadata service once, and never by way of a proxy: it is on the machine's own host, and a token is no proxy's
 * business.
 * @param body is sent by a POST; absent: a GET
 * @throws Error that says what is wrong: no answer, or one without end; the signal's own reason once it is over
 */
export function askMetadataService(url: string | URL, signal?: AbortSignal, body?: string): Promise<Answer> {
  const options = { agent: direct, headers: { Metadata: "true" }, signal, most: MAX_ANSWER };
  return body === undefined ? get(new URL(url), options) : post(new URL(url), body, options);
}
