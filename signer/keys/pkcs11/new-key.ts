import { findObjects, refusalOf } from "./calls.ts";
import { ATTRIBUTES, CLASSES, KEY_TYPE_EC, MECHANISMS } from "./codes.ts";
import type { Attribute, Cryptoki } from "./driver.ts";
import { EC_PARAMS } from "./ec-key.ts";
import { TokenFault } from "./fault.ts";
import type { Questions } from "./messages.ts";

/**
 * Makes a key pair on the token; the private key can never leave it.
 * @throws TokenFault `refused` where a key of that label or id is there, or with the token's own reason
 */
export function generateKey(
  cryptoki: Cryptoki,
  session: Buffer,
  { curve, ...name }: Questions["generate"]["ask"],
): void {
  requireFree(cryptoki, session, name);
  try {
    cryptoki.C_GenerateKeyPair(
      session,
      { mechanism: MECHANISMS.EC_KEY_PAIR_GEN },
      publicKeyTemplate(name, EC_PARAMS[curve]),
      [...privateKeyTemplate(name), { type: ATTRIBUTES.EXTRACTABLE, value: false }],
    );
  } catch (error) {
    throw refusalOf("C_GenerateKeyPair", error);
  }
}

/**
 * Brings a private key onto the token, and its public key beside it.
 * @param ask.point SEC 1, uncompressed, 65 bytes
 * @throws TokenFault as generateKey does; then nothing is left on the token
 */
export function importKey(
  cryptoki: Cryptoki,
  session: Buffer,
  { curve, scalar, point, ...name }: Questions["import"]["ask"],
): void {
  requireFree(cryptoki, session, name);
  const params = { type: ATTRIBUTES.EC_PARAMS, value: EC_PARAMS[curve] };
  let privateKey: Buffer;
  try {
    privateKey = cryptoki.C_CreateObject(session, [
      { type: ATTRIBUTES.CLASS, value: CLASSES.PRIVATE_KEY },
      { type: ATTRIBUTES.KEY_TYPE, value: KEY_TYPE_EC },
      ...privateKeyTemplate(name),
      { type: ATTRIBUTES.EXTRACTABLE, value: false },
      params,
      { type: ATTRIBUTES.VALUE, value: Buffer.from(scalar) },
    ]);
  } catch (error) {
    throw refusalOf("C_CreateObject", error);
  }
  try {
    const wrapped = Buffer.concat([Uint8Array.of(0x04, point.length), point]);
    cryptoki.C_CreateObject(session, [
      { type: ATTRIBUTES.CLASS, value: CLASSES.PUBLIC_KEY },
      { type: ATTRIBUTES.KEY_TYPE, value: KEY_TYPE_EC },
      ...publicKeyTemplate(name, EC_PARAMS[curve]),
      { type: ATTRIBUTES.EC_POINT, value: wrapped },
    ]);
  } catch (error) {
    cryptoki.C_DestroyObject(session, privateKey);
    throw refusalOf("C_CreateObject", error);
  }
}

type Name = Pick<Questions["generate"]["ask"], "label" | "id">;

function nameTemplate({ label, id }: Name): Attribute[] {
  return [
    { type: ATTRIBUTES.LABEL, value: Buffer.from(label) },
    { type: ATTRIBUTES.ID, value: Buffer.from(id, "hex") },
  ];
}

function privateKeyTemplate(name: Name): Attribute[] {
  return [
    { type: ATTRIBUTES.TOKEN, value: true },
    { type: ATTRIBUTES.PRIVATE, value: true },
    { type: ATTRIBUTES.SENSITIVE, value: true },
    { type: ATTRIBUTES.SIGN, value: true },
    ...nameTemplate(name),
  ];
}

function publicKeyTemplate(name: Name, params: Buffer): Attribute[] {
  return [
    { type: ATTRIBUTES.TOKEN, value: true },
    { type: ATTRIBUTES.VERIFY, value: true },
    { type: ATTRIBUTES.EC_PARAMS, value: params },
    ...nameTemplate(name),
  ];
}

/** Nothing is written over, and no name is given twice: settings name keys by it. */
function requireFree(cryptoki: Cryptoki, session: Buffer, name: Name): void {
  for (const attribute of nameTemplate(name)) {
    if (findObjects(cryptoki, session, [attribute]).length === 0) continue;
    const what = attribute.type === ATTRIBUTES.LABEL ? `label ${JSON.stringify(name.label)}` : `id ${name.id}`;
    throw new TokenFault("refused", `Something with the ${what} is on the token already: choose another.`);
  }
}
