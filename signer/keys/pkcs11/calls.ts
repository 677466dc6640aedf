import { nameOfCode, RETURN_CODES } from "./codes.ts";
import type { Attribute, Cryptoki } from "./driver.ts";
import { faultOfCode, TokenFault } from "./fault.ts";

/** Objects that one C_FindObjects may show. */
const BATCH = 64;

/**
 * Returns the code of what pkcs11js throws, which some of its functions have in the message alone; undefined where it
 * is none.
 */
export function codeOf(error: unknown): number | undefined {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const found = typeof code === "number" ? code : Number(/^CKR_\w+:(\d+)/.exec(String(message))?.[1]);
  return found > 0 ? found : undefined;
}

/** Turns what a call threw into a fault, without words of the package or of the library. */
export function faultOf(call: string, error: unknown): TokenFault {
  if (error instanceof TokenFault) return error;
  const code = codeOf(error);
  if (code !== undefined) return faultOfCode(call, code);
  return new TokenFault("device", `${call} failed.`, { cause: error });
}

/** Runs a synchronous call. @throws TokenFault */
export function perform<T>(call: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw faultOf(call, error);
  }
}

/** Finds every object that has these attributes. @throws TokenFault */
export function findObjects(cryptoki: Cryptoki, session: Buffer, template: readonly Attribute[]): Buffer[] {
  return perform("C_FindObjects", () => {
    cryptoki.C_FindObjectsInit(session, template);
    try {
      const found: Buffer[] = [];
      for (;;) {
        const batch = cryptoki.C_FindObjects(session, BATCH);
        found.push(...batch);
        if (batch.length < BATCH) return found;
      }
    } finally {
      cryptoki.C_FindObjectsFinal(session);
    }
  });
}

/** Codes by which a token says that an object lacks an attribute, or does not show it. */
const ABSENT: readonly number[] = [RETURN_CODES.ATTRIBUTE_TYPE_INVALID, RETURN_CODES.ATTRIBUTE_SENSITIVE];

/** Reads one attribute; several at once fail where one is absent. @returns undefined where it is absent or empty */
export function attribute(cryptoki: Cryptoki, session: Buffer, object: Buffer, type: number): Buffer | undefined {
  try {
    const value = cryptoki.C_GetAttributeValue(session, object, [{ type }])[0]?.value;
    return value === undefined || value.length === 0 ? undefined : value;
  } catch (error) {
    if (ABSENT.includes(codeOf(error) ?? 0)) return undefined;
    throw faultOf("C_GetAttributeValue", error);
  }
}

/** Says what a code means to whoever asked for a key to be made. */
export function refusalOf(call: string, error: unknown): TokenFault {
  const code = codeOf(error);
  if (code === undefined) return faultOf(call, error);
  return new TokenFault(faultOfCode(call, code).kind, `The token refused it: ${nameOfCode(code)} to ${call}.`);
}
