import { messageOf } from "../../errors.ts";
import { loadHardware, missingHardware } from "../hardware.ts";

/** An attribute of an object; a value is taken as text, number, truth or bytes, and given as bytes. */
export interface Attribute {
  readonly type: number;
  readonly value?: string | number | boolean | Uint8Array;
}

/** What is used of pkcs11js: the functions of PKCS#11 by their names. Handles are 8 bytes. All but one are synchronous. */
export interface Cryptoki {
  load(library: string): void;
  C_Initialize(options: { flags: number }): void;
  C_Finalize(): void;
  C_GetSlotList(withToken: boolean): Buffer[];
  C_GetTokenInfo(slot: Buffer): { readonly label: string; readonly flags: number };
  C_OpenSession(slot: Buffer, flags: number): Buffer;
  C_CloseSession(session: Buffer): void;
  C_Login(session: Buffer, user: number, pin: string): void;
  C_FindObjectsInit(session: Buffer, template: readonly Attribute[]): void;
  C_FindObjects(session: Buffer, most: number): Buffer[];
  C_FindObjectsFinal(session: Buffer): void;
  C_GetAttributeValue(session: Buffer, object: Buffer, template: readonly Attribute[]): { readonly value: Buffer }[];
  C_SignInit(session: Buffer, mechanism: { mechanism: number }, key: Buffer): void;
  /** Signs in a thread of its own. Both buffers must be kept until it is settled: the package keeps neither. */
  C_SignAsync(session: Buffer, data: Buffer, signature: Buffer): Promise<Buffer>;
  C_GenerateKeyPair(
    session: Buffer,
    mechanism: { mechanism: number },
    publicKey: readonly Attribute[],
    privateKey: readonly Attribute[],
  ): { readonly publicKey: Buffer; readonly privateKey: Buffer };
  C_CreateObject(session: Buffer, template: readonly Attribute[]): Buffer;
  C_DestroyObject(session: Buffer, object: Buffer): void;
}

/** The package with compiled code, which hardware/ has and the product's own packages have not. */
const PACKAGE = "pkcs11js";

/** Says why the package cannot be had; undefined where it is there. */
export function missingDriver(): string | undefined {
  return missingHardware("pkcs11", PACKAGE);
}

/**
 * Loads a vendor's library.
 * @param library its absolute path
 * @throws Error saying that the package, or the library, cannot be loaded
 */
export function loadDriver(library: string): Cryptoki {
  try {
    const { PKCS11 } = loadHardware(PACKAGE) as { PKCS11: new () => Cryptoki };
    const cryptoki = new PKCS11();
    cryptoki.load(library);
    return cryptoki;
  } catch (error) {
    throw new Error(`${library} cannot be loaded as a PKCS#11 module: ${messageOf(error)}.`, { cause: error });
  }
}
