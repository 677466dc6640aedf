/**
 * The answers by which Key Vault refuses: {"error":{"code","message","innererror":{"code"}}}.
 * Texts are the service's own where public recordings show them; docs/verify-on-azure.md lists those that are not.
 * @module
 */
export class VaultRefusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly inner: string | undefined;
  readonly headers: Record<string, string>;

  constructor(status: number, code: string, message: string, inner?: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.inner = inner;
    this.headers = headers;
  }

  get body(): string {
    const error = { code: this.code, message: this.message };
    return JSON.stringify({
      error: this.inner === undefined ? error : { ...error, innererror: { code: this.inner } },
    });
  }
}

export const badParameter = (message: string) => new VaultRefusal(400, "BadParameter", message);

/** As users have reported it (azure-sdk-for-node #4603), for EC keys. @param curves that the algorithm is for */
export const incompatible = (kid: string, crv: string | undefined, algorithm: string, curves: readonly string[]) =>
  badParameter(
    `Key and signing algorithm are incompatible. Key ${kid} uses ${crv === undefined ? "RSA" : `curve '${crv}'`}, and algorithm '${algorithm}' can only be used with ${curves.length === 0 ? "RSA" : `curve ${curves.map((each) => `'${each}'`).join(" or ")}`}.`,
  );

export const keyNotFound = (id: string) =>
  new VaultRefusal(
    404,
    "KeyNotFound",
    `A key with (name/id) ${id} was not found in this key vault. If you recently deleted this key you may be able to recover it using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182`,
  );

export const deletedKeyNotFound = (name: string) =>
  new VaultRefusal(404, "KeyNotFound", `Deleted Key not found: ${name}`);

export const deletedButRecoverable = (name: string) =>
  new VaultRefusal(
    409,
    "Conflict",
    `Key ${name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the key can only be recovered or purged.`,
    "ObjectIsDeletedButRecoverable",
  );

export const beingDeleted = (name: string) =>
  new VaultRefusal(409, "Conflict", `Key ${name} is currently being deleted.`, "ObjectIsBeingDeleted");

export const keyDisabled = (operation: string) =>
  new VaultRefusal(403, "Forbidden", `Operation ${operation} is not allowed on a disabled key.`, "KeyDisabled");

export const keyExpired = (operation: string) =>
  new VaultRefusal(403, "Forbidden", `Operation ${operation} is not allowed on an expired key.`, "KeyExpired");

export const keyNotYetValid = (operation: string) =>
  new VaultRefusal(403, "Forbidden", `Operation ${operation} is not allowed on a not yet valid key.`, "KeyNotYetValid");

export const operationNotInKeyOps = (operation: string, caller: string, vault: string) =>
  new VaultRefusal(
    403,
    "Forbidden",
    `Operation is not allowed.\r\nOperation: "${operation}"\r\nCaller: ${caller}\r\nVault: ${vault}`,
    "ForbiddenByPolicy",
  );

export const forbiddenByPolicy = (operation: string, caller: string, vault: string) =>
  new VaultRefusal(
    403,
    "Forbidden",
    `The user, group or application '${caller}' does not have keys ${operation} permission on key vault '${vault}'. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287`,
    "ForbiddenByPolicy",
  );

export const forbiddenByFirewall = (address: string, caller: string, vault: string) =>
  new VaultRefusal(
    403,
    "Forbidden",
    `Client address is not authorized and caller is not a trusted service.\r\nClient address: ${address}\r\nCaller: ${caller}\r\nVault: ${vault}`,
    "ForbiddenByFirewall",
  );

/** As seen in the field, without a Retry-After header. */
export const throttled = (headers: Record<string, string> = {}) =>
  new VaultRefusal(
    429,
    "Throttled",
    "Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached",
    undefined,
    headers,
  );

/** A 401 names the tenant's authority and the audience that a token must have. */
export const unauthorized = (message: string, tenant: string, extra = "") =>
  new VaultRefusal(401, "Unauthorized", message, undefined, {
    "WWW-Authenticate": `Bearer authorization="https://login.microsoftonline.com/${tenant}", resource="https://vault.azure.net"${extra}`,
  });
