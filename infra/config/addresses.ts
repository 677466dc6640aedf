/**
 * IPv4 addresses and CIDR blocks as a person types them into the stack's configuration.
 * Pure. Azure's NSG rules, vault firewall and public addresses of this stack are IPv4.
 * @module
 */

import { parseAddressRange } from "../../signer/network/address-range.ts";
import { shown } from "./reasons.ts";

export interface Block {
  /** The form that Azure takes: `203.0.113.7` for one address, `203.0.113.0/28` for a block. */
  readonly text: string;
  /** First address as an unsigned 32-bit number. */
  readonly first: number;
  /** Prefix length, 0-32. */
  readonly prefix: number;
}

/** Blocks that no baker on the Internet can come from (IANA special-purpose registry, RFC 6890; the last is Azure's own). */
const UNREACHABLE = Object.entries({
  "0.0.0.0/8": "means “this network”",
  "10.0.0.0/8": "is private",
  "100.64.0.0/10": "is a provider's own range behind carrier-grade NAT",
  "127.0.0.0/8": "is the computer itself",
  "169.254.0.0/16": "is link-local",
  "172.16.0.0/12": "is private",
  "192.168.0.0/16": "is private",
  "198.18.0.0/15": "is for benchmarks",
  "224.0.0.0/4": "is multicast",
  "240.0.0.0/4": "is reserved",
  "168.63.129.16": "is Azure's own platform address",
}).map(([cidr, why]) => [readBlock(cidr) as Block, why] as const);

/** Blocks for documentation (RFC 5737): nobody has them, so they fit examples and harm nobody. */
const DOCUMENTATION = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"].map((cidr) => readBlock(cidr) as Block);

/**
 * Reads addresses and CIDR blocks. Order is kept; what another entry covers is dropped, since a rule is not to name an
 * address twice.
 * @param wide whether blocks wider than /24 are taken; 0.0.0.0/0 never is
 * @returns the blocks that are right, and a sentence for each entry that is not
 */
export function parseBlocks(
  entries: readonly string[],
  { wide }: { readonly wide: boolean },
): { readonly blocks: Block[]; readonly mistakes: string[] } {
  const blocks: Block[] = [];
  const mistakes: string[] = [];
  for (const entry of entries) {
    try {
      const block = parseBlock(entry.trim());
      const problem = wide ? undefined : tooWide(block);
      if (problem !== undefined) throw new Error(problem);
      blocks.push(block);
    } catch (error) {
      mistakes.push((error as Error).message);
    }
  }
  const covered = (block: Block, index: number) =>
    blocks.some((other, rank) => {
      const wider = other.prefix < block.prefix || (other.prefix === block.prefix && rank < index);
      return wider && overlap(other, block);
    });
  return { blocks: blocks.filter((block, index) => !covered(block, index)), mistakes };
}

/** Says that a block is wider than /24; undefined where it is not. */
export function tooWide({ text, prefix }: Block): string | undefined {
  return prefix < 24 ? `${text} is ${2 ** (32 - prefix)} addresses; nothing wider than /24 is taken` : undefined;
}

/** Tells whether an address or block is one of the documentation ranges, so that nobody can come from it. */
export function isDocumentation(block: Block): boolean {
  return DOCUMENTATION.some((range) => overlap(block, range));
}

/** @throws Error whose message says what is wrong with the entry */
function parseBlock(entry: string): Block {
  if (entry === "") throw new Error("there is an empty entry; separate addresses by one comma");
  if (entry.includes(":"))
    throw new Error(`${shown(entry)} is IPv6 or has a port; give an IPv4 address, since the machine's network is IPv4`);
  const block = readBlock(entry);
  if (block === undefined) {
    const address = /^([^/]*)\/\d+$/.exec(entry)?.[1] ?? "";
    if (readBlock(address) !== undefined) throw new Error(`${shown(entry)} has a prefix above /32`);
    throw new Error(`${shown(entry)} is not an IPv4 address such as 203.0.113.7 or a block such as 203.0.113.0/28`);
  }
  if (block.prefix === 0) throw new Error(`${entry} is the whole Internet; the signer must never be open to it`);
  const start = (block.first & mask(block.prefix)) >>> 0;
  if (start !== block.first) {
    throw new Error(`${entry} has host bits set; write ${dotted(start)}/${block.prefix} or one address without /`);
  }
  for (const [unreachable, why] of UNREACHABLE) {
    if (!overlap(block, unreachable)) continue;
    const what = block.prefix < unreachable.prefix ? `${entry} contains ${unreachable.text}, which` : entry;
    throw new Error(`${what} ${why}`);
  }
  return block;
}

/** One address is given without its /32, as Azure's portal shows it. @returns undefined for what is no IPv4 */
function readBlock(text: string): Block | undefined {
  const { address, family, prefix } = parseAddressRange(text) ?? {};
  if (address === undefined || prefix === undefined || family !== "ipv4") return undefined;
  const first = address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
  return { text: prefix === 32 ? address : `${address}/${prefix}`, first, prefix };
}

function overlap(a: Block, b: Block): boolean {
  const common = mask(Math.min(a.prefix, b.prefix));
  return (a.first & common) === (b.first & common);
}

function mask(prefix: number): number {
  return prefix === 0 ? 0 : (-1 << (32 - prefix)) >>> 0;
}

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
}
