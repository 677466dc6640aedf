import { Agent, get } from "node:http";

/** The metadata service (IMDS) of an Azure VM; the SDK's own variable moves it, for emulators. */
export function imdsHost(): string {
  return process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST ?? "http://169.254.169.254";
}

/** Azure's own limit of userData, 64 KiB, in base64 with line breaks, and some room; a token is far shorter. */
const MAX_ANSWER = 100_000;

/** One of our own: Node's common agent, and its fetch, put a proxy in between where NODE_USE_ENV_PROXY says so. */
const direct = new Agent();

/**
 * Asks the metadata service once, and never by way of a proxy: it is on the machine's own host, and a token is no proxy's
 * business. A redirection is an answer like any other.
 * @throws Error that says what is wrong: no answer, or one without end; the signal's own reason once it is over
 */
export function askMetadataService(
  url: string | URL,
  signal?: AbortSignal,
): Promise<{ readonly status: number; readonly text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  const options = { agent: direct, headers: { Metadata: "true" }, ...(signal && { signal }) };
  const request = get(url, options, (response) => {
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => {
      text += chunk;
      if (text.length > MAX_ANSWER) response.destroy(new Error(`it has more than ${MAX_ANSWER} characters`));
    });
    response.on("error", reject);
    response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
  });
  request.on("error", (error) => reject(signal?.aborted ? signal.reason : error));
  return promise;
}
