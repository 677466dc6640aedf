import type { RestError } from "@azure/data-tables";

/**
 * Tells whether a write met another state. So does 404: the row that was read is gone. Reading again tells, and finds out
 * that the store went back.
 */
export function isConflict(error: unknown): boolean {
  const status = statusOf(error);
  return status === 412 || status === 404 || (status === 409 && errorCode(error) === "EntityAlreadyExists");
}

/** Tells whether a text is an ETag of one state (RFC 9110, 8.8.3): `*` is none, and stands for any. */
export function isToken(etag: string | undefined): etag is string {
  return etag !== undefined && /^(W\/)?"[^"]+"$/.test(etag);
}

/** Returns the HTTP status that an error of the SDK is about; undefined where nothing was answered. */
export function statusOf(error: unknown): number | undefined {
  return (error as RestError | undefined)?.statusCode;
}

/** Returns the service's name for the fault; the SDK puts it in another place than `code`. */
export function errorCode(error: unknown): string {
  const details = (error as RestError | undefined)?.details as { odataError?: { code?: string } } | undefined;
  return details?.odataError?.code ?? (error as RestError | undefined)?.code ?? "no code";
}
