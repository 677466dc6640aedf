import type { AccessToken, TokenCredential } from "@azure/identity";
import { askMetadataService, imdsHost } from "./metadata-service.ts";

/**
 * Tokens of the VM's managed identity, straight from the metadata service: no probing, no proxy, no cache in between.
 * @azure/identity's ManagedIdentityCredential keeps a token for the whole process and for its whole life, whatever the
 * claims of a challenge say, so a revoked one would be sent until it expires; and it gives up at a 429.
 *
 * Protocol: learn.microsoft.com, "How to use managed identities on an Azure VM to acquire an access token".
 */
export class ManagedIdentity implements TokenCredential {
  readonly #clientId: string | undefined;
  readonly #host: string;

  /** @param clientId of a user-assigned identity; undefined: the only identity that the VM has */
  constructor(clientId?: string, host = imdsHost()) {
    this.#clientId = clientId;
    this.#host = host;
  }

  /**
   * Asks once.
   * @throws Error naming status and reason, never a token
   */
  async getToken(
    scopes: string | string[],
    options: { abortSignal?: { aborted: boolean } } = {},
  ): Promise<AccessToken> {
    const [scope = ""] = [scopes].flat();
    const url = new URL("/metadata/identity/oauth2/token", this.#host);
    url.searchParams.set("api-version", "2018-02-01");
    url.searchParams.set("resource", scope.replace(/\/\.default$/, ""));
    if (this.#clientId !== undefined) url.searchParams.set("client_id", this.#clientId);
    const { abortSignal } = options;
    const signal = abortSignal instanceof AbortSignal ? abortSignal : undefined;
    const { status, text } = await askMetadataService(url, signal);
    const body = fieldsOf(text);
    if (status !== 200) {
      throw new Error(`IMDS answered ${status} (${body.error_description ?? body.error ?? "no reason"})`);
    }
    const { access_token: token, expires_in: seconds } = body;
    if (typeof token !== "string" || !(Number(seconds) > 0)) throw new Error("IMDS answered without a token");
    return { token, expiresOnTimestamp: Date.now() + Number(seconds) * 1_000 };
  }
}

/** The fields of an answer; none where it is no JSON object. */
function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}
