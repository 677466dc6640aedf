import { InvalidArgumentError, Option } from "commander";
import { CHAINS, chainIdOf } from "../../tezos/chains.ts";
import { decode } from "../../tezos/crypto/base58.ts";
import type { Heads } from "../../watermark/interchange/dates.ts";
import { ROW_ADDRESSES } from "../../watermark/stores/stored-row.ts";

/** Levels that a user told, some without naming the chain. */
export interface ToldHeads {
  /** Of the one chain that all is about. */
  readonly level?: number;
  readonly heads: Heads;
}

/** Defines `--head LEVEL`, for a command on one chain. */
export function headOption(): Option {
  return new Option("--head <level>", "the chain's level now, as an explorer shows it").argParser(parseLevel);
}

/** Defines `--head LEVEL` or `--head CHAIN=LEVEL`, the latter as often as there are chains. */
export function headsOption(): Option {
  return new Option(
    "--head <level>",
    "the chain's level now, as an explorer shows it; CHAIN=LEVEL for each, where there are several",
  ).argParser((text, told: ToldHeads | undefined): ToldHeads => {
    const heads = told?.heads ?? new Map<string, number>();
    const [, chain, level = ""] = /^(?:(.*)=)?(.*)$/.exec(text) ?? [];
    if (chain === undefined) return { heads, level: parseLevel(level) };
    return { ...told, heads: new Map([...heads, [parseChain(chain), parseLevel(level)]]) };
  });
}

/** Reads a chain's id, or the name of one that has a name. @throws InvalidArgumentError */
export function parseChain(text: string): string {
  const names = Object.keys(CHAINS).join(", ");
  return parsed(chainIdOf(text), `Give the chain's id, such as NetXdQprcVkpaWU, or its name: ${names}.`, "Net");
}

/** Reads the address of a key that this signer can serve. @throws InvalidArgumentError */
export function parseAddress(text: string): string {
  return parsed(text, "Give the key's address, tz2… or tz3….", "tz2", "tz3");
}

/** Reads the address of any key that the store can have marks of. @throws InvalidArgumentError */
export function parseRowAddress(text: string): string {
  return parsed(text, "Give the key's address, tz1… to tz4….", ...ROW_ADDRESSES);
}

/** Reads a level. @throws InvalidArgumentError */
export function parseLevel(text: string): number {
  const level = Number(text);
  if (/^\d+$/.test(text) && level >= 1 && level < 2 ** 31) return level;
  throw new InvalidArgumentError("Give a level: a whole number from 1.");
}

function parsed(text: string, advice: string, ...prefixes: Parameters<typeof decode>[1][]): string {
  try {
    decode(text, ...prefixes);
    return text;
  } catch {
    throw new InvalidArgumentError(advice);
  }
}
