/**
 * The address from which the operator reaches the stack: whoever imports keys, and whoever logs in.
 * @module
 */
import { word } from "../arm/word.ts";
import type { Block } from "../config/addresses.ts";
import type { StackConfig } from "../config/schema.ts";
import { type Check, type Facts, notOk, ok, type Row } from "./row.ts";

/** The page that docs/ asks too. It learns that somebody asked, and nothing else. */
const TELLS = "https://api.ipify.org";

/**
 * Asks from which IPv4 address this computer reaches the Internet.
 * @throws Error where nobody tells
 */
export async function ownAddress(): Promise<string> {
  let text: string;
  try {
    const response = await fetch(TELLS, { signal: AbortSignal.timeout(10_000) });
    text = response.ok ? (await response.text()).trim() : "";
  } catch (error) {
    const { cause, message } = error as Error;
    throw new Error(`${TELLS} does not answer: ${cause instanceof Error ? cause.message : message}`);
  }
  if (/^(?:\d{1,3}\.){3}\d{1,3}$/.test(text)) return text;
  throw new Error(`${TELLS} does not tell an IPv4 address`);
}

/** Judges the addresses that the stack lets in. */
export function own({ keyImporter, adminIp }: Pick<StackConfig, "keyImporter" | "adminIp">, address: string): Row {
  if (keyImporter !== undefined && keyImporter.ip !== address) {
    const says = `the vault's firewall lets ${keyImporter.ip} in to import keys, and this computer is ${address}. Where another one imports them, that is right`;
    const value = word(JSON.stringify({ ...keyImporter, ip: address }));
    return notOk("own address", says, `pulumi config set keyImporter ${value}`);
  }
  if (adminIp.length > 0 && !adminIp.some((block) => isIn(address, block))) {
    const says = `the firewall lets ${adminIp.map(({ text }) => text).join(", ")} log in, and this computer is ${address}. Where another one logs in, that is right`;
    return notOk("own address", says, `pulumi config set adminIp ${address}`);
  }
  return ok("own address", `${address} is let in`);
}

/** Tells whether an address is in a block. */
export function isIn(address: string, { first, prefix }: Block): boolean {
  const number = address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
  return number >= first && number < first + 2 ** (32 - prefix);
}

export const ADDRESS: Check = {
  rows: ["own address"],
  async examine({ settings, ownAddress }: Facts) {
    const { keyImporter, adminIp } = settings;
    if (keyImporter === undefined && adminIp.length === 0) {
      return [ok("own address", "the stack lets nobody in from here: neither keyImporter nor adminIp is set")];
    }
    return [own(settings, await ownAddress())];
  },
};
