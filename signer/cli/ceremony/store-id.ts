import { InvalidArgumentError } from "commander";
import { UNBOUND } from "../../contract.ts";

/** Reads a watermark store's id, as the stack makes it. A vault tag's value has at most 256 characters. */
export function parseStoreId(text: string): string {
  if (!/^[0-9A-Za-z-]{8,64}$/.test(text) || text === UNBOUND) {
    throw new InvalidArgumentError("Give the store's id: pulumi stack output watermarkStoreId");
  }
  return text;
}
